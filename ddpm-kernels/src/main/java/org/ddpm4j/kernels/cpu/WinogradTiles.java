package org.ddpm4j.kernels.cpu;

import static org.ddpm4j.kernels.cpu.WinogradLoops.IN;
import static org.ddpm4j.kernels.cpu.WinogradLoops.OUT;
import static org.ddpm4j.kernels.cpu.WinogradLoops.PRODUCTS;

import java.util.Arrays;

/**
 * Feature maps cut into squares for Winograd's algorithm: 4x4 outputs, which need 6x6 inputs. A run
 * works on some images at once; a square is a row of its 36 matrices.
 *
 * @param images of the batch
 * @param height of a feature map
 * @param width of a feature map
 * @param imagesAtOnce in a run
 */
record WinogradTiles(int images, int height, int width, int imagesAtOnce) {

  /**
   * What transforming one number costs, in floating-point operations of a matrix product in the
   * same time: measured for vectors of 512 bits and of fewer, see docs/optimisations.md. A decision
   * by the clock would be another in another run, and with it the last digits of the result.
   */
  private static final double COST_OF_TRANSFORM_AVX512 = 85;

  private static final double COST_OF_TRANSFORM = 50;

  /** What the gradient of one pair of channels costs when it is transformed back, in the same. */
  private static final double COST_OF_WEIGHTS_GRADIENT_AVX512 = 4800;

  private static final double COST_OF_WEIGHTS_GRADIENT = 1500;

  /** The share of the time that may be left; transforming the weights takes some, too. */
  private static final double WORTHWHILE = 0.8;

  /** Windows2x2 for runs over as few images as have the wanted number of squares. */
  static WinogradTiles of(CpuTensor map, int wantedRows) {
    int images = map.size(0);
    int perImage = rows(map.size(1)) * rows(map.size(2));
    int atOnce = Math.min(images, (wantedRows + perImage - 1) / perImage);
    return new WinogradTiles(images, map.size(1), map.size(2), atOnce);
  }

  private static int rows(int size) {
    return (size + OUT - 1) / OUT;
  }

  /**
   * Whether this is faster than the convolution as defined. It does not depend on the number of
   * images, because what is made of one must not depend on which others are there.
   */
  static boolean isFaster(int height, int width, int inChannels, int outChannels) {
    double squares = (double) rows(height) * rows(width);
    if (squares == 1) {
      // An image alone takes as long as reading its weights, of which there are four times as many.
      return false;
    }
    double transforms = PRODUCTS * squares * (inChannels + outChannels) * costOfTransform();
    double pairs = (double) inChannels * outChannels;
    return transforms + products(squares) * pairs < WORTHWHILE * direct(height, width) * pairs;
  }

  /** Whether this is faster for the gradient of the weights, too, where it is for that of x. */
  static boolean isFasterForWeights(CpuTensor x, int outChannels) {
    double squares = (double) x.size(0) * rows(x.size(1)) * rows(x.size(2));
    double back = Onednn.hasAvx512() ? COST_OF_WEIGHTS_GRADIENT_AVX512 : COST_OF_WEIGHTS_GRADIENT;
    double transforms = PRODUCTS * squares * costOfTransform() / outChannels;
    return transforms + products(squares) + back < x.size(0) * direct(x.size(1), x.size(2));
  }

  private static double costOfTransform() {
    return Onednn.hasAvx512() ? COST_OF_TRANSFORM_AVX512 : COST_OF_TRANSFORM;
  }

  /** Floating-point operations for a pair of channels. */
  private static double products(double squares) {
    return 2 * PRODUCTS * squares;
  }

  /** The same for an image by the definition. */
  private static double direct(int height, int width) {
    return 18.0 * height * width;
  }

  int tileRows() {
    return rows(height);
  }

  int tileColumns() {
    return rows(width);
  }

  int perImage() {
    return tileRows() * tileColumns();
  }

  /** Rows of the matrices in a run over all images that it can have. */
  int matrixRows() {
    return imagesAtOnce * perImage();
  }

  /** The images of the last run, if it has fewer; otherwise 0. */
  int rest() {
    return images % imagesAtOnce;
  }

  /** A row of squares. */
  @FunctionalInterface
  interface Row {

    /**
     * Works on a row of squares.
     *
     * @param image of the batch
     * @param tileRow in the image
     * @param matrixRow the first of its rows in the matrices
     */
    void accept(int image, int tileRow, int matrixRow);
  }

  /**
   * Goes through some of the rows of squares of some images.
   *
   * @param firstImage of the images, whose rows are numbered from 0
   * @param begin the first row
   * @param end behind the last row
   */
  void forEachRow(int firstImage, int begin, int end, Row row) {
    for (int k = begin; k < end; k++) {
      row.accept(firstImage + k / tileRows(), k % tileRows(), k * tileColumns());
    }
  }

  /** {@code Bᵀ d B} of one row of squares at a time. */
  static final class Inputs {

    private final WinogradTiles squares;
    private final CpuTensor x;
    private final int channels;
    private final float[][] rows;
    private final float[][] vertical;
    private final float[][] gathered;
    private final float[][] horizontal;

    Inputs(WinogradTiles squares, CpuTensor x, FloatArrays.Loan own) {
      this.squares = squares;
      this.x = x;
      channels = x.size(3);
      int padded = (squares.tileColumns() * OUT + IN - OUT) * channels;
      rows = own.arrays(IN, padded);
      vertical = own.arrays(IN, padded);
      gathered = own.arrays(IN, squares.tileColumns() * channels);
      horizontal = own.arrays(IN, squares.tileColumns() * channels);
      for (float[] row : rows) {
        Arrays.fill(row, 0, channels, 0);
        Arrays.fill(row, (squares.width + 1) * channels, padded, 0);
      }
    }

    /** Writes to {@code [36,matrixRows,C]}. */
    void transform(int image, int tileRow, CpuTensor to, int matrixRow, int matrixRows) {
      int rowLength = squares.width * channels;
      for (int r = 0; r < IN; r++) {
        int row = tileRow * OUT + r - 1;
        if (row >= 0 && row < squares.height) {
          int start = (image * squares.height + row) * rowLength;
          x.buffer().get(start, rows[r], channels, rowLength);
        } else {
          Arrays.fill(rows[r], channels, channels + rowLength, 0);
        }
      }
      WinogradLoops.transformInput(rows, vertical, rows[0].length);
      int length = squares.tileColumns() * channels;
      for (int r = 0; r < IN; r++) {
        for (int c = 0; c < IN; c++) {
          for (int t = 0; t < squares.tileColumns(); t++) {
            System.arraycopy(
                vertical[r], (t * OUT + c) * channels, gathered[c], t * channels, channels);
          }
        }
        WinogradLoops.transformInput(gathered, horizontal, length);
        for (int c = 0; c < IN; c++) {
          int start = ((r * IN + c) * matrixRows + matrixRow) * channels;
          to.buffer().put(start, horizontal[c], 0, length);
        }
      }
    }
  }
}
