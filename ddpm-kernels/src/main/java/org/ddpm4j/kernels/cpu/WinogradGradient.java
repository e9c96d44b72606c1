package org.ddpm4j.kernels.cpu;

import static org.ddpm4j.kernels.cpu.WinogradLoops.IN;
import static org.ddpm4j.kernels.cpu.WinogradLoops.OUT;
import static org.ddpm4j.kernels.cpu.WinogradLoops.PRODUCTS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * The gradient of {@link Winograd}, step by step backwards. From {@code V = Bᵀ d B} and {@code U =
 * G g Gᵀ} the outputs are {@code Aᵀ (V ⊙ U) A}. The gradient of the output becomes {@code M = A dy
 * Aᵀ}, for each of the 36 frequencies a matrix; those of weights and inputs are matrix products,
 * {@code dU = Vᵀ M} and {@code dV = M Uᵀ}, and then {@code Gᵀ dU G} and {@code B dV Bᵀ}. Each of
 * both takes a quarter of the multiplications of the definition.
 */
final class WinogradGradient implements Kernel {

  /** Rows of the matrix products that a run over some images has at least, if there are so many. */
  private static final int WANTED_ROWS = 128;

  /** The largest part of the gradient of transformed weights, in floats: what a cache holds. */
  private static final int PART_FLOATS = 1 << 19;

  /** Input channels of such a part come in multiples of this. */
  private static final int CHANNELS_STEP = 16;

  private final CpuContext context;
  private final double flops;
  private final WinogradTiles squares;
  private final CpuTensor x;
  private final CpuTensor dy;
  private final CpuTensor dx;
  private final CpuTensor dw;
  private final CpuTensor db;
  private final ColumnSums columnSums;
  private final RowTransforms transforms;

  /** The same, which is no longer blank. */
  private final CpuTensor sumOfWeights;

  private final CpuTensor transformedX;
  private final CpuTensor transformedDy;

  /** For each number of images. */
  private final List<List<WeightsPart>> weightsParts = new ArrayList<>();

  private final Kernel[] inputProducts;

  /** The gradient of the transformed weights of some input channels. */
  private record WeightsPart(Kernel product, CpuTensor gradient, int firstChannel) {}

  /**
   * Prepares a gradient.
   *
   * @param dx receives the gradient of the input; or null
   * @param dw the gradient of the weights is added to it; or null
   * @param db the gradient of the bias is added to it; or null
   */
  WinogradGradient(
      CpuContext context,
      CpuTensor x,
      CpuTensor weights,
      CpuTensor dy,
      CpuTensor dx,
      CpuTensor dw,
      CpuTensor db) {
    this.context = context;
    this.x = x;
    this.dy = dy;
    this.dx = dx;
    this.dw = dw;
    this.db = db;
    sumOfWeights = dw == null ? null : dw.part(0, dw.shape());
    squares = WinogradTiles.of(x, WANTED_ROWS);
    int inChannels = x.size(3);
    int outChannels = dy.size(3);
    flops = 2.0 * weights.length() * dy.length() / outChannels;
    columnSums = new ColumnSums(dy);
    transforms = new RowTransforms(squares, context.arrays());
    long mostRows = squares.matrixRows();
    int partChannels = partChannels(inChannels, outChannels);
    List<CpuTensor> scratch =
        context.scratch(
            // Some channels of the last row begin within it, and are one row as well.
            (PRODUCTS * mostRows + 1) * inChannels,
            PRODUCTS * mostRows * outChannels,
            (long) PRODUCTS * partChannels * outChannels);
    transformedX = scratch.get(0);
    transformedDy = scratch.get(1);
    inputProducts = new Kernel[squares.imagesAtOnce() + 1];
    for (int images = 0; images <= squares.imagesAtOnce(); images++) {
      weightsParts.add(new ArrayList<>());
      if (images == 0 || images != squares.imagesAtOnce() && images != squares.rest()) {
        continue;
      }
      long rows = (long) images * squares.perImage();
      for (int first = 0; dw != null && first < inChannels; first += partChannels) {
        int channels = Math.min(partChannels, inChannels - first);
        CpuTensor part = scratch.get(2).part(0, PRODUCTS, channels, outChannels);
        Kernel product = weightsProduct(rows, inChannels, first, part);
        weightsParts.get(images).add(new WeightsPart(product, part, first));
      }
      if (dx != null) {
        CpuTensor transformedWeights = Winograd.transformedWeights(context, weights);
        inputProducts[images] = inputProduct(rows, inChannels, outChannels, transformedWeights);
      }
    }
  }

