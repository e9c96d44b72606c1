package org.ddpm4j.kernels.cpu;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.stream;
import org.ddpm4j.kernels.plan.Kernel;

/** A oneDNN primitive with its arguments. */
public final class DnnlCall implements Kernel {

  private final primitive primitive;
  private final stream stream;
  private final IntMemoryMap arguments = new IntMemoryMap();

  DnnlCall(primitive primitive, stream stream) {
    this.primitive = primitive;
    this.stream = stream;
  }

  /**
   * Adds an argument.
   *
   * @param argument oneDNN's number for it, {@code DNNL_ARG_...}
   * @param memory what it reads or writes
   * @return this
   */
  public DnnlCall with(int argument, memory memory) {
    arguments.put(argument, memory);
    return this;
  }

  @Override
  public void run() {
    primitive.execute(stream, arguments);
  }
}
