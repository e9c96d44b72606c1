package org.ddpm4j.kernels.plan;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * What to compile into a {@link GraphPlan}.
 *
 * @param graph the graph, or the gradient function of one; its operations are {@link
 *     org.ddpm4j.kernels.ops.FusedOp}s, and additions
 * @param inputs names and shapes of what the caller writes before each run
 * @param stationary those inputs that are mostly the same in run after run: what depends on them
 *     and on parameters alone is computed again only when one of both has changed
 * @param parameters names of the graph's variables, and where their values are for ever
 * @param outputs names of what the caller reads after each run
 * @param sums names of what is added to memory of the caller's, and where
 * @param takers names of what the caller takes as soon as it is made: given where it will lie, in
 *     floats without gaps, each makes what is then to be run; the processor alone has this
 * @param precision of convolutions
 */
public record PlanRequest(
    SameDiff graph,
    Map<String, long[]> inputs,
    Set<String> stationary,
    Map<String, Tensor> parameters,
    List<String> outputs,
    Map<String, Tensor> sums,
    Map<String, Function<Tensor, Kernel>> takers,
    Precision precision) {

  /**
   * Without takers.
   *
   * @param graph see above
   * @param inputs see above
   * @param stationary see above
   * @param parameters see above
   * @param outputs see above
   * @param sums see above
   * @param precision see above
   */
  public PlanRequest(
      SameDiff graph,
      Map<String, long[]> inputs,
      Set<String> stationary,
      Map<String, Tensor> parameters,
      List<String> outputs,
      Map<String, Tensor> sums,
      Precision precision) {
    this(graph, inputs, stationary, parameters, outputs, sums, Map.of(), precision);
  }

  /** Checks that stationary inputs are inputs. */
  public PlanRequest {
    if (!inputs.keySet().containsAll(stationary)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The stationary inputs %s are not all among the inputs %s.",
              stationary,
              inputs.keySet()));
    }
  }
}
