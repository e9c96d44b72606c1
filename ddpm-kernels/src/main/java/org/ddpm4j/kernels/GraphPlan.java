package org.ddpm4j.kernels;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;

/**
 * A SameDiff graph, compiled: an ordered list of kernels over static memory. A run allocates
 * nothing and uses the calling thread alone.
 *
 * <p>One thread at a time may run a plan; several plans can run in several threads.
 */
public final class GraphPlan implements AutoCloseable {

  private final List<Step> steps;
  private final int unchangingSteps;
  private final Map<String, Tensor> inputs;
  private final Map<String, Tensor> outputs;
  private final List<Tensor> unchangingInputs;
  private final FloatBuffer lastUnchanging;
  private boolean unchangingDone;
  private final FloatMemory memory;
  private final long memoryFloats;
  private final KernelContext context;
  private final PointerScope nativeObjects;

  /**
   * One operation of a plan.
   *
   * @param operation its name in graphs
   * @param output the name of what it makes
   * @param shape of what it makes
   * @param flops multiplications and additions of its matrix products and convolutions
   * @param kernel the computation
   */
  public record Step(
      String operation, String output, List<Long> shape, double flops, Kernel kernel) {}

  GraphPlan(
      List<Step> steps,
      int unchangingSteps,
      Map<String, Tensor> inputs,
      Map<String, Tensor> outputs,
      List<Tensor> unchangingInputs,
      FloatMemory memory,
      long memoryFloats,
      KernelContext context,
      PointerScope nativeObjects) {
    this.steps = List.copyOf(steps);
    this.unchangingSteps = unchangingSteps;
    this.inputs = Map.copyOf(inputs);
    this.outputs = Map.copyOf(outputs);
    this.unchangingInputs = List.copyOf(unchangingInputs);
    this.lastUnchanging =
        FloatBuffer.allocate(unchangingInputs.stream().mapToInt(Tensor::length).sum());
    this.memory = memory;
    this.memoryFloats = memoryFloats;
    this.context = context;
    this.nativeObjects = nativeObjects;
  }

  /**
   * Compiles a graph.
   *
   * @param request what to compile
   * @param weights the packed weights of the network, shared by its plans
   * @return the plan
   * @throws UnsupportedOperationException if the graph has an operation that plans cannot run
   */
  public static GraphPlan compile(PlanRequest request, PackedWeights weights) {
    GraphPlan[] compiled = new GraphPlan[1];
    OpenMp.singleThreaded(() -> compiled[0] = new PlanCompiler(request).compile(weights));
    return compiled[0];
  }

  /**
   * Where the caller writes an input.
   *
   * @param name of the input
   * @return its memory
   */
  public Tensor input(String name) {
    return existing(inputs, name);
  }

  /**
   * Where the caller finds an output after a run.
   *
   * @param name of the output
   * @return its memory
   */
  public Tensor output(String name) {
    return existing(outputs, name);
  }

  private static Tensor existing(Map<String, Tensor> tensors, String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "The plan knows no %s; it has %s.".formatted(name, tensors.keySet()));
    }
    return tensor;
  }

  /** Tells the plan that parameters have changed. */
  public void parametersChanged() {
    unchangingDone = false;
  }

  /** Computes the outputs and adds to the sums. */
  public void run() {
    OpenMp.singleThreaded(
        () -> {
          for (int i = firstStep(); i < steps.size(); i++) {
            steps.get(i).kernel().run();
          }
        });
  }

  /**
   * As {@link #run}, with a clock.
   *
   * @param nanoseconds for each of {@link #steps}, increased by the time that it took
   */
  public void runTimed(long[] nanoseconds) {
    OpenMp.singleThreaded(
        () -> {
          for (int i = firstStep(); i < steps.size(); i++) {
            long start = System.nanoTime();
            steps.get(i).kernel().run();
            nanoseconds[i] += System.nanoTime() - start;
          }
        });
  }

  /** Skips what would come out as it did the last time. */
  private int firstStep() {
    if (unchangingSteps == 0) {
      return 0;
    }
    boolean same = unchangingDone;
    int start = 0;
    for (Tensor input : unchangingInputs) {
      FloatBuffer before = lastUnchanging.slice(start, input.length());
      if (before.mismatch(input.buffer()) != -1) {
        same = false;
        before.put(0, input.buffer(), 0, input.length());
      }
      start += input.length();
    }
    unchangingDone = true;
    return same ? unchangingSteps : 0;
  }

  /**
   * The operations in the order of execution.
   *
   * @return one entry for each
   */
  public List<Step> steps() {
    return steps;
  }

  /**
   * The memory for inputs, outputs and everything in between.
   *
   * @return bytes outside the Java heap
   */
  public long memoryBytes() {
    return (memoryFloats + context.scratchFloats()) * Float.BYTES;
  }

  /** Gives all memory back. */
  @Override
  public void close() {
    context.close();
    memory.close();
    nativeObjects.close();
  }
}
