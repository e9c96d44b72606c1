package org.ddpm4j.kernels;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.stream;

/** What the kernels of one plan share. They run one after the other, on one thread at a time. */
public final class KernelContext implements AutoCloseable {

  private final stream stream = new stream(Onednn.engine());
  private final PackedWeights packedWeights;
  private final Precision precision;
  private final List<FloatMemory> scratchBlocks = new ArrayList<>();
  private long scratchLength;
  private long scratchFloats;

  KernelContext(PackedWeights packedWeights, Precision precision) {
    this.packedWeights = packedWeights;
    this.precision = precision;
  }

  /**
   * The number format of convolutions.
   *
   * @return the plan's precision
   */
  public Precision precision() {
    return precision;
  }

  /**
   * A call of a oneDNN primitive.
   *
   * @param primitive what to call
   * @return the call, without arguments
   */
  public DnnlCall call(primitive primitive) {
    return new DnnlCall(primitive, stream);
  }

  /**
   * A tensor as oneDNN sees it.
   *
   * @param layout its description
   * @param tensor the memory
   * @return oneDNN's handle
   */
  public memory memory(memory.desc layout, Tensor tensor) {
    return new memory(layout, Onednn.engine(), tensor.pointer());
  }

  /**
   * A weight in the layout that a primitive wants, copied when the weights change.
   *
   * @param weight a parameter of the network
   * @param plain how it lies
   * @param wanted how it should lie
   * @return the packed weight
   */
  public memory packed(Tensor weight, memory.desc plain, memory.desc wanted) {
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
  public Tensor derived(
      Tensor weight, String kind, long length, BiConsumer<Tensor, Tensor> computation) {
    return packedWeights.derived(weight, kind, length, computation);
  }

  /**
   * Memory for what a kernel needs only while it runs; other kernels use the same.
   *
   * @param lengths of the pieces, in floats
   * @return the pieces, none overlapping another
   */
  public List<Tensor> scratch(long... lengths) {
    long total = 0;
    for (long length : lengths) {
      total += FloatMemory.roundUp(length);
    }
    if (scratchBlocks.isEmpty() || total > scratchLength) {
      scratchLength = Math.max(total, 2 * scratchLength);
      scratchFloats += scratchLength;
      scratchBlocks.add(new FloatMemory(scratchLength));
    }
    List<Tensor> pieces = new ArrayList<>();
    long offset = 0;
    for (long length : lengths) {
      pieces.add(scratchBlocks.get(scratchBlocks.size() - 1).tensor(offset, length));
      offset += FloatMemory.roundUp(length);
    }
    return pieces;
  }

  /** The floats of scratch memory that the plan holds. */
  long scratchFloats() {
    return scratchFloats;
  }

  @Override
  public void close() {
    scratchBlocks.forEach(FloatMemory::close);
    stream.close();
  }
}