  private static int partChannels(int inChannels, int outChannels) {
    int most = Math.max(1, PART_FLOATS / (PRODUCTS * outChannels));
    int parts = (inChannels + most - 1) / most;
    int steps = (inChannels + parts * CHANNELS_STEP - 1) / (parts * CHANNELS_STEP);
    return Math.min(inChannels, steps * CHANNELS_STEP);
  }

  /** {@code dU = Vᵀ M} for some input channels. */
  private Kernel weightsProduct(long rows, int inChannels, int firstChannel, CpuTensor part) {
    int channels = part.size(1);
    int outChannels = part.size(2);
    return MatrixProduct.shared(
        context,
        flops,
        PRODUCTS,
        matrices ->
            MatrixProduct.of(
                Onednn.strided(
                    new long[] {matrices, channels, rows}, rows * inChannels, 1, inChannels),
                Onednn.dense(matrices, rows, outChannels),
                Onednn.dense(matrices, channels, outChannels)),
        transformedX.part(firstChannel, PRODUCTS * rows * inChannels),
        transformedDy.part(0, PRODUCTS * rows * outChannels),
        part);
  }

  /** {@code dV = M Uᵀ}, where V was. */
  private Kernel inputProduct(long rows, int inChannels, int outChannels, CpuTensor weights) {
    return MatrixProduct.shared(
        context,
        flops,
        PRODUCTS,
        matrices ->
            MatrixProduct.of(
                Onednn.dense(matrices, rows, outChannels),
                Onednn.strided(
                    new long[] {matrices, outChannels, inChannels},
                    (long) inChannels * outChannels,
                    1,
                    outChannels),
                Onednn.dense(matrices, rows, inChannels)),
        transformedDy.part(0, PRODUCTS * rows * outChannels),
        weights,
        transformedX.part(0, PRODUCTS * rows * inChannels));
  }

  @Override
  public void run() {
    Optional<Team> team = SharedKernel.team(context, flops);
    columnSums.begin();
    for (int first = 0; first < squares.images(); first += squares.imagesAtOnce()) {
      int images = Math.min(squares.imagesAtOnce(), squares.images() - first);
      transform(team, first, images);
      if (dw != null) {
        for (WeightsPart part : weightsParts.get(images)) {
          part.product.run();
          addWeightsGradient(team, part, first == 0 ? dw : sumOfWeights);
        }
      }
      if (dx != null) {
        int rows = images * squares.perImage();
        inputProducts[images].run();
        Team.run(team, transforms.parts(team, first, images, own -> inputGradients(own, rows)));
      }
    }
    if (db != null) {
      columnSums.addTo(db);
    }
  }

  /** M, and V where it is needed. */
  private void transform(Optional<Team> team, int first, int images) {
    int rows = images * squares.perImage();
    List<Kernel> parts = new ArrayList<>();
    if (team.isEmpty()) {
      // While the rows are in the cache.
      Consumer<float[]> sum = db == null ? row -> {} : columnSums::add;
      parts.addAll(transforms.parts(team, first, images, own -> outputGradients(own, rows, sum)));
    } else {
      if (db != null) {
        parts.add(() -> columnSums.addImages(first, images));
      }
      parts.addAll(
          transforms.parts(team, first, images, own -> outputGradients(own, rows, row -> {})));
    }
    if (dw != null) {
      parts.addAll(transforms.parts(team, first, images, own -> inputs(own, rows)));
    }
    Team.run(team, parts);
  }

