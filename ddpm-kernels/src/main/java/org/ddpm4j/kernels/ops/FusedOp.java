package org.ddpm4j.kernels.ops;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;

/**
 * An operation of a SameDiff graph, in FLOAT, that ddpm4j computes itself: its shapes, its
 * gradient, and what plans may do with it. How it is computed is the business of devices, each of
 * which has a kernel for it.
 *
 * <p>SameDiff builds gradient functions from serialised copies of operations, so that all settings
 * of a subclass must lie in the integer and floating arguments, and a public constructor without
 * parameters must exist; accessors read the settings back. Every subclass is listed in {@link
 * FusedOps}.
 */
public abstract class FusedOp extends DynamicCustomOp {

  /** Some bits that no hash of a native operation has. */
  private static final long HASH_OF_OURS = 0x64646D34_00000000L;

  private final int outputCount;

  /**
   * For SameDiff, which then sets the arguments.
   *
   * @param outputCount how many arrays it makes
   */
  protected FusedOp(int outputCount) {
    this.outputCount = outputCount;
  }

  /**
   * Adds the operation to a graph.
   *
   * @param outputCount how many arrays it makes
   * @param graph where it goes
   * @param inputs what it reads
   */
  protected FusedOp(int outputCount, SameDiff graph, SDVariable... inputs) {
    super(null, graph, inputs);
    this.outputCount = outputCount;
  }

  /**
   * The shapes of what it makes: that of the first input, unless an operation says otherwise.
   *
   * @param inputs shapes of what it reads
   * @return one shape for each output
   */
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  /**
   * Whether the kernel adds to an output rather than overwriting it. Gradients of parameters do, so
   * that the micro-batches of a step sum up where they are computed.
   *
   * @param output index of the output
   * @return true if it adds
   */
  public boolean addsTo(int output) {
    return false;
  }

  /**
   * The input whose memory the first output may take, where nobody reads that input afterwards.
   *
   * @return index of the input, or -1 for none
   */
  public int inPlaceInput() {
    return -1;
  }

  /**
   * The floating-point operations of its matrix products and convolutions; a multiply-add counts as
   * two.
   *
   * @param inputs shapes of what it reads
   * @return their number, 0 where there are none
   */
  public double flops(List<long[]> inputs) {
    return 0;
  }

  /**
   * The number of elements of a shape.
   *
   * @param shape sizes
   * @return their product
   */
  protected static long length(long... shape) {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /**
   * An integer setting.
   *
   * @param index its position
   * @return the value
   */
  protected final int setting(int index) {
    return Math.toIntExact(iArguments.get(index));
  }

  /**
   * The operation's name in graphs.
   *
   * @return a constant, since SameDiff asks before the constructor has ended
   */
  @Override
  public abstract String opName();

  @Override
  public final int getNumOutputs() {
    return outputCount;
  }

  @Override
  public final long opHash() {
    return HASH_OF_OURS ^ (opName().hashCode() & 0xFFFFFFFFL);
  }

  @Override
  public final Map<String, Object> propertiesForFunction() {
    return Collections.emptyMap();
  }

  @Override
  public final void setPropertiesForFunction(Map<String, Object> properties) {
    // All settings are arguments.
  }

  @Override
  public final void configureFromArguments() {
    // Settings are read when the kernel is made.
  }

  @Override
  public final List<LongShapeDescriptor> calculateOutputShape() {
    return describe(inputArguments());
  }

  @Override
  public final List<LongShapeDescriptor> calculateOutputShape(OpContext context) {
    return describe(context.getInputArrays());
  }

  private List<LongShapeDescriptor> describe(List<INDArray> inputs) {
    List<LongShapeDescriptor> shapes = new ArrayList<>();
    for (long[] shape : outputShapes(inputs.stream().map(INDArray::shape).toList())) {
      shapes.add(LongShapeDescriptor.fromShape(shape, DataType.FLOAT));
    }
    return shapes;
  }

  @Override
  public final List<DataType> calculateOutputDataTypes(List<DataType> inputs) {
    if (inputs.stream().anyMatch(type -> type != DataType.FLOAT)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "%s computes in FLOAT only; its inputs are %s.", opName(), inputs));
    }
    return Collections.nCopies(outputCount, DataType.FLOAT);
  }

  @Override
  public abstract List<SDVariable> doDiff(List<SDVariable> gradients);
}
