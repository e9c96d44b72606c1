package org.ddpm4j.diffusion.arithmetic;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * By ND4J, for arrays of any type and layout on any backend. What it makes besides results is
 * closed at once: the garbage collector, which sees only the small Java objects, may wait for
 * hours.
 */
final class Nd4jOperations implements BatchOperations {

  static final Nd4jOperations INSTANCE = new Nd4jOperations();

  private Nd4jOperations() {}

  @Override
  public INDArray combine(double[] factors, INDArray... terms) {
    INDArray sum = factors[0] == 0 ? terms[0].like() : terms[0].mul(factors[0]);
    for (int k = 1; k < factors.length; k++) {
      if (factors[k] != 0) {
        addScaled(sum, factors[k], terms[k]);
      }
    }
    return sum;
  }

  @Override
  public INDArray combinePerImage(double[] a, INDArray x, double[] b, INDArray y) {
    try (INDArray xFactors = perImage(a, x);
        INDArray yFactors = perImage(b, x);
        INDArray scaled = y.mul(yFactors)) {
      return x.mul(xFactors).addi(scaled);
    }
  }

  /** {@code [N,1,...]}, in the type of the images. */
  private static INDArray perImage(double[] factors, INDArray images) {
    long[] shape = new long[images.rank()];
    Arrays.fill(shape, 1);
    shape[0] = factors.length;
    return Nd4j.createFromArray(factors).castTo(images.dataType()).reshape(shape);
  }

  @Override
  public INDArray towards(INDArray from, INDArray to, double factor) {
    return to.sub(from).muli(factor).addi(from);
  }

  @Override
  public void addScaled(INDArray x, double factor, INDArray y) {
    try (INDArray scaled = y.mul(factor)) {
      if (scaled.dataType() == x.dataType()) {
        x.addi(scaled);
      } else {
        try (INDArray cast = scaled.castTo(x.dataType())) {
          x.addi(cast);
        }
      }
    }
  }

  @Override
  public void scalePerImage(INDArray x, double... factors) {
    try (INDArray perImage = perImage(factors, x)) {
      x.muli(perImage);
    }
  }

  /** Of a copy in double precision, since ND4J's sums are of the type of what is summed. */
  @Override
  public double[] standardDeviations(INDArray x) {
    int images = (int) x.size(0);
    long perImage = x.length() / images;
    try (INDArray copy = x.dup('c');
        INDArray differences = Nd4j.createUninitialized(DataType.DOUBLE, images, perImage)) {
      differences.assign(copy.reshape('c', images, perImage));
      // From the first element, so that those of one colour are 0: the mean of equal numbers need
      // not be that number.
      try (INDArray origins = differences.getColumn(0, true).dup()) {
        differences.subiColumnVector(origins);
      }
      try (INDArray means = differences.mean(true, 1);
          INDArray norms = differences.subi(means).norm2(1)) {
        return Arrays.stream(norms.toDoubleVector())
            .map(norm -> norm / Math.sqrt(perImage - 1))
            .toArray();
      }
    }
  }

  @Override
  public INDArray clip(INDArray x, double min, double max) {
    return Nd4j.math().clipByValue(x, min, max);
  }

  @Override
  public INDArray twice(INDArray x) {
    return Nd4j.concat(0, x, x);
  }

  /**
   * By differences of 0, which are undefined where a value is not finite: ND4J's own condition
   * takes NaN of FLOAT16 and large numbers of BFLOAT16 for what they are not.
   */
  @Override
  public boolean isFinite(INDArray x) {
    try (INDArray differences = x.sub(x)) {
      return differences.sumNumber().doubleValue() == 0;
    }
  }
}
