package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.LinearAttentionGradient;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.PlanProfile;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** Linear attention in a plan of gradients keeps its softmaxes for its own gradient. */
class KeptSoftmaxesTest {

  private static final int HEADS = 2;
  private static final long FEATURES = 16;
  private static final long[] IMAGES = {3, 4, 2, 6};
  private static final long POSITIONS = 3 * 4 * 2;
  private static final long[] Y = {3, 4, 2, FEATURES};

  private final SplittableRandom random = new SplittableRandom(5);
  private final Values x = Values.gaussian(random, 1, IMAGES);
  private final Values w = Values.gaussian(random, 0.5, 1, 1, IMAGES[3], 3 * FEATURES);
  private final Values g = Values.gaussian(random, 1, Y);

  private static Values oracle(Values x, Values w) {
    Values none = Values.zeros(3 * FEATURES);
    return NaiveOps.linearAttention(NaiveOps.conv2d(x, w, none, 1, 0), HEADS);
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 4, true, 1e-5",
    "BFLOAT16, 2, true, 2e-2",
    "BFLOAT16, 2, false, 2e-2",
  })
  void gradientsAreThoseOfTheDefinition(
      Precision precision, int bytes, boolean seen, double tolerance) {
    Assumptions.assumeTrue(
        precision == Precision.FLOAT32 || Onednn.hasBfloat16(), "the processor has no bfloat16");
    String output = seen ? "y" : "loss";
    FusedGraph built = new FusedGraph(precision);
    SameDiff graph = built.sameDiff();
    SDVariable images = built.input("x", IMAGES);
    SDVariable qkv =
        new Conv2d(graph, images, built.parameter("w", w), null, 1, 0).outputVariable();
    SDVariable y = new LinearAttention(graph, qkv, HEADS).outputVariable().rename("y");
    built.endInProductWith(y, "g", Y);
    Map<String, CpuTensor> sums = built.zeroGradients();
    PlanProfile profile = new PlanProfile();
    Values forward;
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(built.gradient(sums, output), weights)) {
      x.setInput(plan, "x");
      g.setInput(plan, "g");
      plan.setInput(
          FusedGraph.LOSS_GRADIENT, FloatBuffer.wrap(new float[] {g.elements().length}), 0);
      plan.run();
      // The second time there are softmaxes of the first.
      profile.run(plan);
      forward = Values.of(plan.output(output));
    }

    if (seen) {
      assertThat(oracle(x, w).relativeErrorOf(forward)).isLessThan(tolerance);
    }
    Values ofTwoRuns = new Values(Arrays.stream(g.elements()).map(a -> 2 * a).toArray(), Y);
    Values expected =
        OperationCheck.differences(in -> oracle(x, in.get(0)), List.of(w), 0, ofTwoRuns);
    assertThat(expected.relativeErrorOf(Values.of(sums.get("w")))).isLessThan(tolerance);
    // It reads qkv, dy and two softmaxes, and makes what is added to qkv.
    assertThat(profile.byKind().get("ddpm_linear_attention_bp").bytes())
        .isEqualTo((double) bytes * POSITIONS * FEATURES * (3 + 1 + 2 + 3));
  }

  @Test
  void keepsForItsOwnGradientAlone() {
    SameDiff graph = SameDiff.create();
    SDVariable qkv = graph.placeHolder("qkv", DataType.FLOAT);
    LinearAttention two = new LinearAttention(graph, qkv, 2);
    LinearAttention four = new LinearAttention(graph, qkv, 4);
    FusedOp gradientOfTwo = (FusedOp) two.doDiff(List.of(two.outputVariable())).get(0).getCreator();
    assertThat(gradientOfTwo).isInstanceOf(LinearAttentionGradient.class);
    try (CpuDevice device = new CpuDevice(1)) {
      assertThat(device.keeping(two, gradientOfTwo)).isPresent();
      assertThat(device.keeping(four, gradientOfTwo)).isEmpty();
      assertThat(device.keeping(new PackedAttention(graph, qkv, 2), gradientOfTwo)).isEmpty();
      assertThat(device.keeping(two, four)).isEmpty();
    }
  }
}
