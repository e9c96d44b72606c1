package org.ddpm4j.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.GroupNormGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.PlanContext;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;

/** What the kernels of one plan share. They run one after the other, in the card's stream. */
final class CudaContext implements PlanContext {

  /** What cudaMalloc aligns to. */
  static final int ALIGNMENT = 256;

  private final CudaDriver driver;
  private final CudaWeightCache weights;
  private final Precision precision;
  private final List<Long> constants = new ArrayList<>();
  private final List<Long> scratchBlocks = new ArrayList<>();
  private final List<RecordedGraph> graphs = new ArrayList<>();
  private final List<Runnable> endings = new ArrayList<>();

  /** Of parameters' gradients, to be made when the plan ends. */
  private final List<GroupNormKernels.ParameterSums> postponed = new ArrayList<>();

  private boolean isPostponing;
  private long scratchLength;
  private long scratchTotal;

  CudaContext(CudaDriver driver, CudaWeightCache weights, Precision precision) {
    this.driver = driver;
    this.weights = weights;
    this.precision = precision;
  }

  CudaDriver driver() {
    return driver;
  }

  Precision precision() {
    return precision;
  }

  /** Whether feature maps are kept in bfloat16. */
  boolean isBfloat16() {
    return precision == Precision.BFLOAT16;
  }

  int multiprocessors() {
    return driver.multiprocessors();
  }

  int sharedMemoryPerBlock() {
    return driver.sharedMemoryPerBlock();
  }

  /** The bytes of an element of a feature map. */
  int elementBytes() {
    return isBfloat16() ? 2 : 4;
  }

  /** What all sources are told: how feature maps are kept and how products are formed. */
  List<String> defines() {
    return switch (precision) {
      case FLOAT32 -> List.of("ELEMENT_FLOAT", "PRODUCT_F32");
      case TFLOAT32 -> List.of("ELEMENT_FLOAT", "PRODUCT_TF32");
      case BFLOAT16 -> List.of("ELEMENT_BFLOAT16", "PRODUCT_BF16");
    };
  }

  /**
   * A kernel with its arguments.
   *
   * @param file one of our sources
   * @param kernel its name there
   * @param launch how many threads
   * @param arguments tensors, {@code Long} addresses and nulls become pointers, numbers numbers
   */
  Kernel launch(String file, String kernel, Launch launch, Object... arguments) {
    CudaFunction function = driver.function(file, kernel, defines());
    CudaArguments bound = new CudaArguments(arguments);
    return () -> driver.launch(function, launch, bound);
  }

  /** As {@link #launch}, for sources that know feature maps of float alone. */
  Kernel launchFloat(String file, String kernel, Launch launch, Object... arguments) {
    CudaFunction function = driver.function(file, kernel, List.of("ELEMENT_FLOAT", "PRODUCT_F32"));
    CudaArguments bound = new CudaArguments(arguments);
    return () -> driver.launch(function, launch, bound);
  }

  /**
   * Memory for what a kernel needs only while it runs; other kernels use the same.
   *
   * @param bytes in total
   * @return its address
   */
  long scratch(long bytes) {
    if (scratchBlocks.isEmpty() || bytes > scratchLength) {
      scratchLength = Math.max(bytes, 2 * scratchLength);
      scratchTotal += scratchLength;
      scratchBlocks.add(driver.allocate(scratchLength));
    }
    return scratchBlocks.get(scratchBlocks.size() - 1);
  }

  /**
   * Numbers that kernels read, for as long as the plan lives.
   *
   * @return their address
   */
  long constant(double... values) {
    ByteBuffer bytes = buffer(values.length * Double.BYTES);
    bytes.asDoubleBuffer().put(values);
    return constant(bytes);
  }

