package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudnn.CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DETERMINISTIC;
import static org.bytedeco.cuda.global.cudnn.cudnnConvolutionBackwardData;
import static org.bytedeco.cuda.global.cudnn.cudnnConvolutionBackwardFilter;
import static org.bytedeco.cuda.global.cudnn.cudnnConvolutionBiasActivationForward;
import static org.bytedeco.cuda.global.cudnn.cudnnConvolutionForward;
import static org.bytedeco.cuda.global.cudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7;
import static org.bytedeco.cuda.global.cudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7;
import static org.bytedeco.cuda.global.cudnn.cudnnGetConvolutionForwardAlgorithm_v7;
import static org.bytedeco.cuda.global.cudnn.cudnnGetConvolutionForwardWorkspaceSize;
import static org.ddpm4j.cuda.CudnnDescriptor.check;

import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.cuda.cudnn.cudnnConvolutionBwdDataAlgoPerf_t;
import org.bytedeco.cuda.cudnn.cudnnConvolutionBwdFilterAlgoPerf_t;
import org.bytedeco.cuda.cudnn.cudnnConvolutionFwdAlgoPerf_t;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.ddpm4j.kernels.cpu.Unscoped;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * One convolution by cuDNN, for wide feature maps, whose matrix products it does at four fifths of
 * the card's rate. Algorithms are chosen by cuDNN's rules, not by timing, and only among those that
 * give the same bits every time.
 *
 * <p>By cuDNN's older interface, which its version 9 still has, or, where {@code
 * -Dddpm4j.cudnn.graph=true} asks for it, by {@link CudnnGraphConvolution} as far as that goes.
 */
@SuppressWarnings("deprecation")
final class CudnnConvolution {

  private static final String FILE = "cudnn_weights.cu";
  private static final int THREADS = 256;

  /** The channels that a block of {@code add_packed_gradient} works on. */
  private static final int TILE_INNER = 64;

  private static final int TILE_OUTER = 32;

  private static final int ALGORITHMS = 10;

  private static final int PACK_BYTES = 16;

  /** From as many channels on, cuDNN is faster than our kernels; measured on an H100. */
  private static final int WIDE = Integer.getInteger("ddpm4j.cudnn.channels", 128);

  /** Not the default before a card has run it and has been seen to be faster so. */
  private static final boolean GRAPH = Boolean.getBoolean("ddpm4j.cudnn.graph");

  private final CudaContext context;
  private final NvidiaDriver driver;
  private final Optional<CudnnGraphConvolution> graph;
  private final Tensor w;
  private final int taps;
  private final int inner;
  private final int outer;
  private final int innerPadded;
  private final int outerPadded;
  private final Supplier<CudnnLegacyDescriptors> describing;
  private final FloatPointer one = Unscoped.make(() -> new FloatPointer(1f));
  private final FloatPointer zero = Unscoped.make(() -> new FloatPointer(0f));
  private CudnnLegacyDescriptors told;

  /**
   * A convolution with symmetric padding.
   *
   * @param context of the plan
   * @param x input or its gradient
   * @param w weights, {@code [kH,kW,iC,oC]}
   * @param y output or its gradient
   * @param stride along both axes
   * @param padding on all sides
   */
  CudnnConvolution(CudaContext context, Tensor x, Tensor w, Tensor y, int stride, int padding) {
    this.context = context;
    this.driver = (NvidiaDriver) context.driver();
    this.w = w;
    taps = w.size(0) * w.size(1);
    inner = w.size(2);
    outer = w.size(3);
    innerPadded = (int) x.rowLength();
    outerPadded = (int) y.rowLength();
    graph =
        GRAPH
            ? Optional.of(new CudnnGraphConvolution(context, x, w, y, stride, padding))
            : Optional.empty();
    describing = () -> new CudnnLegacyDescriptors(context, x, w, y, stride, padding);
  }

  /**
   * Whether a convolution with these operands is one for cuDNN. In float32 our kernels are faster,
   * which the matrix units do exactly enough.
   */
  static boolean isFor(
      CudaContext context, Tensor x, Tensor w, Tensor y, ConvolutionGeometry geometry) {
    return context.driver() instanceof NvidiaDriver
        && context.precision() != Precision.FLOAT32
        && geometry.padding() == geometry.endPadding()
        && x.type() == y.type()
        && x.rowLength() >= WIDE
        && y.rowLength() >= WIDE
        && Math.min(w.size(2), w.size(3)) >= WIDE;
  }

  /** Made when they are first needed, which they are not where the graph interface serves. */
  private CudnnLegacyDescriptors told() {
    if (told == null) {
      told = describing.get();
    }
    return told;
  }

  private long packedWeights() {
    return packed(context, w, innerPadded, outerPadded);
  }

