package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.PlanProfile;
import org.ddpm4j.kernels.plan.PlanRequest;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

class PlanProfileTest {

  private static final long[] WEIGHT = {3, 3, 2, 4};
  private static final int SIZE = 6;

  private final PlanProfile profile = new PlanProfile();

  @BeforeAll
  static void plansRunHere() {
    assertThat(FusedKernels.obstacle()).isNull();
  }

  private static final FloatPointer ZEROS = new FloatPointer(Tensor.length(WEIGHT)).fill(0);

  /** Convolutions of x and of SiLU(z) with the same weights: three operations. */
  private static GraphPlan plan(int images, PackedWeights packed, Set<String> unchanging) {
    SameDiff graph = SameDiff.create();
    SDVariable x = graph.placeHolder("x", DataType.FLOAT);
    SDVariable z = graph.placeHolder("z", DataType.FLOAT);
    SDVariable w = graph.var("w", Nd4j.ones(DataType.FLOAT, WEIGHT));
    SDVariable ofZ = new Eltwise(graph, z, Activation.SILU).outputVariable().rename("activated");
    SDVariable first = new Conv2d(graph, ofZ, w, null, 1, 1).outputVariable().rename("of_z");
    SDVariable second = new Conv2d(graph, x, w, null, 1, 1).outputVariable().rename("of_x");
    long[] shape = {images, SIZE, SIZE, 2};
    return FusedGraph.compile(
        new PlanRequest(
            graph,
            Map.of("x", shape, "z", shape),
            unchanging,
            Map.of(w.name(), Tensor.dense(ZEROS.address(), WEIGHT)),
            List.of(first.name(), second.name()),
            Map.of(),
            Precision.FLOAT32),
        packed);
  }

  /** Each output element is a sum of 3·3·2 products. */
  private static double flops(int images) {
    return 2.0 * images * SIZE * SIZE * 4 * (3 * 3 * 2);
  }

  @Test
  void addsUpRunsAndTheirFloatingPointOperations() {
    try (PackedWeights packed = new PackedWeights(new Workers(1));
        GraphPlan plan = plan(2, packed, Set.of())) {
      for (int i = 0; i < 3; i++) {
        profile.run(plan);
      }
    }
    assertThat(profile.byKind()).containsOnlyKeys("ddpm_conv2d", "ddpm_eltwise");
    PlanProfile.Cost convolutions = profile.byKind().get("ddpm_conv2d");
    assertThat(convolutions.runs()).isEqualTo(6);
    assertThat(convolutions.flops()).isEqualTo(6 * flops(2));
    // Two images of 6x6: two channels are read, with 3·3·2·4 weights, and four written.
    assertThat(convolutions.bytes())
        .isEqualTo(6.0 * Float.BYTES * (2 * 36 * 2 + 3 * 3 * 2 * 4 + 2 * 36 * 4));
    assertThat(convolutions.gigabytes())
        .isEqualTo(convolutions.bytes() / convolutions.nanoseconds());
    assertThat(convolutions.nanoseconds()).isPositive();
    assertThat(convolutions.gigaflops())
        .isEqualTo(convolutions.flops() / convolutions.nanoseconds());
    assertThat(profile.byKind().get("ddpm_eltwise").flops()).isZero();
    assertThat(profile.byOperation())
        .hasSize(3)
        .extractingByKey(new PlanProfile.Operation("ddpm_conv2d", "of_x", List.of(2L, 6L, 6L, 4L)))
        .satisfies(cost -> assertThat(cost.runs()).isEqualTo(3));
  }

  @Test
  void theSlowestComesFirstAndNothingIsLost() {
    try (PackedWeights packed = new PackedWeights(new Workers(1));
        GraphPlan one = plan(1, packed, Set.of());
        GraphPlan many = plan(64, packed, Set.of())) {
      profile.run(one);
      profile.run(many);
    }
    assertThat(profile.byOperation()).hasSize(6);
    assertThat(profile.byOperation().values().stream().mapToLong(cost -> -cost.nanoseconds()))
        .isSorted();
    assertThat(
            profile.byKind().values().stream()
                .reduce(PlanProfile.Cost.NONE, PlanProfile.Cost::plus))
        .isEqualTo(profile.total())
        .isEqualTo(
            profile.byOperation().values().stream()
                .reduce(PlanProfile.Cost.NONE, PlanProfile.Cost::plus));
    assertThat(profile.total().flops()).isEqualTo(2 * flops(1) + 2 * flops(64));
  }

  @Test
  void whatAPlanSkipsIsNotCounted() {
    try (PackedWeights packed = new PackedWeights(new Workers(1));
        GraphPlan plan = plan(1, packed, Set.of("z"))) {
      profile.run(plan);
      profile.run(plan);
    }
    assertThat(profile.byOperation())
        .allSatisfy(
            (operation, cost) ->
                assertThat(cost.runs()).isEqualTo(operation.output().equals("of_x") ? 2 : 1));
  }

  @Test
  void threadsShareAProfile() {
    int threads = 4;
    int runs = 50;
    PackedWeights packed = new PackedWeights(new Workers(1));
    try (Workers workers = new Workers(threads)) {
      List<GraphPlan> plans =
          IntStream.range(0, threads).mapToObj(i -> plan(1, packed, Set.of())).toList();
      workers.forEach(
          threads,
          i -> {
            for (int k = 0; k < runs; k++) {
              profile.run(plans.get(i));
            }
          });
      plans.forEach(GraphPlan::close);
    } finally {
      packed.close();
    }
    assertThat(profile.total().runs()).isEqualTo(3L * threads * runs);
    assertThat(profile.total().flops()).isEqualTo(threads * runs * 2 * flops(1));
  }

  @Test
  void nothingMeasuredHasNoRate() {
    assertThat(profile.total()).isEqualTo(PlanProfile.Cost.NONE);
    assertThat(profile.byKind()).isEmpty();
    assertThat(PlanProfile.Cost.NONE.gigaflops()).isZero();
  }
}
