package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Loops;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;

/**
 * Convolution of kernel 3, stride 1 and padding 1 by Winograd's minimal filtering F(4x4, 3x3)
 * (Lavin and Gray 2016): squares of 4x4 outputs cost 36 multiplications a pair of channels where
 * the definition takes 144. The transforms are loops, the products in between 36 matrix products.
 */
final class Winograd implements Kernel {

  /** Side of the squares of outputs. */
  private static final int OUT = 4;

  /** Side of the squares of inputs, {@code OUT + 3 - 1}. */
  private static final int IN = 6;

  private static final int PRODUCTS = IN * IN;

  /** Pairs of channels whose weights are transformed together. */
  private static final int PAIRS_AT_ONCE = 512;

  /** Rows of the matrix products that a run over some images has at least, if there are so many. */
  private static final int WANTED_ROWS = 64;

  /** oneDNN's sums come out differently for one row and for several. */
  private static final int LEAST_ROWS = 2;

  private final Tensor x;
  private final Tensor y;
  private final Tensor bias;
  private final Tensor residual;
  private final int height;
  private final int width;
  private final int inChannels;
  private final int outChannels;
  private final int tileRows;
  private final int tileColumns;
  private final int imagesAtOnce;
  private final Tensor transformedX;
  private final Tensor transformedY;
  private final Kernel[] products;
  private final float[][] rows;
  private final float[][] vertical;
  private final float[][] gathered;
  private final float[][] horizontal;
  private final float[][] sums;
  private final float[][] verticalSums;
  private final float[][] outputs;
  private final float[] outputRow;
  private final float[] repeatedBias;
  private final float[] residualRow;

  /**
   * What transforming one number costs, in floating-point operations of a matrix product in the
   * same time: measured for vectors of 512 bits and of fewer, see docs/performance.md. A decision
   * by the clock would be another in another run, and with it the last digits of the result.
   */
  private static final double COST_OF_TRANSFORM_AVX512 = 230;

  private static final double COST_OF_TRANSFORM = 135;

  /** The share of the time that may be left; transforming the weights takes some, too. */
  private static final double WORTHWHILE = 0.8;

  /** Whether this is faster than the convolution as defined. */
  static boolean wins(int images, int height, int width, int inChannels, int outChannels) {
    double squares = (double) images * ((height + OUT - 1) / OUT) * ((width + OUT - 1) / OUT);
    double costOfTransform = Onednn.hasAvx512() ? COST_OF_TRANSFORM_AVX512 : COST_OF_TRANSFORM;
    double transforms = PRODUCTS * squares * (inChannels + outChannels) * costOfTransform;
    double products = 2.0 * PRODUCTS * squares * inChannels * outChannels;
    double direct = 18.0 * images * height * width * inChannels * outChannels;
    return transforms + products < WORTHWHILE * direct;
  }

  /**
   * Prepares a convolution.
   *
   * @param rotated whether to use the weights turned by 180° and with input and output channels
   *     exchanged, which makes it the gradient of a convolution
   */
  Winograd(
      KernelContext context,
      Tensor x,
      Tensor weights,
      boolean rotated,
      Tensor bias,
      Tensor residual,
      Tensor y) {
    this.x = x;
    this.y = y;
    this.bias = bias;
    this.residual = residual;
    height = x.size(1);
    width = x.size(2);
    inChannels = x.size(3);
    outChannels = y.size(3);
    tileRows = (height + OUT - 1) / OUT;
    tileColumns = (width + OUT - 1) / OUT;
    int tiles = tileRows * tileColumns;
    imagesAtOnce = Math.min(x.size(0), (WANTED_ROWS + tiles - 1) / tiles);
    int matrixRows = matrixRows(imagesAtOnce);
    var scratch =
        context.scratch(
            (long) PRODUCTS * matrixRows * inChannels, (long) PRODUCTS * matrixRows * outChannels);
    transformedX = scratch.get(0);
    transformedY = scratch.get(1);
    int rest = x.size(0) % imagesAtOnce;
    products = new Kernel[imagesAtOnce + 1];
    products[imagesAtOnce] = product(context, weights, rotated, matrixRows);
    if (rest > 0) {
      products[rest] = product(context, weights, rotated, matrixRows(rest));
    }
    rows = new float[IN][(tileColumns * OUT + 2) * inChannels];
    vertical = new float[IN][(tileColumns * OUT + 2) * inChannels];
    gathered = new float[IN][tileColumns * inChannels];
    horizontal = new float[IN][tileColumns * inChannels];
    sums = new float[IN][tileColumns * outChannels];
    verticalSums = new float[OUT * IN][tileColumns * outChannels];
    outputs = new float[OUT][tileColumns * outChannels];
    outputRow = new float[tileColumns * OUT * outChannels];
    repeatedBias = new float[tileColumns * outChannels];
    residualRow = new float[width * outChannels];
  }

