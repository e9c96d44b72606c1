package org.ddpm4j.kernels.cpu;

import static org.ddpm4j.kernels.cpu.WinogradLoops.IN;
import static org.ddpm4j.kernels.cpu.WinogradLoops.OUT;
import static org.ddpm4j.kernels.cpu.WinogradLoops.PRODUCTS;

import java.util.Optional;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * Convolution of kernel 3, stride 1 and padding 1 by Winograd's minimal filtering F(4x4, 3x3)
 * (Lavin and Gray 2016): squares of 4x4 outputs cost 36 multiplications a pair of channels where
 * the definition takes 144. The transforms are loops, the products in between 36 matrix products.
 */
final class Winograd implements Kernel {

  /** Rows of the matrix products that a run over some images has at least, if there are so many. */
  private static final int WANTED_ROWS = 32;

  /** oneDNN's sums come out differently for one row and for several. */
  private static final int LEAST_ROWS = 2;

  private final CpuContext context;
  private final WinogradTiles squares;
  private final CpuTensor x;
  private final CpuTensor y;
  private final CpuTensor bias;
  private final CpuTensor residual;
  private final int outChannels;
  private final CpuTensor transformedX;
  private final CpuTensor transformedWeights;
  private final CpuTensor transformedY;
  private final float[] repeatedBias;
  private final double flops;

  /** For each number of images. */
  private final Kernel[] products;

  private final RowTransforms transforms;

  /**
   * Prepares a convolution.
   *
   * @param bias one number per output channel, or null
   * @param residual added to the result, or null
   */
  Winograd(
      CpuContext context,
      CpuTensor x,
      CpuTensor weights,
      CpuTensor bias,
      CpuTensor residual,
      CpuTensor y) {
    this.context = context;
    this.x = x;
    this.y = y;
    this.bias = bias;
    this.residual = residual;
    squares = WinogradTiles.of(x, WANTED_ROWS);
    outChannels = y.size(3);
    long matrixRows = matrixRows(squares.imagesAtOnce());
    var scratch =
        context.scratch(PRODUCTS * matrixRows * x.size(3), PRODUCTS * matrixRows * outChannels);
    transformedX = scratch.get(0);
    transformedY = scratch.get(1);
    transformedWeights = transformedWeights(context, weights);
    flops = 2.0 * weights.length() * y.length() / outChannels;
    products = new Kernel[squares.imagesAtOnce() + 1];
    for (int images : new int[] {squares.imagesAtOnce(), squares.rest()}) {
      if (images > 0) {
        products[images] = products(matrixRows(images));
      }
    }
    repeatedBias = new float[squares.tileColumns() * outChannels];
    transforms = new RowTransforms(squares, context.arrays());
  }

  /** The matrix products of a run over images with so many rows of squares. */
  private Kernel products(int rows) {
    return MatrixProduct.shared(
        context,
        flops,
        PRODUCTS,
        matrices -> product(matrices, rows),
        transformedX.part(0, (long) PRODUCTS * rows * x.size(3)),
        transformedWeights,
        transformedY.part(0, (long) PRODUCTS * rows * outChannels));
  }

  private MatrixProduct product(int matrices, int rows) {
    int inChannels = x.size(3);
    return MatrixProduct.of(
        Onednn.dense(matrices, rows, inChannels),
        Onednn.dense(matrices, inChannels, outChannels),
        Onednn.dense(matrices, rows, outChannels));
  }

  /** A row for each square, so that an image's result does not depend on how many there are. */
  private int matrixRows(int images) {
    return Math.max(LEAST_ROWS, images * squares.perImage());
  }

  /** {@code [36,iC,oC]}: in no layout of oneDNN's, so that forward and gradient read the same. */
  static CpuTensor transformedWeights(CpuContext context, CpuTensor weights) {
    long pairs = (long) weights.size(2) * weights.size(3);
    return context.derived(weights, "Winograd", PRODUCTS * pairs, WinogradLoops::transformWeights);
  }

  @Override
  public void run() {
    if (bias != null) {
      for (int t = 0; t < squares.tileColumns(); t++) {
        bias.buffer().get(0, repeatedBias, t * outChannels, outChannels);
      }
    }
    for (int first = 0; first < squares.images(); first += squares.imagesAtOnce()) {
      int images = Math.min(squares.imagesAtOnce(), squares.images() - first);
      int matrixRows = matrixRows(images);
      Optional<Team> team = SharedKernel.team(context, flops);
      Team.run(team, transforms.parts(team, first, images, own -> inputs(own, matrixRows)));
      products[images].run();
      Team.run(team, transforms.parts(team, first, images, own -> outputs(own, matrixRows)));
    }
  }

  private WinogradTiles.Row inputs(FloatArrays.Loan own, int matrixRows) {
    WinogradTiles.Inputs inputs = new WinogradTiles.Inputs(squares, x, own);
    return (image, tileRow, matrixRow) ->
        inputs.transform(image, tileRow, transformedX, matrixRow, matrixRows);
  }

  private WinogradTiles.Row outputs(FloatArrays.Loan own, int matrixRows) {
    Outputs outputs = new Outputs(own);
    return (image, tileRow, matrixRow) -> outputs.transform(image, tileRow, matrixRow, matrixRows);
  }

  /** {@code Aᵀ m A}, with bias and residual. */
  private final class Outputs {

    private final float[][] sums;
    private final float[][] verticalSums;
    private final float[][] outputs;
    private final float[] outputRow;
    private final float[] residualRow;

    Outputs(FloatArrays.Loan own) {
      int rowLength = squares.tileColumns() * outChannels;
      sums = own.arrays(IN, rowLength);
      verticalSums = own.arrays(OUT * IN, rowLength);
      outputs = own.arrays(OUT, rowLength);
      outputRow = own.array(OUT * rowLength);
      residualRow = own.array(squares.width() * outChannels);
    }

    /** For one row of squares. */
    void transform(int image, int tileRow, int matrixRow, int matrixRows) {
      int length = squares.tileColumns() * outChannels;
      for (int c = 0; c < IN; c++) {
        for (int r = 0; r < IN; r++) {
          int start = ((r * IN + c) * matrixRows + matrixRow) * outChannels;
          transformedY.buffer().get(start, sums[r], 0, length);
        }
        WinogradLoops.transformOutput(sums, verticalSums, c, IN, length);
      }
      int height = squares.height();
      for (int r = 0; r < OUT && tileRow * OUT + r < height; r++) {
        for (int c = 0; c < IN; c++) {
          System.arraycopy(verticalSums[r * IN + c], 0, sums[c], 0, length);
        }
        WinogradLoops.transformOutput(sums, outputs, 0, 1, length);
        for (int c = 0; c < OUT; c++) {
          Loops.add(outputs[c], repeatedBias, length);
          for (int t = 0; t < squares.tileColumns(); t++) {
            System.arraycopy(
                outputs[c], t * outChannels, outputRow, (t * OUT + c) * outChannels, outChannels);
          }
        }
        int rowLength = squares.width() * outChannels;
        int start = (image * height + tileRow * OUT + r) * rowLength;
        if (residual != null) {
          residual.buffer().get(start, residualRow, 0, rowLength);
          Loops.add(outputRow, residualRow, rowLength);
        }
        y.buffer().put(start, outputRow, 0, rowLength);
      }
    }
  }
}
