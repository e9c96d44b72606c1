package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.LongStream;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.ops.DepthwiseConv2d;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.PlanRequest;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** What a team's threads share has the bits that one thread makes. */
class SharedOperationsTest {

  private static final int THREADS = 12;
  private static final int REPETITIONS = 5;

  private interface Operation {
    SDVariable apply(FusedGraph graph, SDVariable x);
  }

  /**
   * An operation on images.
   *
   * @param image the shape, {@code [H,W,C]}
   * @param shared how many kernels are shared at least
   * @param sharedInTraining the same with those of gradients, of three images
   */
  private record Case(
      String name, long[] image, int shared, int sharedInTraining, Operation operation) {

    @Override
    public String toString() {
      return name + " of " + Arrays.toString(image);
    }
  }

  static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    ConvolutionGeometry same = ConvolutionGeometry.symmetric(1, 1);
    ConvolutionGeometry pointwise = ConvolutionGeometry.symmetric(1, 0);
    cases.add(convolution(3, same, 28, 28, 28, 28));
    cases.add(convolution(3, same, 13, 17, 40, 40));
    cases.add(convolution(3, new ConvolutionGeometry(2, 0, 1), 16, 16, 64, 64));
    cases.add(convolution(4, ConvolutionGeometry.symmetric(2, 1), 28, 28, 28, 28));
    cases.add(convolution(7, ConvolutionGeometry.symmetric(1, 3), 32, 32, 4, 32));
    cases.add(convolution(1, pointwise, 28, 28, 28, 384));
    cases.add(convolution(1, pointwise, 16, 16, 768, 768));
    cases.add(convolution(1, pointwise, 1, 256, 192, 192));
    cases.add(convolution(3, same, 4, 4, 256, 256));
    cases.add(convolution(3, new ConvolutionGeometry(2, 0, 1), 17, 17, 64, 64));
    cases.add(depthwise(28, 28, 64));
    // Winograd's algorithm, along both axes or one
    cases.add(convolution(3, same, 16, 16, 128, 128));
    cases.add(convolution(3, same, 18, 15, 128, 256));
    cases.add(attention(1, 16, 16, 256));
    cases.add(attention(4, 14, 14, 128));
    cases.add(attention(3, 17, 15, 96));
    // Heads by themselves are cut by queries already.
    cases.add(attention(1, 32, 32, 64));
    cases.add(attention(5, 20, 20, 100));
    cases.add(linearAttention(4, 28, 28, 128));
    cases.add(linearAttention(3, 17, 15, 192));
    // By oneDNN and by ours.
    cases.add(groupNorm(8, 16, 16, 256));
    cases.add(groupNorm(4, 28, 28, 28));
    return cases;
  }

  private static Case convolution(
      int kernel, ConvolutionGeometry geometry, long height, long width, long in, long out) {
    return new Case(
        "convolution %dx%d to %d, %s".formatted(kernel, kernel, out, geometry),
        new long[] {height, width, in},
        2,
        4,
        (graph, x) -> {
          SplittableRandom random = new SplittableRandom(3);
          SameDiff sameDiff = graph.sameDiff();
          SDVariable w =
              graph.parameter("w", Values.gaussian(random, 0.1, kernel, kernel, in, out));
          SDVariable b = graph.parameter("b", Values.gaussian(random, 1, out));
          SDVariable once = conv2d(sameDiff, x, w, b, geometry);
          SDVariable active = new Eltwise(sameDiff, once, Activation.SILU).outputVariable();
          // With a function at its end, without a bias, with a residual.
          SDVariable plain = conv2d(sameDiff, x, w, null, geometry);
          return new Add(sameDiff, active, plain).outputVariable();
        });
  }

  private static Case depthwise(long height, long width, long channels) {
    return new Case(
        "depthwise convolution 7x7",
        new long[] {height, width, channels},
        1,
        2,
        (graph, x) -> {
          SplittableRandom random = new SplittableRandom(3);
          SDVariable w = graph.parameter("w", Values.gaussian(random, 0.1, 7, 7, channels, 1));
          SDVariable b = graph.parameter("b", Values.gaussian(random, 1, channels));
          return new DepthwiseConv2d(graph.sameDiff(), x, w, b, 1, 3).outputVariable();
        });
  }

  private static Case groupNorm(int groups, long height, long width, long channels) {
    return new Case(
        "normalisation of %d groups".formatted(groups),
        new long[] {height, width, channels},
        0,
        2,
        (graph, x) -> {
          SplittableRandom random = new SplittableRandom(3);
          SDVariable scale = graph.parameter("scale", Values.gaussian(random, 1, channels));
          SDVariable shift = graph.parameter("shift", Values.gaussian(random, 1, channels));
          return new GroupNorm(graph.sameDiff(), x, scale, shift, groups, 1e-5, Activation.SILU)
              .outputVariable();
        });
  }

  private static SDVariable conv2d(
      SameDiff graph, SDVariable x, SDVariable w, SDVariable bias, ConvolutionGeometry geometry) {
    return new Conv2d(
            graph, x, w, bias, geometry.stride(), geometry.padding(), geometry.endPadding())
        .outputVariable();
  }

  private static Case attention(int heads, long height, long width, long features) {
    return new Case(
        "attention of %d heads".formatted(heads),
        new long[] {height, width, 3 * features},
        1,
        2,
        (graph, x) -> new PackedAttention(graph.sameDiff(), x, heads).outputVariable());
  }

  private static Case linearAttention(int heads, long height, long width, long features) {
    return new Case(
        "linear attention of %d heads".formatted(heads),
        new long[] {height, width, 3 * features},
        1,
        1,
        (graph, x) -> new LinearAttention(graph.sameDiff(), x, heads).outputVariable());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void areTheSameWhoeverHelps(Case c) {
    areTheSame(c, Precision.FLOAT32);
  }

  /** Four rows are one tile there. */
  static List<Case> casesInBfloat16() {
    return cases().stream().filter(c -> c.image[0] != 4).toList();
  }

  @ParameterizedTest
  @MethodSource("casesInBfloat16")
  void areTheSameWhoeverHelpsInBfloat16(Case c) {
    Assumptions.assumeTrue(Onednn.hasBfloat16(), "the processor has no bfloat16");
    areTheSame(c, Precision.BFLOAT16);
  }

  private static void areTheSame(Case c, Precision precision) {
    FusedGraph graph = new FusedGraph(precision);
    SDVariable x =
        graph.input("x", LongStream.concat(LongStream.of(1), Arrays.stream(c.image)).toArray());
    // In the format of feature maps, where that is another.
    SDVariable features = new Eltwise(graph.sameDiff(), x, Activation.GELU).outputVariable();
    c.operation.apply(graph, features).rename("y");
    for (int batch : new int[] {1, 3}) {
      Values images =
          Values.gaussian(new SplittableRandom(1), 1, batch, c.image[0], c.image[1], c.image[2]);
      try (Workers workers = new Workers(THREADS);
          PackedWeights weights = new PackedWeights(workers);
          GraphPlan plan = FusedGraph.compile(graph.forwardOf(batch, "y"), weights)) {
        images.setInput(plan, "x");
        plan.run();
        float[] alone = values(plan);
        // A plan meets teams of two, three, six and twelve, and none.
        for (int tasks : new int[] {6, 4, 2, 1, THREADS}) {
          runInFirstOf(tasks, workers, plan, c.shared);
          assertThat(Arrays.mismatch(values(plan), alone))
              .as("first difference of %d images in one of %d tasks", batch, tasks)
              .isEqualTo(-1);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void haveTheSameGradientsWhoeverHelps(Case c) {
    haveTheSameGradients(c, Precision.FLOAT32);
  }

  @ParameterizedTest
  @MethodSource("casesInBfloat16")
  void haveTheSameGradientsWhoeverHelpsInBfloat16(Case c) {
    Assumptions.assumeTrue(Onednn.hasBfloat16(), "the processor has no bfloat16");
    haveTheSameGradients(c, Precision.BFLOAT16);
  }

  private static void haveTheSameGradients(Case c, Precision precision) {
    for (int batch : new int[] {1, 3}) {
      FusedGraph graph = new FusedGraph(precision);
      SplittableRandom random = new SplittableRandom(1);
      Values images = Values.gaussian(random, 1, batch, c.image[0], c.image[1], c.image[2]);
      // What depends on an input alone has no gradient; on parameters alone it is computed once.
      SDVariable x =
          new Add(
                  graph.sameDiff(),
                  graph.input("input", images.shape()),
                  graph.parameter("x", images))
              .outputVariable();
      SDVariable features = new Eltwise(graph.sameDiff(), x, Activation.GELU).outputVariable();
      SDVariable y = c.operation.apply(graph, features);
      Values slopes = Values.gaussian(random, 1, shapeOf(graph, y, batch));
      graph.endInProductWith(y, "g", slopes.shape());
      Map<String, float[]> gradients = new TreeMap<>();
      PlanRequest request =
          graph.takenGradient((name, made) -> gradients.put(name, values(made)), "loss");
      try (Workers workers = new Workers(THREADS);
          PackedWeights weights = new PackedWeights(workers);
          GraphPlan plan = FusedGraph.compile(request, weights)) {
        images.setInput(plan, "input");
        slopes.setInput(plan, "g");
        float[] ofLoss = {slopes.elements().length};
        plan.setInput(FusedGraph.LOSS_GRADIENT, FloatBuffer.wrap(ofLoss), 0);
        plan.run();
        Map<String, float[]> alone = Map.copyOf(gradients);
        assertThat(alone).containsKey("x");
        for (int tasks : new int[] {6, 4, 2, 1, THREADS}) {
          gradients.clear();
          runInFirstOf(tasks, workers, plan, batch == 3 ? c.sharedInTraining : 0);
          assertThat(gradients).hasSameSizeAs(alone);
          alone.forEach(
              (name, values) ->
                  assertThat(Arrays.mismatch(gradients.get(name), values))
                      .as("first difference of %s of %d images in one of %d", name, batch, tasks)
                      .isEqualTo(-1));
        }
      }
    }
  }

  private static long[] shapeOf(FusedGraph graph, SDVariable y, int batch) {
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(graph.forwardOf(batch, y.name()), weights)) {
      return plan.output(y.name()).shape();
    }
  }

  private static void runInFirstOf(int tasks, Workers workers, GraphPlan plan, int shared) {
    int helpers = (THREADS - tasks + tasks - 1) / tasks;
    int size = Divisors.largest(Team.MOST, 1 + helpers);
    CountDownLatch done = new CountDownLatch(1);
    workers.forEachWithHelp(
        tasks,
        task -> {
          if (task > 0) {
            awaitQuietly(done);
            return;
          }
          try {
            Optional<Team> team =
                size == 1 ? workers.team() : Optional.of(Teams.awaitSize(workers, size));
            // From the second time on the parts are there, and meet.
            for (int repetition = 0; repetition < REPETITIONS; repetition++) {
              plan.run();
            }
            assertThat(workers.team()).isEqualTo(team);
            team.ifPresent(
                own -> assertThat(own.jobs()).isGreaterThanOrEqualTo(REPETITIONS * shared));
          } finally {
            done.countDown();
          }
        });
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static float[] values(GraphPlan plan) {
    return values(plan.output("y"));
  }

  private static float[] values(Tensor tensor) {
    CpuTensor found = CpuTensor.of(tensor);
    float[] values = new float[found.length()];
    found.buffer().get(0, values);
    return values;
  }
}