  /** A row for each square, so that an image's result does not depend on how many there are. */
  private int matrixRows(int images) {
    return Math.max(LEAST_ROWS, images * tileRows * tileColumns);
  }

  private Kernel product(KernelContext context, Tensor weights, boolean rotated, long matrixRows) {
    Tensor transformed =
        context.derived(
            weights,
            rotated ? "rotated Winograd" : "Winograd",
            (long) PRODUCTS * inChannels * outChannels,
            (from, to) -> transformWeights(from, rotated, to));
    long matrix = (long) inChannels * outChannels;
    long[] shape = {PRODUCTS, inChannels, outChannels};
    return MatrixProduct.packed(
        context,
        Onednn.dense(PRODUCTS, matrixRows, inChannels),
        transformedX,
        rotated
            ? Onednn.strided(shape, matrix, 1, inChannels)
            : Onednn.strided(shape, matrix, outChannels, 1),
        Onednn.any(shape),
        transformed,
        Onednn.dense(PRODUCTS, matrixRows, outChannels),
        transformedY);
  }

  /** {@code G g Gᵀ} for every pair of channels of the weights, {@code [36,iC,oC]} of these. */
  private static void transformWeights(Tensor weights, boolean rotated, Tensor transformed) {
    int pairs = weights.size(2) * weights.size(3);
    float[][] g = new float[9][PAIRS_AT_ONCE];
    float[][] half = new float[3 * IN][PAIRS_AT_ONCE];
    float[][] u = new float[IN][PAIRS_AT_ONCE];
    for (int start = 0; start < pairs; start += PAIRS_AT_ONCE) {
      int n = Math.min(PAIRS_AT_ONCE, pairs - start);
      for (int k = 0; k < 9; k++) {
        weights.buffer().get(k * pairs + start, g[rotated ? 8 - k : k], 0, n);
      }
      for (int column = 0; column < 3; column++) {
        filter(g[column], g[3 + column], g[6 + column], half, column, 3);
      }
      for (int row = 0; row < IN; row++) {
        filter(half[3 * row], half[3 * row + 1], half[3 * row + 2], u, 0, 1);
        for (int column = 0; column < IN; column++) {
          transformed.buffer().put((row * IN + column) * pairs + start, u[column], 0, n);
        }
      }
    }
  }

  /** G times three rows. */
  private static void filter(float[] a, float[] b, float[] c, float[][] to, int first, int step) {
    filter(
        a,
        b,
        c,
        to[first],
        to[first + step],
        to[first + 2 * step],
        to[first + 3 * step],
        to[first + 4 * step],
        to[first + 5 * step]);
  }

  private static void filter(
      float[] a,
      float[] b,
      float[] c,
      float[] u0,
      float[] u1,
      float[] u2,
      float[] u3,
      float[] u4,
      float[] u5) {
    for (int i = 0; i < a.length; i++) {
      float outer = a[i] + c[i];
      float weighted = a[i] + 4 * c[i];
      u0[i] = a[i] * (1f / 4);
      u1[i] = (outer + b[i]) * (-1f / 6);
      u2[i] = (outer - b[i]) * (-1f / 6);
      u3[i] = (weighted + 2 * b[i]) * (1f / 24);
      u4[i] = (weighted - 2 * b[i]) * (1f / 24);
      u5[i] = c[i];
    }
  }

  @Override
  public void run() {
    if (bias != null) {
      for (int t = 0; t < tileColumns; t++) {
        bias.buffer().get(0, repeatedBias, t * outChannels, outChannels);
      }
    }
    for (int first = 0; first < x.size(0); first += imagesAtOnce) {
      int images = Math.min(imagesAtOnce, x.size(0) - first);
      int matrixRows = matrixRows(images);
      for (int n = 0; n < images; n++) {
        for (int tileRow = 0; tileRow < tileRows; tileRow++) {
          transformInput(first + n, tileRow, (n * tileRows + tileRow) * tileColumns, matrixRows);
        }
      }
      products[images].run();
      for (int n = 0; n < images; n++) {
        for (int tileRow = 0; tileRow < tileRows; tileRow++) {
          transformOutput(first + n, tileRow, (n * tileRows + tileRow) * tileColumns, matrixRows);
        }
      }
    }
  }

