package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.PlanContext;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * What the kernels of one plan share. They run one after the other, on one thread that a {@link
 * Team} may help.
 */
final class CpuContext implements PlanContext {

  private final stream stream;
  private final PackedWeights packedWeights;
  private final Precision precision;
  private final List<PointerScope> nativeObjects = new ArrayList<>();
  private final FloatArrays arrays;
  private final Scratch scratch = new Scratch();
  private final Scratch converted = new Scratch();
  private final Scratch scratchpads = new Scratch();
  private final List<CpuContext> ofParts = new ArrayList<>();

  CpuContext(PackedWeights packedWeights, Precision precision) {
    this(packedWeights, precision, new stream(Onednn.engine()), new FloatArrays());
  }

  private CpuContext(
      PackedWeights packedWeights, Precision precision, stream stream, FloatArrays arrays) {
    this.packedWeights = packedWeights;
    this.arrays = arrays;
    this.precision = precision;
    this.stream = stream;
  }

  /**
   * The context of a part of a kernel that runs at the same time as its other parts: with scratch
   * memory apart from theirs. It ends with this one.
   *
   * @param i the part's number, from 0, which has this one
   * @return the same for all kernels
   */
  CpuContext ofPart(int i) {
    while (ofParts.size() < i) {
      ofParts.add(new CpuContext(packedWeights, precision, stream, arrays));
    }
    return i == 0 ? this : ofParts.get(i - 1);
  }

  /**
   * The number format of convolutions.
   *
   * @return the plan's precision
   */
  Precision precision() {
    return precision;
  }

  /**
   * The threads of the device, which know the team of a kernel that takes long.
   *
   * @return the threads that plans run on
   */
  Workers workers() {
    return packedWeights.workers();
  }

  /**
   * A call of a oneDNN primitive.
   *
   * @param primitive what to call, made with {@link Onednn#attributes}
   * @return the call, without arguments
   * @throws IllegalStateException if it would use a scratchpad that is not this context's
   */
  public DnnlCall call(primitive primitive) {
    Onednn.requireScratchpadByArgument(primitive);
    DnnlCall call = new DnnlCall(primitive, stream);
    long bytes = Onednn.scratchpadBytes(primitive);
    if (bytes > 0) {
      CpuTensor pad = scratchpads.pieces((bytes + Float.BYTES - 1) / Float.BYTES).get(0);
      call.with(DNNL_ARG_SCRATCHPAD, memory(Onednn.dense(memory.data_type.u8, bytes), pad));
    }
    return call;
  }

  /**
   * A tensor as oneDNN sees it.
   *
   * @param layout its description
   * @param tensor the memory
   * @return oneDNN's handle
   */
  public memory memory(memory.desc layout, CpuTensor tensor) {
    return new memory(layout, Onednn.engine(), tensor.pointer());
  }

  /** Copies numbers from one layout to another, and from one format to the other. */
  Kernel copying(memory.desc fromLayout, CpuTensor from, memory.desc toLayout, CpuTensor to) {
    return copying(memory(fromLayout, from), memory(toLayout, to));
  }

  /** Copies what oneDNN sees. */
  Kernel copying(memory from, memory to) {
    return call(Onednn.reorder(from.get_desc(), to.get_desc()))
        .with(DNNL_ARG_SRC, from)
        .with(DNNL_ARG_DST, to);
  }

  /** Copies all numbers of a tensor to one of the same length. */
  Kernel copying(CpuTensor from, CpuTensor to) {
    long length = from.length();
    return copying(
        Onednn.dense(from.dataType(), length), from, Onednn.dense(to.dataType(), length), to);
  }

  /**
   * A weight in the layout that a primitive wants, copied when the weights change.
   *
   * @param weight a parameter of the network
   * @param plain how it lies
   * @param wanted how it should lie
   * @return the packed weight
   */
  public memory packed(CpuTensor weight, memory.desc plain, memory.desc wanted) {
    return plain.equals(wanted) ? memory(plain, weight) : packedWeights.get(weight, plain, wanted);
  }

  /**
   * Numbers that are computed from a weight when it changes.
   *
   * @param weight a parameter of the network
   * @param kind what is computed; for one weight and kind it is done once
   * @param length of the result, in floats
   * @param computation reads the weight and writes the result
   * @return the result
   */
  public CpuTensor derived(
      CpuTensor weight, String kind, long length, BiConsumer<CpuTensor, CpuTensor> computation) {
    return packedWeights.derived(weight, kind, length, computation);
  }