  /**
   * Whole numbers that kernels read, for as long as the plan lives.
   *
   * @return their address
   */
  long constant(LongStream values) {
    long[] all = values.toArray();
    ByteBuffer bytes = buffer(all.length * Long.BYTES);
    bytes.asLongBuffer().put(all);
    return constant(bytes);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  private long constant(ByteBuffer bytes) {
    long address = driver.allocate(bytes.capacity());
    constants.add(address);
    driver.upload(bytes, address);
    return address;
  }

  /** The bytes of what {@link #scratch} gives. */
  long scratchLength() {
    return scratchLength;
  }

  static long roundUp(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** One row of a packing kernel's table. */
  WeightPacking packing(String file, String kernel, long elements, Number... row) {
    return new WeightPacking(file, kernel, defines(), elements, List.of(row));
  }

  /** A weight in another layout, packed again whenever weights have changed. */
  long packed(Tensor weight, String kind, long bytes, LongFunction<WeightPacking> packing) {
    return weights.packed(weight, kind + precision, bytes, packing);
  }

  /** Weights are packed in the end, when all that is needed is being compiled. */
  @Override
  public <T> T preparing(Supplier<T> work) {
    return weights.packingAfter(work);
  }

  @Override
  public Kernel kernel(FusedOp op, List<Tensor> inputs, List<Tensor> outputs) {
    return CudaKernels.kernel(op, this, inputs, outputs);
  }

  @Override
  public Kernel beginning(FusedOp op, List<Tensor> inputs, List<Tensor> outputs) {
    isPostponing = true;
    try {
      return kernel(op, inputs, outputs);
    } finally {
      isPostponing = false;
    }
  }

  /** Whether the sums over images of what the current operation makes can wait. */
  boolean isPostponing() {
    return isPostponing;
  }

  void postpone(GroupNormKernels.ParameterSums sums) {
    postponed.add(sums);
  }

  /** One launch for all normalisations instead of one each, which cost more than they do. */
  @Override
  public Optional<Ending> ending() {
    if (postponed.isEmpty()) {
      return Optional.empty();
    }
    long bytes = postponed.stream().mapToLong(GroupNormKernels.ParameterSums::bytes).sum();
    Kernel all = GroupNormKernels.parameters(this, postponed);
    return Optional.of(new Ending(new GroupNormGradient().opName(), bytes, all));
  }

  /**
   * Memory that keeps what a kernel writes until the plan has ended.
   *
   * @return its address
   */
  long kept(long bytes) {
    long address = driver.allocate(bytes);
    scratchTotal += bytes;
    constants.add(address);
    return address;
  }

  /**
   * What the plan's kernels hold of a library is given back when they run no more.
   *
   * @param ending gives it back
   */
  void atEnd(Runnable ending) {
    endings.add(ending);
  }

  @Override
  public Kernel zeroing(Tensor tensor) {
    long bytes = tensor.bytes();
    return () -> driver.zero(tensor.address(), bytes);
  }

  @Override
  public Kernel adding(Tensor summand, Tensor sum) {
    return ElementwiseKernels.adding(this, summand, sum);
  }

  /**
   * A graph, recorded when it runs for the second time. The first time, kernels run one by one:
   * libraries load some of what they launch when they first do, which CUDA may refuse while a graph
   * is recorded.
   */
  @Override
  public Kernel assemble(List<Kernel> kernels) {
    if (kernels.isEmpty()) {
      return () -> {};
    }
    RecordedGraph graph = new RecordedGraph(driver);
    graphs.add(graph);
    boolean[] haveRun = new boolean[1];
    return () -> {
      if (haveRun[0]) {
        graph.run(0, () -> kernels);
      } else {
        kernels.forEach(Kernel::run);
        haveRun[0] = true;
      }
    };
  }

  @Override
  public long scratchBytes() {
    return scratchTotal;
  }

  @Override
  public void close() {
    graphs.forEach(RecordedGraph::close);
    graphs.clear();
    endings.forEach(Runnable::run);
    endings.clear();
    scratchBlocks.forEach(driver::free);
    scratchBlocks.clear();
    constants.forEach(driver::free);
    constants.clear();
  }
}
