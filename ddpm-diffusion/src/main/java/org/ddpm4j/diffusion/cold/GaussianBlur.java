package org.ddpm4j.diffusion.cold;

import java.util.Arrays;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Blurs with one Gaussian kernel after the other: {@code D(x0, s) = G_s * ... * G_1 * x0} (Bansal
 * et al. 2022, section 4.1). Kernels are cut off at their size and sum to 1.
 *
 * <p>Beyond its edges an image goes on as its mirror image, the outermost pixels repeated. (The
 * authors' program lets it go on at the opposite edge.) The mean of an image therefore stays what
 * it is, and a strong blur leaves nothing but the mean: a single colour.
 *
 * <p>All steps together are one matrix for each axis, {@code A_H x A_Wᵀ}, because the kernels and
 * the mirrors are separable; the images between are never computed.
 *
 * @param steps T, at least 1
 * @param kernelSize width of every kernel in pixels, odd, at least 3
 * @param firstStd standard deviation of G_1 in pixels, above 0
 * @param stdIncrement how much it grows with each step, at least 0
 */
public record GaussianBlur(int steps, int kernelSize, double firstStd, double stdIncrement)
    implements Degradation {

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public GaussianBlur {
    ImageByImage.requireSteps(steps);
    ImageByImage.requireStds(firstStd, stdIncrement);
    if (kernelSize < 3 || kernelSize % 2 == 0) {
      throw new IllegalArgumentException(
          Text.format(
              "A kernel of %d pixels cannot blur around a centre; the size must be odd and at least 3.",
              kernelSize));
    }
  }

  /**
   * The same kernel at each step.
   *
   * @param steps T, at least 1
   * @param kernelSize width in pixels, odd, at least 3
   * @param std standard deviation in pixels, above 0
   * @return the blur
   */
  public static GaussianBlur constant(int steps, int kernelSize, double std) {
    return new GaussianBlur(steps, kernelSize, std, 0);
  }

  @Override
  public INDArray degrade(INDArray x0, int[] severity, long[] keys) {
    ImageShape shape = ImageByImage.shape(x0);
    // Severities that are out of range are refused below, with the batch.
    int most = Math.min(steps, Math.max(0, Arrays.stream(severity).max().orElse(0)));
    double[][][] rows = composed(shape.height(), most);
    double[][][] columns = shape.width() == shape.height() ? rows : composed(shape.width(), most);
    return ImageByImage.apply(
        this,
        x0,
        severity,
        keys,
        (pixels, s, key) -> blur(pixels, shape.channels(), rows[s], columns[s]));
  }

  private static void blur(double[] pixels, int channels, double[][] rows, double[][] columns) {
    int height = rows.length;
    int width = columns.length;
    double[] between = new double[height * width];
    for (int c = 0; c < channels; c++) {
      int plane = c * height * width;
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          double sum = 0;
          for (int from = 0; from < width; from++) {
            sum += columns[x][from] * pixels[plane + y * width + from];
          }
          between[y * width + x] = sum;
        }
      }
      Arrays.fill(pixels, plane, plane + height * width, 0);
      for (int y = 0; y < height; y++) {
        for (int from = 0; from < height; from++) {
          double weight = rows[y][from];
          for (int x = 0; x < width; x++) {
            pixels[plane + y * width + x] += weight * between[from * width + x];
          }
        }
      }
    }
  }

  /** The matrices of severities 0 to {@code most} on an axis of {@code size} pixels. */
  private double[][][] composed(int size, int most) {
    double[][][] matrices = new double[most + 1][size][size];
    for (int i = 0; i < size; i++) {
      matrices[0][i][i] = 1;
    }
    int radius = kernelSize / 2;
    for (int s = 1; s <= most; s++) {
      double[] kernel = kernel(firstStd + (s - 1) * stdIncrement);
      for (int i = 0; i < size; i++) {
        for (int k = -radius; k <= radius; k++) {
          double[] source = matrices[s - 1][mirror(i + k, size)];
          for (int j = 0; j < size; j++) {
            matrices[s][i][j] += kernel[k + radius] * source[j];
          }
        }
      }
    }
    return matrices;
  }

  private double[] kernel(double std) {
    int radius = kernelSize / 2;
    double[] kernel = new double[kernelSize];
    for (int k = -radius; k <= radius; k++) {
      kernel[k + radius] = Math.exp(-0.5 * (k / std) * (k / std));
    }
    double sum = Arrays.stream(kernel).sum();
    return Arrays.stream(kernel).map(weight -> weight / sum).toArray();
  }

  /** The pixel that is seen at a place beyond the edge: ... 1 0 | 0 1 ... n-1 | n-1 n-2 ... */
  private static int mirror(int place, int size) {
    int folded = Math.floorMod(place, 2 * size);
    return folded < size ? folded : 2 * size - 1 - folded;
  }
}