  /**
   * Memory for what a kernel needs only while it runs; other kernels use the same.
   *
   * @param lengths of the pieces, in floats
   * @return the pieces, none overlapping another
   */
  public List<CpuTensor> scratch(long... lengths) {
    return scratch.pieces(lengths);
  }

  /** As {@link #scratch}, for what surrounds a kernel that has scratch memory of its own. */
  List<CpuTensor> outerScratch(long... lengths) {
    return converted.pieces(lengths);
  }

  /** {@return the arrays of this plan's kernels} */
  FloatArrays arrays() {
    return arrays;
  }

  private static final class Scratch {

    private final List<FloatMemory> blocks = new ArrayList<>();
    private long length;
    private long floats;

    List<CpuTensor> pieces(long... lengths) {
      long total = 0;
      for (long piece : lengths) {
        total += FloatMemory.roundUp(piece);
      }
      if (blocks.isEmpty() || total > length) {
        long longer = Math.max(total, 2 * length);
        blocks.add(new FloatMemory(longer));
        length = longer;
        floats += longer;
      }
      List<CpuTensor> pieces = new ArrayList<>();
      long offset = 0;
      for (long piece : lengths) {
        pieces.add(blocks.get(blocks.size() - 1).tensor(offset, piece));
        offset += FloatMemory.roundUp(piece);
      }
      return pieces;
    }

    void close() {
      blocks.forEach(FloatMemory::close);
    }
  }

  /** Keeps what was made in a scope until this is closed. */
  void own(PointerScope scope) {
    scope.extend();
    nativeObjects.add(scope);
  }

  @Override
  public <T> T preparing(Supplier<T> work) {
    // The engine must outlive the scope.
    Onednn.engine();
    List<T> made = new ArrayList<>();
    OpenMp.singleThreaded(
        () -> {
          try (PointerScope scope = new PointerScope()) {
            made.add(work.get());
            own(scope);
          }
        });
    return made.get(0);
  }

  @Override
  public Kernel kernel(FusedOp op, List<Tensor> inputs, List<Tensor> outputs) {
    return CpuKernels.kernel(op, this, tensors(inputs), tensors(outputs));
  }

  @Override
  public Kernel overwriting(FusedOp op, List<Tensor> inputs, List<Tensor> outputs) {
    if (!CpuKernels.overwrites(op)) {
      return PlanContext.super.overwriting(op, inputs, outputs);
    }
    List<CpuTensor> blank = tensors(outputs);
    blank.replaceAll(tensor -> tensor == null ? null : tensor.blank());
    return CpuKernels.kernel(op, this, tensors(inputs), blank);
  }

  private static List<CpuTensor> tensors(List<Tensor> tensors) {
    List<CpuTensor> found = new ArrayList<>();
    tensors.forEach(tensor -> found.add(tensor == null ? null : CpuTensor.of(tensor)));
    return found;
  }

  @Override
  public Kernel zeroing(Tensor tensor) {
    CpuTensor target = CpuTensor.of(tensor);
    return () -> FloatPointer.memset(target.pointer(), 0, tensor.bytes());
  }

  @Override
  public Kernel adding(Tensor summand, Tensor sum) {
    return new PairwiseKernel(
        List.of(CpuTensor.of(sum), CpuTensor.of(summand)), CpuTensor.of(sum), Loops::add);
  }

  @Override
  public Kernel handing(Tensor values, Function<Tensor, Kernel> taker) {
    return taker.apply(values);
  }

  /** On the calling thread alone: oneDNN is told so, for that thread and meanwhile. */
  @Override
  public Kernel assemble(List<Kernel> kernels) {
    Kernel all = Kernel.sequence(kernels);
    return () -> OpenMp.singleThreaded(all::run);
  }

  @Override
  public long scratchBytes() {
    long own = (scratch.floats + converted.floats + scratchpads.floats) * Float.BYTES;
    return own + ofParts.stream().mapToLong(CpuContext::scratchBytes).sum();
  }

  @Override
  public void close() {
    closeWithParts();
    stream.close();
  }

  /** But for the stream, which all have in common. */
  private void closeWithParts() {
    ofParts.forEach(CpuContext::closeWithParts);
    scratch.close();
    converted.close();
    scratchpads.close();
    nativeObjects.forEach(PointerScope::close);
  }
}
