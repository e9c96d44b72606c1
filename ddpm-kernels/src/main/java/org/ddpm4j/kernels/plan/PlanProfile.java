package org.ddpm4j.kernels.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * How long the operations of plans take. Plans of several threads may be measured at the same time;
 * their times add up.
 */
public final class PlanProfile {

  private final Map<Operation, Cost> costs = new LinkedHashMap<>();

  /** An empty profile. */
  public PlanProfile() {}

  /**
   * One operation of a graph, for one size of micro-batch.
   *
   * @param kind the operation's name in graphs
   * @param output the name of what it makes
   * @param shape of what it makes
   */
  public record Operation(String kind, String output, List<Long> shape) {

    /** Copies the shape. */
    public Operation {
      shape = List.copyOf(shape);
    }
  }

  /**
   * What was measured.
   *
   * @param runs how often
   * @param nanoseconds of all runs and threads together
   * @param flops of all runs together, of matrix products and convolutions; a multiply-add counts
   *     as two
   * @param bytes of all runs together, of what operations read and make; what one reads twice
   *     counts once
   */
  public record Cost(long runs, long nanoseconds, double flops, double bytes) {

    /** Of what was never run. */
    public static final Cost NONE = new Cost(0, 0, 0, 0);

    /**
     * The sum.
     *
     * @param other what else was measured
     * @return both together
     */
    public Cost plus(Cost other) {
      return new Cost(
          runs + other.runs,
          nanoseconds + other.nanoseconds,
          flops + other.flops,
          bytes + other.bytes);
    }

    /**
     * The rate of one thread.
     *
     * @return 10⁹ floating-point operations per second, 0 where no time was spent
     */
    public double gigaflops() {
      return nanoseconds == 0 ? 0 : flops / nanoseconds;
    }

    /**
     * The rate of one thread.
     *
     * @return 10⁹ bytes per second, 0 where no time was spent
     */
    public double gigabytes() {
      return nanoseconds == 0 ? 0 : bytes / nanoseconds;
    }
  }

  /**
   * Runs a plan and measures its operations.
   *
   * @param plan nobody else may run it at the same time
   */
  public void run(GraphPlan plan) {
    List<GraphPlan.Step> steps = plan.steps();
    long[] nanoseconds = new long[steps.size()];
    plan.runTimed(nanoseconds);
    synchronized (costs) {
      for (int i = 0; i < nanoseconds.length; i++) {
        // A plan skips what has not changed since its last run.
        if (nanoseconds[i] > 0) {
          GraphPlan.Step step = steps.get(i);
          costs.merge(
              new Operation(step.operation(), step.output(), step.shape()),
              new Cost(1, nanoseconds[i], step.flops(), step.bytes()),
              Cost::plus);
        }
      }
    }
  }

  /**
   * Everything together.
   *
   * @return the sum over all operations
   */
  public Cost total() {
    synchronized (costs) {
      return costs.values().stream().reduce(Cost.NONE, Cost::plus);
    }
  }

  /**
   * The single operations.
   *
   * @return their costs, the slowest first
   */
  public Map<Operation, Cost> byOperation() {
    return slowestFirst(Function.identity());
  }

  /**
   * The kinds of operation.
   *
   * @return the costs of all operations of a kind together, the slowest kind first
   */
  public Map<String, Cost> byKind() {
    return slowestFirst(Operation::kind);
  }

  private <K> Map<K, Cost> slowestFirst(Function<Operation, K> key) {
    Map<K, Cost> sums = new LinkedHashMap<>();
    synchronized (costs) {
      costs.forEach((operation, cost) -> sums.merge(key.apply(operation), cost, Cost::plus));
    }
    List<Map.Entry<K, Cost>> entries = new ArrayList<>(sums.entrySet());
    entries.sort(
        Comparator.comparingLong((Map.Entry<K, Cost> entry) -> entry.getValue().nanoseconds())
            .reversed());
    Map<K, Cost> sorted = new LinkedHashMap<>();
    entries.forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
    return sorted;
  }
}
