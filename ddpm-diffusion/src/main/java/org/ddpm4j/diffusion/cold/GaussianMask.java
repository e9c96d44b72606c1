package org.ddpm4j.diffusion.cold;

import java.util.Objects;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Hides a growing spot: {@code D(x0, s) = x0 · z_1 · ... · z_s}, where {@code z_i = 1 -
 * exp(-r²/2σ_i²)} at the distance r from the spot's centre (Bansal et al. 2022, section 4.2). The
 * centre is hidden at once and altogether, and the hidden pixels are 0, the middle grey of images
 * in [-1,1]; far from it the image stays as it is.
 *
 * @param steps T, at least 1
 * @param firstStd σ_1 in pixels, above 0
 * @param stdIncrement how much σ grows with each step, at least 0
 * @param centre where the spot is
 */
public record GaussianMask(int steps, double firstStd, double stdIncrement, Centre centre)
    implements Degradation {

  /** Where the spot is. Its centre is always that of a pixel. */
  public enum Centre {
    /** In the middle; of two middle rows or columns the first. */
    MIDDLE {
      @Override
      int place(CounterRandom random, int axis, int size) {
        return (size - 1) / 2;
      }
    },
    /** At any pixel with the same chance, decided by the image's key. */
    RANDOM {
      @Override
      int place(CounterRandom random, int axis, int size) {
        return random.below(size, 0, 0, axis);
      }
    };

    abstract int place(CounterRandom random, int axis, int size);
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public GaussianMask {
    ImageByImage.requireSteps(steps);
    ImageByImage.requireStds(firstStd, stdIncrement);
    Objects.requireNonNull(centre, "centre");
  }

  @Override
  public INDArray degrade(INDArray x0, int[] severity, long[] keys) {
    ImageShape shape = ImageByImage.shape(x0);
    return ImageByImage.apply(
        this,
        x0,
        severity,
        keys,
        (pixels, s, key) -> {
          CounterRandom random = new CounterRandom(key, Purpose.DEGRADATIONS);
          int row = centre.place(random, 0, shape.height());
          int column = centre.place(random, 1, shape.width());
          hide(pixels, shape, s, row, column);
        });
  }

  private void hide(double[] pixels, ImageShape shape, int severity, int row, int column) {
    int width = shape.width();
    int plane = shape.height() * width;
    for (int s = 0; s < severity; s++) {
      double std = firstStd + s * stdIncrement;
      double[] down = bell(shape.height(), row, std);
      double[] across = bell(width, column, std);
      for (int i = 0; i < pixels.length; i++) {
        int place = i % plane;
        pixels[i] *= 1 - down[place / width] * across[place % width];
      }
    }
  }

  /** {@code exp(-d²/2σ²)} along an axis: a Gaussian of the plane is the product of two of these. */
  private static double[] bell(int size, int centre, double std) {
    double[] bell = new double[size];
    for (int i = 0; i < size; i++) {
      double distance = (i - centre) / std;
      bell[i] = Math.exp(-0.5 * distance * distance);
    }
    return bell;
  }
}