  /** Weights {@code [kH,kW,iC,oC]} as cuDNN wants them, {@code [oC padded,kH,kW,iC padded]}. */
  static long packed(CudaContext context, Tensor w, int innerPadded, int outerPadded) {
    int taps = w.size(0) * w.size(1);
    long elements = (long) outerPadded * taps * innerPadded;
    return context.packed(
        w,
        "cudnn" + innerPadded + "x" + outerPadded,
        elements * context.elementBytes(),
        address ->
            context.packing(
                FILE,
                "pack_weights",
                elements,
                w.address(),
                address,
                taps,
                w.size(2),
                w.size(3),
                innerPadded,
                outerPadded));
  }

  /** Adds a gradient of cuDNN's layout, at an address, to that of weights. */
  static Kernel addingGradient(CudaContext context, long packed, int innerPadded, Tensor dw) {
    int taps = dw.size(0) * dw.size(1);
    int inner = dw.size(2);
    int outer = dw.size(3);
    int tiles =
        taps
            * ConvolutionLookup.ceil(inner, TILE_INNER)
            * ConvolutionLookup.ceil(outer, TILE_OUTER);
    return context.launch(
        FILE,
        "add_packed_gradient",
        Launch.of(tiles, THREADS),
        packed,
        dw,
        taps,
        inner,
        outer,
        innerPadded);
  }

  private long paddedBias(Tensor values) {
    return context.packed(
        values,
        "padded" + outerPadded,
        (long) outerPadded * context.elementBytes(),
        address ->
            context.packing(
                FILE, "pad_bias", outerPadded, values.address(), address, outer, outerPadded));
  }

  /** {@code y = convolution of x + bias (+ residual)}; the residual may be null. */
  Kernel forward(Tensor input, Tensor biasValues, Tensor residual, Tensor output) {
    return graph
        .flatMap(g -> g.forward(input, packedWeights(), paddedBias(biasValues), residual, output))
        .orElseGet(() -> forwardByAlgorithm(input, biasValues, residual, output));
  }

  private Kernel forwardByAlgorithm(
      Tensor input, Tensor biasValues, Tensor residual, Tensor output) {
    IntSupplier fused = fusedForward(input, biasValues, residual, output);
    // Not for every number format, which no table of cuDNN's tells reliably.
    return fused.getAsInt() == 0
        ? () -> check(fused.getAsInt())
        : Kernel.sequence(
            List.of(plainForward(input, output), addingBias(biasValues, residual, output)));
  }

  private IntSupplier fusedForward(
      Tensor input, Tensor biasValues, Tensor residual, Tensor output) {
    CudnnLegacyDescriptors told = told();
    int algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
    SizeTPointer size = new SizeTPointer(1);
    int refusal =
        cudnnGetConvolutionForwardWorkspaceSize(
            handle(), told.x(), told.filter(), told.convolution(), told.y(), algorithm, size);
    if (refusal != 0) {
      return () -> refusal;
    }
    long workspaceBytes = size.get();
    Address workspace = new Address(context.scratch(workspaceBytes));
    Address from = new Address(input.address());
    Address to = new Address(output.address());
    Address weights = new Address(packedWeights());
    Address summand = new Address((residual == null ? output : residual).address());
    Address shift = new Address(paddedBias(biasValues));
    FloatPointer share = residual == null ? zero : one;
    return () ->
        cudnnConvolutionBiasActivationForward(
            handle(),
            one,
            told.x(),
            from,
            told.filter(),
            weights,
            told.convolution(),
            algorithm,
            workspace,
            workspaceBytes,
            share,
            told.y(),
            summand,
            told.bias(),
            shift,
            told.identity(),
            told.y(),
            to);
  }

  private Kernel plainForward(Tensor input, Tensor output) {
    CudnnLegacyDescriptors told = told();
    cudnnConvolutionFwdAlgoPerf_t found = new cudnnConvolutionFwdAlgoPerf_t(ALGORITHMS);
    int[] count = new int[1];
    check(
        cudnnGetConvolutionForwardAlgorithm_v7(
            handle(),
            told.x(),
            told.filter(),
            told.convolution(),
            told.y(),
            ALGORITHMS,
            count,
            found));
    int chosen =
        firstDeterministic(
            count[0], i -> found.position(i).status(), i -> found.position(i).determinism());
    int algorithm = found.position(chosen).algo();
    long workspaceBytes = found.memory();
    Address workspace = new Address(context.scratch(workspaceBytes));
    Address weights = new Address(packedWeights());
    Address from = new Address(input.address());
    Address to = new Address(output.address());
    return () ->
        check(
            cudnnConvolutionForward(
                handle(),
                one,
                told.x(),
                from,
                told.filter(),
                weights,
                told.convolution(),
                algorithm,
                workspace,
                workspaceBytes,
                zero,
                told.y(),
                to));
  }

