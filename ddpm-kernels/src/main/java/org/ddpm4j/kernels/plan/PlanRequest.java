package org.ddpm4j.kernels.plan;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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
 * @param precision of convolutions
 */
public record PlanRequest(
    SameDiff graph,
    Map<String, long[]> inputs,
    Set<String> stationary,
    Map<String, Tensor> parameters,
    List<String> outputs,
    Map<String, Tensor> sums,
    Precision precision) {

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
