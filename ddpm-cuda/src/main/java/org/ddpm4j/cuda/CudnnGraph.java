package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_COMP_TYPE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_CONV_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_DILATIONS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_POST_PADDINGS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINECFG_ENGINE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_RESULTS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINE_NUMERICAL_NOTE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATIONGRAPH_OPS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_POINTWISE_BDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_POINTWISE_XDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_POINTWISE_YDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_POINTWISE_MATH_PREC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_POINTWISE_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_DATA_TYPE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_DIMENSIONS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_IS_VIRTUAL;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_STRIDES;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_UNIQUE_ID;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_ENGINE_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_POINTWISE_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_TENSOR_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_CROSS_CORRELATION;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_HEUR_MODE_A;
import static org.bytedeco.cuda.global.cudnn.CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_POINTWISE_ADD;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_CONVOLUTION_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_DATA_TYPE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_HEUR_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_NUMERICAL_NOTE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_POINTWISE_MODE;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A convolution, or one of its gradients, and what is added to its result before that is written:
 * operations that cuDNN computes in one kernel. Maps are channels last, weights {@code
 * [oC,kH,kW,iC]} in memory; as everywhere in cuDNN, sizes are told in the order N, C, H, W.
 */
final class CudnnGraph implements AutoCloseable {

  /** What all addresses are multiples of. */
  private static final int ALIGNMENT = 16;

  /** Of cuDNN's proposals, the fastest by its own estimate first. */
  private static final int PROPOSALS = 16;

  private final CudnnCard card;
  private final List<CudnnDescriptor> descriptors = new ArrayList<>();
  private final List<CudnnDescriptor> operations = new ArrayList<>();
  private final List<Operand> operands = new ArrayList<>();
  private final CudnnDescriptor convolution;

  /**
   * A graph without operations.
   *
   * @param card for which it is planned
   * @param stride along both axes
   * @param padding on all sides
   */
  CudnnGraph(CudnnCard card, int stride, int padding) {
    this.card = card;
    convolution =
        added(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)
            .withChoice(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
            .withChoice(
                CUDNN_ATTR_CONVOLUTION_CONV_MODE,
                CUDNN_TYPE_CONVOLUTION_MODE,
                CUDNN_CROSS_CORRELATION)
            .with(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2)
            .with(CUDNN_ATTR_CONVOLUTION_DILATIONS, 1, 1)
            .with(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, stride, stride)
            .with(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding, padding)
            .with(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding, padding)
            .made();
  }

  /**
   * What an operation reads or writes.
   *
   * @param descriptor for cuDNN
   * @param id among the graph's
   * @param sizes N, C, H and W
   * @param isInMemory and does not stay in registers
   */
  record Operand(CudnnDescriptor descriptor, long id, long[] sizes, boolean isInMemory) {}

  private CudnnDescriptor added(int type) {
    CudnnDescriptor descriptor = new CudnnDescriptor(type);
    descriptors.add(descriptor);
    return descriptor;
  }

  private Operand operand(boolean isInMemory, int type, long... sizes) {
    long channels = sizes[1];
    long height = sizes[2];
    long width = sizes[3];
    long id = operands.size() + 1L;
    CudnnDescriptor descriptor =
        added(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
            .withChoice(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type)
            .with(CUDNN_ATTR_TENSOR_DIMENSIONS, sizes)
            .with(
                CUDNN_ATTR_TENSOR_STRIDES, height * width * channels, 1, width * channels, channels)
            .with(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
            .with(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, ALIGNMENT)
            .withFlag(CUDNN_ATTR_TENSOR_IS_VIRTUAL, !isInMemory)
            .made();
    Operand operand = new Operand(descriptor, id, sizes, isInMemory);
    operands.add(operand);
    return operand;
  }

  /**
   * A map, or weights.
   *
   * @param type of cuDNN's data types
   * @param sizes N, C, H, W, or oC, iC, kH, kW
   */
  Operand inMemory(int type, long... sizes) {
    return operand(true, type, sizes);
  }

  /** A result that is read by the next operation alone, in float32. */
  Operand passedOn(Operand like) {
    return operand(false, CUDNN_DATA_FLOAT, like.sizes);
  }

  /** {@code y = convolution of x}. */
  void forward(Operand x, Operand w, Operand y) {
    operations.add(
        added(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
            .withFactor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1)
            .withFactor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w.descriptor)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x.descriptor)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y.descriptor)
            .made());
  }

  /**
   * {@code dx = gradient by x}, or that added to it.
   *
   * @param share of what {@code dx} is before, 0 or 1
   */
  void dataGradient(Operand dy, Operand w, float share, Operand dx) {
    operations.add(
        added(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR)
            .withFactor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1)
            .withFactor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, share)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, w.descriptor)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, dx.descriptor)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, dy.descriptor)
            .made());
  }

  /** {@code dw = gradient by w}. */
  void weightGradient(Operand x, Operand dy, Operand dw) {
    operations.add(
        added(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR)
            .withFactor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1)
            .withFactor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, convolution)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, dw.descriptor)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x.descriptor)
            .with(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, dy.descriptor)
            .made());
  }

  /** {@code sum = a + b}, where sizes of 1 in b are repeated. */
  void add(Operand a, Operand b, Operand sum) {
    CudnnDescriptor addition =
        added(CUDNN_BACKEND_POINTWISE_DESCRIPTOR)
            .withChoice(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, CUDNN_POINTWISE_ADD)
            .withChoice(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
            .made();
    operations.add(
        added(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
            .with(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, addition)
            .with(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, a.descriptor)
            .with(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b.descriptor)
            .with(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, sum.descriptor)
            .made());
  }

  /**
   * The first of cuDNN's proposals that it can carry out and that gives the same bits every time;
   * none where it has none. By its rules, not by timing, for the same reason.
   */
  Optional<CudnnPlan> plan() {
    CudnnDescriptor graph =
        added(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)
            .with(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations.toArray(CudnnDescriptor[]::new));
    card.tellGraph(graph);
    if (!graph.canBeMade()) {
      return Optional.empty();
    }
    CudnnDescriptor heuristics =
        added(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)
            .with(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
            .withChoice(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A);
    card.tellHeuristics(heuristics);
    if (!heuristics.canBeMade()) {
      return Optional.empty();
    }
    List<CudnnDescriptor> proposals =
        Stream.generate(() -> added(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)).limit(PROPOSALS).toList();
    return heuristics.fill(CUDNN_ATTR_ENGINEHEUR_RESULTS, proposals).stream()
        .flatMap(proposal -> planOf(proposal).stream())
        .findFirst();
  }

  private Optional<CudnnPlan> planOf(CudnnDescriptor proposal) {
    CudnnDescriptor engine = added(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    proposal.fill(CUDNN_ATTR_ENGINECFG_ENGINE, List.of(engine));
    if (engine.lists(
        CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
        CUDNN_TYPE_NUMERICAL_NOTE,
        CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) {
      return Optional.empty();
    }
    CudnnDescriptor plan =
        added(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)
            .with(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, proposal);
    card.tellPlan(plan);
    if (!plan.canBeMade()) {
      return Optional.empty();
    }
    List<Operand> inMemory = operands.stream().filter(Operand::isInMemory).toList();
    return Optional.of(new CudnnPlan(plan, inMemory));
  }

  /** Frees the graph and its plan, the last descriptors, which refer to the others, first. */
  @Override
  public void close() {
    for (int i = descriptors.size() - 1; i >= 0; i--) {
      descriptors.get(i).close();
    }
    descriptors.clear();
  }
}