  /** {@code Bᵀ d B} for one row of squares. */
  private void transformInput(int image, int tileRow, int matrixRow, int matrixRows) {
    int rowLength = width * inChannels;
    for (int r = 0; r < IN; r++) {
      int row = tileRow * OUT + r - 1;
      if (row >= 0 && row < height) {
        x.buffer().get((image * height + row) * rowLength, rows[r], inChannels, rowLength);
      } else {
        Arrays.fill(rows[r], inChannels, inChannels + rowLength, 0);
      }
    }
    differences(rows, vertical, rows[0].length);
    int length = tileColumns * inChannels;
    for (int r = 0; r < IN; r++) {
      for (int c = 0; c < IN; c++) {
        for (int t = 0; t < tileColumns; t++) {
          System.arraycopy(
              vertical[r], (t * OUT + c) * inChannels, gathered[c], t * inChannels, inChannels);
        }
      }
      differences(gathered, horizontal, length);
      for (int c = 0; c < IN; c++) {
        int start = ((r * IN + c) * matrixRows + matrixRow) * inChannels;
        transformedX.buffer().put(start, horizontal[c], 0, length);
      }
    }
  }

  /** {@code Aᵀ m A} for one row of squares. */
  private void transformOutput(int image, int tileRow, int matrixRow, int matrixRows) {
    int length = tileColumns * outChannels;
    for (int c = 0; c < IN; c++) {
      for (int r = 0; r < IN; r++) {
        int start = ((r * IN + c) * matrixRows + matrixRow) * outChannels;
        transformedY.buffer().get(start, sums[r], 0, length);
      }
      sums(sums, verticalSums, c, IN, length);
    }
    for (int r = 0; r < OUT && tileRow * OUT + r < height; r++) {
      for (int c = 0; c < IN; c++) {
        System.arraycopy(verticalSums[r * IN + c], 0, sums[c], 0, length);
      }
      sums(sums, outputs, 0, 1, length);
      for (int c = 0; c < OUT; c++) {
        Loops.add(outputs[c], repeatedBias, length);
        for (int t = 0; t < tileColumns; t++) {
          System.arraycopy(
              outputs[c], t * outChannels, outputRow, (t * OUT + c) * outChannels, outChannels);
        }
      }
      int rowLength = width * outChannels;
      int start = (image * height + tileRow * OUT + r) * rowLength;
      if (residual != null) {
        residual.buffer().get(start, residualRow, 0, rowLength);
        Loops.add(outputRow, residualRow, rowLength);
      }
      y.buffer().put(start, outputRow, 0, rowLength);
    }
  }

  /** {@code Bᵀ} times six rows. */
  private static void differences(float[][] from, float[][] to, int n) {
    differences(
        from[0], from[1], from[2], from[3], from[4], from[5], to[0], to[1], to[2], to[3], to[4],
        to[5], n);
  }

  private static void differences(
      float[] d0,
      float[] d1,
      float[] d2,
      float[] d3,
      float[] d4,
      float[] d5,
      float[] t0,
      float[] t1,
      float[] t2,
      float[] t3,
      float[] t4,
      float[] t5,
      int n) {
    for (int i = 0; i < n; i++) {
      float a = d4[i] - 4 * d2[i];
      float b = d3[i] - 4 * d1[i];
      float c = d4[i] - d2[i];
      float e = 2 * (d3[i] - d1[i]);
      t0[i] = 4 * d0[i] - 5 * d2[i] + d4[i];
      t1[i] = a + b;
      t2[i] = a - b;
      t3[i] = c + e;
      t4[i] = c - e;
      t5[i] = 4 * d1[i] - 5 * d3[i] + d5[i];
    }
  }

  /** {@code Aᵀ} times six rows. */
  private static void sums(float[][] m, float[][] to, int first, int step, int n) {
    sums(
        m[0],
        m[1],
        m[2],
        m[3],
        m[4],
        m[5],
        to[first],
        to[first + step],
        to[first + 2 * step],
        to[first + 3 * step],
        n);
  }

  private static void sums(
      float[] m0,
      float[] m1,
      float[] m2,
      float[] m3,
      float[] m4,
      float[] m5,
      float[] o0,
      float[] o1,
      float[] o2,
      float[] o3,
      int n) {
    for (int i = 0; i < n; i++) {
      float s = m1[i] + m2[i];
      float u = m1[i] - m2[i];
      float p = m3[i] + m4[i];
      float q = m3[i] - m4[i];
      o0[i] = m0[i] + s + p;
      o1[i] = u + 2 * q;
      o2[i] = s + 4 * p;
      o3[i] = u + 8 * q + m5[i];
    }
  }
}
