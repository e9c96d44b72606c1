package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.SplittableRandom;
import org.ddpm4j.kernels.cpu.Workers;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** On buffers of several pieces, against plain loops in double. */
class FusedFlatOperationsTest {

  private static final int LENGTH = 3 * (1 << 16) + 17;

  private final FlatOperations operations = new FusedFlatOperations(new Workers(3));

  private static INDArray random(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Nd4j.createFromArray(values);
  }

  @Test
  void norm() {
    INDArray x = random(1);
    double squares = 0;
    for (double value : x.toDoubleVector()) {
      squares += value * value;
    }
    assertThat(operations.norm(x)).isCloseTo(Math.sqrt(squares), withinPercentage(1e-4));
  }

  @Test
  void scaleAverageAndStep() {
    INDArray x = random(1);
    INDArray y = random(2);
    double[] xs = x.toDoubleVector();
    double[] ys = y.toDoubleVector();
    operations.scale(x, 0.25);
    operations.average(y, 0.9, x);
    operations.step(x, 0.5, 3, y);
    double[] scaled = x.toDoubleVector();
    double[] averaged = y.toDoubleVector();
    for (int i = 0; i < LENGTH; i++) {
      double average = 0.9 * ys[i] + 0.1 * 0.25 * xs[i];
      assertThat(averaged[i]).isCloseTo(average, within(1e-6));
      assertThat(scaled[i]).isCloseTo(0.5 * 0.25 * xs[i] - 3 * average, within(3e-6));
    }
  }

  @Test
  void resultsDoNotDependOnThreads() {
    FlatOperations alone = new FusedFlatOperations(new Workers(1));
    AdamWConfig config = AdamWConfig.defaults();
    INDArray[] one = {random(1), random(2), random(3).mul(random(3))};
    INDArray[] three = {random(1), random(2), random(3).mul(random(3))};
    assertThat(alone.adamDirection(one[0], one[1], one[2], config, 0.3))
        .isEqualTo(operations.adamDirection(three[0], three[1], three[2], config, 0.3));
    assertThat(alone.norm(one[1])).isEqualTo(operations.norm(three[1]));
    for (int i = 0; i < 3; i++) {
      assertThat(one[i]).isEqualTo(three[i]);
      assertThat(one[i].dataType()).isEqualTo(DataType.FLOAT);
    }
  }
}
