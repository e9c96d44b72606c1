package org.ddpm4j.kernels.plan;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A SameDiff graph, compiled: an ordered list of kernels over static memory. A run allocates
 * nothing and uses the calling thread, which on a processor others may help.
 *
 * <p>One thread at a time may run a plan; several plans can run in several threads.
 */
public final class GraphPlan implements AutoCloseable {

  private final Program program;
  private final PlanContext context;
  private final Device device;
  private final DeviceMemory memory;
  private final Kernel whole;
  private final Kernel changing;
  private final Map<String, FloatBuffer> lastStationary = new HashMap<>();
  private boolean stationaryDone;

  /**
   * What a plan does.
   *
   * @param steps in order
   * @param stationarySteps how many of the first depend on stationary inputs and parameters alone
   * @param inputs what the caller writes
   * @param outputs what the caller reads
   * @param stationaryInputs names of inputs that are mostly the same in run after run
   */
  record Program(
      List<Step> steps,
      int stationarySteps,
      Map<String, Tensor> inputs,
      Map<String, Tensor> outputs,
      Set<String> stationaryInputs) {}

  /**
   * One operation of a plan.
   *
   * @param operation its name in graphs
   * @param output the name of what it makes
   * @param shape of what it makes
   * @param flops multiplications and additions of its matrix products and convolutions
   * @param bytes of what it reads and makes, each array once
   * @param kernel the computation
   */
  public record Step(
      String operation, String output, List<Long> shape, double flops, long bytes, Kernel kernel) {}

  GraphPlan(Program program, PlanContext context, Device device, DeviceMemory memory) {
    this.program = program;
    this.context = context;
    this.device = device;
    this.memory = memory;
    List<Kernel> kernels = program.steps.stream().map(Step::kernel).toList();
    whole = context.assemble(kernels);
    changing = context.assemble(kernels.subList(program.stationarySteps, kernels.size()));
  }

  /**
   * Compiles a graph.
   *
   * @param request what to compile
   * @param device what it will run on
   * @param weights of the network, shared by its plans
   * @return the plan
   * @throws UnsupportedOperationException if the graph has an operation that plans cannot run
   */
  public static GraphPlan compile(PlanRequest request, Device device, WeightCache weights) {
    return new PlanCompiler(request, device).compile(weights);
  }

  /**
   * Where the caller writes an input.
   *
   * @param name of the input
   * @return its memory
   */
  public Tensor input(String name) {
    return existing(program.inputs, name);
  }

  /**
   * Where the caller finds an output after a run.
   *
   * @param name of the output
   * @return its memory
   */
  public Tensor output(String name) {
    return existing(program.outputs, name);
  }

  private static Tensor existing(Map<String, Tensor> tensors, String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "The plan knows no %s; it has %s.", name, tensors.keySet()));
    }
    return tensor;
  }

  /** Tells the plan that parameters have changed. */
  public void parametersChanged() {
    stationaryDone = false;
  }

  /**
   * Writes an input.
   *
   * @param name of the input
   * @param values where its values are, in the host's memory
   * @param offset of the first in the buffer, whatever its position
   */
  public void setInput(String name, FloatBuffer values, int offset) {
    Tensor input = input(name);
    FloatBuffer given = values.duplicate().limit(offset + input.length()).position(offset);
    if (program.stationaryInputs.contains(name)) {
      FloatBuffer last = lastStationary.get(name);
      if (last != null && last.mismatch(given) == -1) {
        return;
      }
      lastStationary.put(name, FloatBuffer.allocate(input.length()).put(given.duplicate()).flip());
      stationaryDone = false;
    }
    device.upload(given, input);
  }

  /**
   * Reads an output after a run.
   *
   * @param name of the output
   * @param to where its values go, in the host's memory
   * @param offset of the first in the buffer, whatever its position
   */
  public void getOutput(String name, FloatBuffer to, int offset) {
    Tensor output = output(name);
    device.download(output, to.duplicate().limit(offset + output.length()).position(offset));
  }

  /** Computes the outputs and adds to the sums. */
  public void run() {
    if (stationaryDone) {
      changing.run();
    } else {
      whole.run();
      stationaryDone = true;
    }
  }

  /**
   * As {@link #run}, with a clock.
   *
   * @param nanoseconds for each of {@link #steps}, increased by the time that it took
   */
  public void runTimed(long[] nanoseconds) {
    int first = stationaryDone ? program.stationarySteps : 0;
    stationaryDone = true;
    device.runTimed(
        program.steps.stream().map(Step::kernel).toList().subList(first, program.steps.size()),
        (step, time) -> nanoseconds[first + step] += time);
  }

  /** {@return the operations in the order of execution, one entry for each} */
  public List<Step> steps() {
    return program.steps;
  }

  /** {@return the memory for inputs, outputs and everything in between, in bytes of the device} */
  public long memoryBytes() {
    return memory.bytes() + context.scratchBytes();
  }

  /** Gives all memory back. */
  @Override
  public void close() {
    context.close();
    memory.close();
  }
}
