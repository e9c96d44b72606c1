package org.ddpm4j.diffusion.cold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Images to degrade, and what plain loops need of them. */
final class TestImages {

  private TestImages() {}

  /** Uniform in [-1,1]. */
  static INDArray random(long seed, DataType dataType, long... shape) {
    SplittableRandom random = new SplittableRandom(seed);
    INDArray images = Nd4j.create(dataType, shape);
    for (long i = 0; i < images.length(); i++) {
      images.putScalar(i, random.nextDouble(-1, 1));
    }
    return images;
  }

  static double[] values(INDArray images) {
    return images.dup('c').data().asDouble();
  }

  /** The pixels of one image of one channel, as rows. */
  static double[][] plane(INDArray images, int image, int channel) {
    double[][] plane = new double[(int) images.size(2)][(int) images.size(3)];
    for (int y = 0; y < plane.length; y++) {
      for (int x = 0; x < plane[y].length; x++) {
        plane[y][x] = images.getDouble(image, channel, y, x);
      }
    }
    return plane;
  }

  static void assertAll(double[] values, double expected, double tolerance) {
    double[] all = new double[values.length];
    Arrays.fill(all, expected);
    assertThat(values).containsExactly(all, within(tolerance));
  }

  static INDArray ofPlane(double[]... rows) {
    return Nd4j.createFromArray(new double[][][][] {{rows}});
  }
}
