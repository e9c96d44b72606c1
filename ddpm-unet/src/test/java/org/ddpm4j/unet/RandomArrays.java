package org.ddpm4j.unet;

import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Arrays of random numbers that are the same in every run and on every backend. */
public final class RandomArrays {

  private final SplittableRandom random;

  public RandomArrays(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /** Normal numbers of mean 0, in DOUBLE. */
  public INDArray gaussian(double standardDeviation, long... shape) {
    return fill(() -> standardDeviation * random.nextGaussian(), shape);
  }

  /** Numbers whose magnitude is in one of two intervals, of either sign, in DOUBLE. */
  public INDArray awayFrom0And1(long... shape) {
    return fill(
        () -> {
          double magnitude =
              random.nextBoolean() ? random.nextDouble(0.2, 0.8) : random.nextDouble(1.2, 2);
          return random.nextBoolean() ? magnitude : -magnitude;
        },
        shape);
  }

  private static INDArray fill(DoubleSupplier numbers, long... shape) {
    INDArray array = Nd4j.zeros(DataType.DOUBLE, shape);
    for (long i = 0; i < array.length(); i++) {
      array.putScalar(i, numbers.getAsDouble());
    }
    return array;
  }
}