  private Kernel addingBias(Tensor biasValues, Tensor residual, Tensor output) {
    long packs = output.bytes() / PACK_BYTES;
    return context.launch(
        FILE,
        "add_bias",
        Launch.forElements(packs, THREADS),
        output,
        paddedBias(biasValues),
        residual,
        packs,
        outerPadded);
  }

  private cudnnContext handle() {
    return driver.cudnn();
  }

  /** The gradient of x, to which the residual is added if it is not null; it may lie in dx. */
  Kernel dataGradient(Tensor dy, Tensor residual, Tensor dx) {
    return graph
        .flatMap(g -> g.dataGradient(dy, packedWeights(), residual, dx))
        .orElseGet(() -> dataGradientByAlgorithm(dy, residual, dx));
  }

  private Kernel dataGradientByAlgorithm(Tensor dy, Tensor residual, Tensor dx) {
    if (residual != null && residual.address() != dx.address()) {
      Kernel copying = () -> context.driver().copy(residual.address(), dx.address(), dx.bytes());
      return Kernel.sequence(List.of(copying, dataGradientByAlgorithm(dy, dx, dx)));
    }
    CudnnLegacyDescriptors told = told();
    cudnnConvolutionBwdDataAlgoPerf_t found = new cudnnConvolutionBwdDataAlgoPerf_t(ALGORITHMS);
    int[] count = new int[1];
    check(
        cudnnGetConvolutionBackwardDataAlgorithm_v7(
            handle(),
            told.filter(),
            told.y(),
            told.convolution(),
            told.x(),
            ALGORITHMS,
            count,
            found));
    int chosen =
        firstDeterministic(
            count[0], i -> found.position(i).status(), i -> found.position(i).determinism());
    int algorithm = found.position(chosen).algo();
    long workspaceBytes = found.memory();
    Address workspace = new Address(context.scratch(workspaceBytes));
    Address weights = new Address(packedWeights());
    Address from = new Address(dy.address());
    Address to = new Address(dx.address());
    FloatPointer share = residual == null ? zero : one;
    return () ->
        check(
            cudnnConvolutionBackwardData(
                handle(),
                one,
                told.filter(),
                weights,
                told.y(),
                from,
                told.convolution(),
                algorithm,
                workspace,
                workspaceBytes,
                share,
                told.x(),
                to));
  }

  /** The first of the algorithms that cuDNN proposes, the fastest before, that will do. */
  private static int firstDeterministic(
      int count, IntUnaryOperator status, IntUnaryOperator determinism) {
    return IntStream.range(0, count)
        .filter(i -> status.applyAsInt(i) == 0)
        .filter(i -> determinism.applyAsInt(i) == CUDNN_DETERMINISTIC)
        .findFirst()
        .orElseThrow(
            () -> new CudaException("cuDNN has no deterministic algorithm for a convolution."));
  }

  /** Adds the gradient of the weights to {@code dw}. */
  Kernel weightGradient(Tensor input, Tensor dy, Tensor dw) {
    return graph
        .flatMap(g -> g.weightGradient(input, dy))
        .map(
            packed ->
                Kernel.sequence(
                    List.of(
                        packed.product(),
                        addingGradient(context, packed.address(), innerPadded, dw))))
        .orElseGet(() -> weightGradientByAlgorithm(input, dy, dw));
  }

  private Kernel weightGradientByAlgorithm(Tensor input, Tensor dy, Tensor dw) {
    CudnnLegacyDescriptors told = told();
    cudnnConvolutionBwdFilterAlgoPerf_t found = new cudnnConvolutionBwdFilterAlgoPerf_t(ALGORITHMS);
    int[] count = new int[1];
    check(
        cudnnGetConvolutionBackwardFilterAlgorithm_v7(
            handle(),
            told.x(),
            told.y(),
            told.convolution(),
            told.filter(),
            ALGORITHMS,
            count,
            found));
    int chosen =
        firstDeterministic(
            count[0], i -> found.position(i).status(), i -> found.position(i).determinism());
    int algorithm = found.position(chosen).algo();
    long workspaceBytes = found.memory();
    long gradientBytes =
        CudaContext.roundUp((long) outerPadded * taps * innerPadded * context.elementBytes());
    long scratch = context.scratch(gradientBytes + workspaceBytes);
    Address gradient = new Address(scratch);
    Address workspace = new Address(scratch + gradientBytes);
    Address from = new Address(input.address());
    Address slopes = new Address(dy.address());
    Kernel adding = addingGradient(context, scratch, innerPadded, dw);
    return () -> {
      check(
          cudnnConvolutionBackwardFilter(
              handle(),
              one,
              told.x(),
              from,
              told.y(),
              slopes,
              told.convolution(),
              algorithm,
              workspace,
              workspaceBytes,
              zero,
              told.filter(),
              gradient));
      adding.run();
    };
  }
}