  private WinogradTiles.Row outputGradients(
      FloatArrays.Loan own, int matrixRows, Consumer<float[]> eachRow) {
    OutputGradients gradients = new OutputGradients(squares, dy, own);
    return (image, tileRow, matrixRow) ->
        gradients.transform(image, tileRow, eachRow, transformedDy, matrixRow, matrixRows);
  }

  private WinogradTiles.Row inputs(FloatArrays.Loan own, int matrixRows) {
    WinogradTiles.Inputs inputs = new WinogradTiles.Inputs(squares, x, own);
    return (image, tileRow, matrixRow) ->
        inputs.transform(image, tileRow, transformedX, matrixRow, matrixRows);
  }

  private WinogradTiles.Row inputGradients(FloatArrays.Loan own, int matrixRows) {
    InputGradients gradients = new InputGradients(squares, dx, own);
    return (image, tileRow, matrixRow) ->
        gradients.transform(image, tileRow, transformedX, matrixRow, matrixRows);
  }

  private void addWeightsGradient(Optional<Team> team, WeightsPart part, CpuTensor sum) {
    int count = team.map(Team::size).orElse(1);
    List<Kernel> parts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int which = i;
      parts.add(
          () ->
              WinogradLoops.addWeightsGradient(
                  part.gradient, part.firstChannel, sum, which, count));
    }
    Team.run(team, parts);
  }

  /** The sum of dy over all rows, for each column: of the images in their order. */
  private static final class ColumnSums {

    private final CpuTensor dy;
    private final float[] sums;
    private final float[] row;

    ColumnSums(CpuTensor dy) {
      this.dy = dy;
      sums = new float[dy.size(2) * dy.size(3)];
      row = new float[sums.length];
    }

    void begin() {
      Arrays.fill(sums, 0);
    }

    void add(float[] rowOfDy) {
      Loops.add(sums, rowOfDy, sums.length);
    }

    void addImages(int first, int images) {
      int height = dy.size(1);
      for (int r = first * height; r < (first + images) * height; r++) {
        dy.buffer().get(r * row.length, row);
        add(row);
      }
    }

    void addTo(CpuTensor db) {
      int channels = dy.size(3);
      double[] total = new double[channels];
      for (int i = 0; i < sums.length; i++) {
        total[i % channels] += sums[i];
      }
      ParameterGradients.add(db, total);
    }
  }

  /** {@code A dy Aᵀ} of one row of squares at a time. */
  private static final class OutputGradients {

    private final WinogradTiles squares;
    private final CpuTensor dy;
    private final int channels;
    private final float[][] rows;
    private final float[][] vertical;
    private final float[][] gathered;
    private final float[][] horizontal;

    OutputGradients(WinogradTiles squares, CpuTensor dy, FloatArrays.Loan own) {
      this.squares = squares;
      this.dy = dy;
      channels = dy.size(3);
      int length = squares.tileColumns() * channels;
      rows = own.arrays(OUT, OUT * length);
      vertical = own.arrays(IN, OUT * length);
      gathered = own.arrays(OUT, length);
      horizontal = own.arrays(IN, length);
      for (float[] row : rows) {
        Arrays.fill(row, squares.width() * channels, row.length, 0);
      }
    }

    /** Writes to {@code [36,matrixRows,C]}. */
    void transform(
        int image,
        int tileRow,
        Consumer<float[]> eachRow,
        CpuTensor to,
        int matrixRow,
        int matrixRows) {
      int rowLength = squares.width() * channels;
      for (int r = 0; r < OUT; r++) {
        int row = tileRow * OUT + r;
        if (row < squares.height()) {
          dy.buffer().get((image * squares.height() + row) * rowLength, rows[r], 0, rowLength);
          eachRow.accept(rows[r]);
        } else {
          Arrays.fill(rows[r], 0, rowLength, 0);
        }
      }
      WinogradLoops.transformOutputBackward(rows, vertical, rows[0].length);
      int length = squares.tileColumns() * channels;
      for (int r = 0; r < IN; r++) {
        for (int c = 0; c < OUT; c++) {
          for (int t = 0; t < squares.tileColumns(); t++) {
            System.arraycopy(
                vertical[r], (t * OUT + c) * channels, gathered[c], t * channels, channels);
          }
        }
        WinogradLoops.transformOutputBackward(gathered, horizontal, length);
        for (int c = 0; c < IN; c++) {
          int start = ((r * IN + c) * matrixRows + matrixRow) * channels;
          to.buffer().put(start, horizontal[c], 0, length);
        }
      }
    }
  }

  /** {@code B dV Bᵀ} of one row of squares at a time; squares overlap by two rows and columns. */
  private static final class InputGradients {

    private static final int OVERLAP = IN - OUT;

    private final WinogradTiles squares;
    private final CpuTensor dx;
    private final int channels;
    private final float[][] loaded;
    private final float[][] columns;
    private final float[] shifted;

    /** With a column before the first and, at least, one after the last. */
    private final float[][] rows;

    private final float[][] vertical;

    /** The last rows of the squares above. */
    private final float[][] overlap;

    private boolean knowsOverlap;

    InputGradients(WinogradTiles squares, CpuTensor dx, FloatArrays.Loan own) {
      this.squares = squares;
      this.dx = dx;
      channels = dx.size(3);
      int length = squares.tileColumns() * channels;
      int padded = OUT * length + OVERLAP * channels;
      loaded = own.arrays(IN, length);
      columns = own.arrays(IN, length);
      shifted = own.array(length);
      rows = own.arrays(IN, padded);
      vertical = own.arrays(IN, padded);
      overlap = own.arrays(OVERLAP, padded);
      Arrays.fill(shifted, 0, channels, 0);
    }

    /** Reads {@code [36,matrixRows,C]}; what follows is the next row of squares. */
    void transform(int image, int tileRow, CpuTensor from, int matrixRow, int matrixRows) {
      if (tileRow > 0 && !knowsOverlap) {
        transform(from, matrixRow - squares.tileColumns(), matrixRows);
        keepOverlap();
      }
      transform(from, matrixRow, matrixRows);
      if (tileRow > 0) {
        for (int r = 0; r < OVERLAP; r++) {
          Loops.add(vertical[r], overlap[r], vertical[r].length);
        }
      }
      keepOverlap();
      boolean last = tileRow == squares.tileRows() - 1;
      for (int r = 0; r < (last ? IN : OUT); r++) {
        int row = tileRow * OUT + r - 1;
        if (row >= 0 && row < squares.height()) {
          int rowLength = squares.width() * channels;
          int start = (image * squares.height() + row) * rowLength;
          dx.buffer().put(start, vertical[r], channels, rowLength);
        }
      }
    }

    private void transform(CpuTensor from, int matrixRow, int matrixRows) {
      int length = squares.tileColumns() * channels;
      for (int r = 0; r < IN; r++) {
        for (int c = 0; c < IN; c++) {
          int start = ((r * IN + c) * matrixRows + matrixRow) * channels;
          from.buffer().get(start, loaded[c], 0, length);
        }
        WinogradLoops.transformInputBackward(loaded, columns, length);
        placeColumns(rows[r]);
      }
      WinogradLoops.transformInputBackward(rows, vertical, rows[0].length);
    }

    private void keepOverlap() {
      for (int r = 0; r < OVERLAP; r++) {
        System.arraycopy(vertical[OUT + r], 0, overlap[r], 0, vertical[r].length);
      }
      knowsOverlap = true;
    }

    /** Makes one row of the columns of its squares. */
    private void placeColumns(float[] row) {
      int last = (squares.tileColumns() - 1) * channels;
      for (int c = 0; c < OVERLAP; c++) {
        float[] before = columns[OUT + c];
        System.arraycopy(before, 0, shifted, channels, last);
        Loops.add(columns[c], shifted, shifted.length);
        System.arraycopy(before, last, row, OUT * (last + channels) + c * channels, channels);
      }
      for (int c = 0; c < OUT; c++) {
        for (int t = 0; t < squares.tileColumns(); t++) {
          System.arraycopy(columns[c], t * channels, row, (t * OUT + c) * channels, channels);
        }
      }
    }
  }
}
