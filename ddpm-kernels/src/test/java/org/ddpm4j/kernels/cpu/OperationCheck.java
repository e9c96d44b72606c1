package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.PlanRequest;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** An operation in a plan against its oracle: the output, and all gradients by differences. */
public final class OperationCheck {

  private static final double STEP = 1e-4;

  /** Adds the operation to a graph. */
  @FunctionalInterface
  public interface Fused {
    SDVariable apply(SameDiff graph, List<SDVariable> inputs);
  }

  /** Computes the same. */
  @FunctionalInterface
  public interface Oracle {
    Values apply(List<Values> inputs);
  }

  /**
   * What came out of a plan.
   *
   * @param y the output
   * @param g what the loss multiplies it with
   * @param gradients of {@code Σ y·g} with respect to each input
   */
  public record Result(Values y, Values g, List<Values> gradients) {}

  private OperationCheck() {}

  public static Result run(Fused fused, long[] outputShape, List<Values> inputs) {
    FusedGraph built = new FusedGraph();
    List<SDVariable> variables = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      variables.add(built.parameter("input" + i, inputs.get(i)));
    }
    SDVariable y = fused.apply(built.sameDiff(), variables).rename("y");
    built.endInProductWith(y, "g", outputShape);
    Map<String, CpuTensor> gradients = built.zeroGradients();
    Values g = Values.gaussian(new SplittableRandom(99), 1, outputShape);
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(built.gradient(gradients, "y"), weights)) {
      g.setInput(plan, "g");
      // The loss is the mean.
      plan.setInput(
          FusedGraph.LOSS_GRADIENT,
          java.nio.FloatBuffer.wrap(new float[] {g.elements().length}),
          0);
      plan.run();
      Result result =
          new Result(
              Values.of(plan.output("y")), g, gradients.values().stream().map(Values::of).toList());
      assertTakersFindTheSame(built, weights, result);
      return result;
    }
  }

  /**
   * Gradients that are made in memory that holds something else are those of sums that were zero.
   */
  private static void assertTakersFindTheSame(
      FusedGraph built, PackedWeights weights, Result expected) {
    Map<String, Values> taken = new HashMap<>();
    PlanRequest request =
        built.takenGradient((name, made) -> taken.put(name, Values.of(CpuTensor.of(made))), "y");
    try (GraphPlan plan = FusedGraph.compile(request, weights)) {
      for (int run = 0; run < 2; run++) {
        // The first run leaves its own behind.
        expected.g().setInput(plan, "g");
        plan.setInput(
            FusedGraph.LOSS_GRADIENT,
            java.nio.FloatBuffer.wrap(new float[] {expected.g().elements().length}),
            0);
        plan.run();
      }
    }
    for (int i = 0; i < expected.gradients().size(); i++) {
      double[] sum = expected.gradients().get(i).elements();
      double[] alone = taken.get("input" + i).elements();
      for (int k = 0; k < sum.length; k++) {
        // A sum of zeros of either sign is positive.
        assertThat(alone[k] + 0.0).as("taken gradient of input %d", i).isEqualTo(sum[k] + 0.0);
      }
    }
  }

  public static void check(Fused fused, Oracle oracle, List<Values> inputs, double tolerance) {
    Values expected = oracle.apply(inputs);
    Result actual = run(fused, expected.shape(), inputs);
    assertThat(expected.relativeErrorOf(actual.y())).as("output").isLessThan(tolerance);
    for (int i = 0; i < inputs.size(); i++) {
      Values gradient = differences(oracle, inputs, i, actual.g());
      assertThat(gradient.relativeErrorOf(actual.gradients().get(i)))
          .as("gradient of input %d", i)
          .isLessThan(tolerance);
    }
  }

  /** The gradient of {@code Σ y·g} with respect to one input, by central differences. */
  public static Values differences(Oracle oracle, List<Values> inputs, int input, Values g) {
    Values gradient = Values.zeros(inputs.get(input).shape());
    double[] elements = inputs.get(input).elements();
    for (int i = 0; i < elements.length; i++) {
      double kept = elements[i];
      elements[i] = kept + STEP;
      double above = NaiveOps.innerProduct(oracle.apply(inputs), g);
      elements[i] = kept - STEP;
      double below = NaiveOps.innerProduct(oracle.apply(inputs), g);
      elements[i] = kept;
      gradient.elements()[i] = (above - below) / (2 * STEP);
    }
    return gradient;
  }
}
