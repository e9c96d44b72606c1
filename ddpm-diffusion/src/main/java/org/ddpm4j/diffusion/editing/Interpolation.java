package org.ddpm4j.diffusion.editing;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.arithmetic.Views;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The way from one noise or noisy image to another. α is the share of the way here, as in Song et
 * al. 2021, appendix D.5, and not the factor √ᾱ of an image.
 */
public enum Interpolation {
  /**
   * A straight line, {@code (1-α) a + α b}: what Ho et al. 2020, section 4.4, mix two noisy images
   * by. Between two noises it passes nearer to 0 than noise usually is, at α = 1/2 by a factor of
   * √2.
   */
  LINEAR {
    @Override
    double[] weights(double aa, double ab, double bb, double alpha) {
      return new double[] {1 - alpha, alpha};
    }
  },
  /**
   * The shorter arc of a great circle (Shoemake 1985, section 3.3; Song et al. 2021, appendix D.5):
   * {@code (sin((1-α)θ) a + sin(αθ) b) / sin θ} with the angle θ between the two. Between two
   * noises of one length it stays at that length, which is where noise of many pixels lies.
   *
   * <p>Where the angle is 0, or one of the two is 0 and there is no angle, it is the straight line,
   * which is its limit. Between opposites there is no shorter arc, and they are refused.
   */
  SPHERICAL {
    @Override
    double[] weights(double aa, double ab, double bb, double alpha) {
      double lengths = Math.sqrt(aa) * Math.sqrt(bb);
      double cosine = lengths > 0 ? Math.max(-1, Math.min(1, ab / lengths)) : 1;
      double theta = Math.acos(cosine);
      double sine = Math.sin(theta);
      if (sine > PARALLEL) {
        return new double[] {Math.sin((1 - alpha) * theta) / sine, Math.sin(alpha * theta) / sine};
      }
      if (cosine < 0) {
        throw new IllegalArgumentException(
            "The two ends point in opposite directions, so that no arc between them is the shortest; take another.");
      }
      return LINEAR.weights(aa, ab, bb, alpha);
    }
  };

  /** Below this sine, an arc and a straight line differ by less than float can tell. */
  private static final double PARALLEL = 1e-6;

  /** The factors of both ends, from their scalar products. */
  abstract double[] weights(double aa, double ab, double bb, double alpha);

  /**
   * A point on the way, for each image of a batch on its own way.
   *
   * @param a where it begins, {@code [N,C,H,W]}
   * @param b where it ends, same shape
   * @param alpha α, how far, from 0 at a to 1 at b
   * @return a new array of that shape and of a's type
   * @throws IllegalArgumentException if the shapes differ, α is out of its range, or there is no
   *     such way
   */
  public INDArray between(INDArray a, INDArray b, double alpha) {
    Batches.requireImages("beginning", a);
    Batches.requireImages("end", b);
    if (!Arrays.equals(a.shape(), b.shape())) {
      throw new IllegalArgumentException(
          Text.format(
              "There is no way from a batch of shape %s to one of %s; they must be alike.",
              Arrays.toString(a.shape()), Arrays.toString(b.shape())));
    }
    if (!(alpha >= 0 && alpha <= 1)) {
      throw new IllegalArgumentException(
          Text.format("The share of the way is %s; it must be from 0 to 1.", alpha));
    }
    INDArray mixed = a.ulike();
    for (long n = 0; n < a.size(0); n++) {
      // In DOUBLE: an angle of nearly 180° takes all digits of the products, and large or small
      // values of FLOAT have none.
      INDArray from = Views.of(a, NDArrayIndex.point(n)).castTo(DataType.DOUBLE);
      INDArray to = Views.of(b, NDArrayIndex.point(n)).castTo(DataType.DOUBLE);
      double[] weights = weights(product(from, from), product(from, to), product(to, to), alpha);
      INDArray point = from.mul(weights[0]).addi(to.mul(weights[1]));
      mixed.get(NDArrayIndex.point(n)).assign(point.castTo(a.dataType()));
    }
    return mixed;
  }

  private static double product(INDArray a, INDArray b) {
    return a.mul(b).sumNumber().doubleValue();
  }

  /**
   * Points at equal distances on the way.
   *
   * @param a where it begins, {@code [1,C,H,W]}
   * @param b where it ends, same shape
   * @param count how many points, both ends included, at least 2
   * @return {@code [count,C,H,W]}
   * @throws IllegalArgumentException if there are fewer, a batch is not of one image, or there is
   *     no such way
   */
  public INDArray path(INDArray a, INDArray b, int count) {
    Objects.requireNonNull(a, "a");
    Objects.requireNonNull(b, "b");
    if (count < 2 || a.size(0) != 1) {
      throw new IllegalArgumentException(
          Text.format(
              "%d points between batches of %d images make no way; it takes at least 2, and one image at each end.",
              count, a.size(0)));
    }
    INDArray[] points = new INDArray[count];
    for (int i = 0; i < count; i++) {
      points[i] = between(a, b, (double) i / (count - 1));
    }
    return Nd4j.concat(0, points);
  }
}
