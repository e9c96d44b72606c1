package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.ddpm4j.kernels.nd4j.FusedCpuBackend;
import org.ddpm4j.kernels.nd4j.FusedOpExecutioner;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.AddPositions;
import org.ddpm4j.kernels.ops.Affine;
import org.ddpm4j.kernels.ops.Attention;
import org.ddpm4j.kernels.ops.AveragePool;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.ChannelsLast;
import org.ddpm4j.kernels.ops.ConcatChannels;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.ConvTranspose2d;
import org.ddpm4j.kernels.ops.DepthwiseConv2d;
import org.ddpm4j.kernels.ops.DividePerImage;
import org.ddpm4j.kernels.ops.DropMemory;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.Embedding;
import org.ddpm4j.kernels.ops.FourierEmbedding;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.LayerNorm;
import org.ddpm4j.kernels.ops.LearnedSinusoids;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.MaxPool;
import org.ddpm4j.kernels.ops.Multiply;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.ops.PrependMemory;
import org.ddpm4j.kernels.ops.RmsNorm;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannel;
import org.ddpm4j.kernels.ops.SinusoidalEmbedding;
import org.ddpm4j.kernels.ops.SplitChannels;
import org.ddpm4j.kernels.ops.TimeFraction;
import org.ddpm4j.kernels.ops.UpsampleNearest;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.PlanRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;

/** SameDiff's own session runs fused operations, one by one, as a plan does. */
class FusedCpuBackendTest {

  private static final double TOLERANCE = 1e-5;

  private final SplittableRandom random = new SplittableRandom(2);
  private final FusedGraph built = everything();
  private final Map<String, Values> inputs = new LinkedHashMap<>();

  FusedCpuBackendTest() {
    inputs.put("x", Values.gaussian(random, 1, 2, 3, 6, 4));
    inputs.put("t", new Values(new double[] {3, 500}, 2));
    inputs.put("labels", new Values(new double[] {2, 0}, 2));
    inputs.put("g", Values.gaussian(random, 1, 2, 6, 6, 4));
  }

  /** Every operation that has a gradient, in one small network. */
  private FusedGraph everything() {
    FusedGraph graph = new FusedGraph();
    SameDiff sd = graph.sameDiff();
    SDVariable images = graph.input("x", 2, 3, 6, 4);
    SDVariable times = graph.input("t", 2);
    SDVariable x = new ChannelsLast(sd, images).outputVariable();
    SDVariable t = new SinusoidalEmbedding(sd, times, 8, 1, 4).outputVariable();
    t = new Linear(sd, t, parameter(graph, "lw", 8, 6), parameter(graph, "lb", 6)).outputVariable();
    t = new Eltwise(sd, t, Activation.GELU).outputVariable();
    SDVariable fraction = new TimeFraction(sd, times, 1000).outputVariable();
    fraction =
        new Linear(sd, fraction, parameter(graph, "fw", 1, 6), parameter(graph, "fb", 6))
            .outputVariable();
    SDVariable frequencies = sd.constant(Nd4j.createFromArray(0.1f, -0.4f));
    SDVariable waves = new FourierEmbedding(sd, times, frequencies).outputVariable();
    waves =
        new Linear(sd, waves, parameter(graph, "ww", 4, 6), parameter(graph, "wb", 6))
            .outputVariable();
    fraction = new Add(sd, fraction, waves).outputVariable();
    SDVariable sinusoids =
        new LearnedSinusoids(sd, times, parameter(graph, "lf", 2)).outputVariable();
    sinusoids =
        new Linear(sd, sinusoids, parameter(graph, "sw", 5, 6), parameter(graph, "sb", 6))
            .outputVariable();
    fraction = new Add(sd, fraction, sinusoids).outputVariable();
    SDVariable labels = graph.input("labels", 2);
    SDVariable label = new Embedding(sd, labels, parameter(graph, "e", 3, 6)).outputVariable();
    t = new Add(sd, t, new Multiply(sd, fraction, label).outputVariable()).outputVariable();
    SDVariable h =
        new Conv2d(sd, x, parameter(graph, "c1", 3, 3, 3, 6), parameter(graph, "c1b", 6), 1, 1)
            .outputVariable();
    h = new AddPerChannel(sd, h, t).outputVariable();
    h =
        new GroupNorm(
                sd,
                h,
                parameter(graph, "n", 6),
                parameter(graph, "nb", 6),
                3,
                1e-5,
                Activation.SILU)
            .outputVariable();
    SDVariable down =
        new Conv2d(sd, h, parameter(graph, "c2", 4, 4, 6, 6), parameter(graph, "c2b", 6), 2, 1)
            .outputVariable();
    down =
        new DepthwiseConv2d(
                sd, down, parameter(graph, "d", 7, 7, 6, 1), parameter(graph, "db", 6), 1, 3)
            .outputVariable();
    SDVariable pooled =
        new Multiply(
                sd, new AveragePool(sd, h).outputVariable(), new MaxPool(sd, h).outputVariable())
            .outputVariable();
    down = new Add(sd, down, pooled).outputVariable();
    down = new RmsNorm(sd, down, parameter(graph, "rg", 6)).outputVariable();
    SDVariable longer =
        new PrependMemory(sd, down, parameter(graph, "m", 2, 2, 1, 2), 3, 2).outputVariable();
    SDVariable attended = new PackedAttention(sd, longer, 1).outputVariable();
    attended = new DropMemory(sd, attended, 3, 2).outputVariable();
    SDVariable linear = new LinearAttention(sd, down, 2).outputVariable();
    SDVariable both = new ConcatChannels(sd, attended, linear, 2).outputVariable();
    SDVariable negative = new Affine(sd, both, -0.5, 1).outputVariable();
    both = new Attention(sd, both, negative, both, 2).outputVariable();
    SDVariable up = new UpsampleNearest(sd, both).outputVariable();
    SDVariable transposed =
        new ConvTranspose2d(
                sd, both, parameter(graph, "u", 4, 4, 4, 4), parameter(graph, "ub", 4), 2, 1)
            .outputVariable();
    up = new ScaleShiftPerChannel(sd, up, parameter(graph, "s", 2, 8)).outputVariable();
    SDVariable y = new ConcatChannels(sd, up, transposed, 4).outputVariable();
    y = new Conv2d(sd, y, parameter(graph, "c3", 1, 1, 8, 6), null, 1, 0).outputVariable();
    y = new LayerNorm(sd, y, 1e-3).outputVariable();
    SDVariable table = sd.constant(Nd4j.linspace(DataType.FLOAT, -1, 0.1, 144).reshape(1, 6, 4, 6));
    y = new AddPositions(sd, y, table).outputVariable();
    SDVariable[] halves = new SplitChannels(sd, y, 2).outputVariables();
    y = new ConcatChannels(sd, halves[1], halves[0], 4).outputVariable();
    y = new DividePerImage(sd, y, times).outputVariable();
    y = new ChannelsFirst(sd, y).outputVariable().rename("y");
    graph.endInProductWith(y, "g", 2, 6, 6, 4);
    return graph;
  }

  private SDVariable parameter(FusedGraph graph, String name, long... shape) {
    return graph.parameter(name, Values.gaussian(random, 0.5, shape));
  }

  private Map<String, INDArray> placeholders() {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    inputs.forEach((name, values) -> arrays.put(name, FusedGraph.array(values)));
    return arrays;
  }

  private Map<String, Values> byPlan() {
    Map<String, CpuTensor> gradients = built.zeroGradients();
    Map<String, Values> results = new LinkedHashMap<>();
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(built.gradient(gradients, "y", "loss"), weights)) {
      inputs.forEach((name, values) -> values.setInput(plan, name));
      plan.setInput(FusedGraph.LOSS_GRADIENT, java.nio.FloatBuffer.wrap(new float[] {1}), 0);
      plan.run();
      results.put("y", Values.of(plan.output("y")));
      results.put("loss", Values.of(plan.output("loss")));
      gradients.forEach((name, tensor) -> results.put(name, Values.of(tensor)));
    }
    return results;
  }

  private static void assertSame(Map<String, INDArray> actual, Map<String, Values> expected) {
    assertThat(actual.keySet()).containsExactlyInAnyOrderElementsOf(expected.keySet());
    expected.forEach(
        (name, values) ->
            assertThat(values.relativeErrorOf(FusedGraph.values(actual.get(name))))
                .as(name)
                .isLessThan(TOLERANCE));
  }

  private Map<String, INDArray> bySession(SameDiff graph) {
    Map<String, INDArray> results = new LinkedHashMap<>(graph.output(placeholders(), "y", "loss"));
    String[] parameters = built.parameters().keySet().toArray(new String[0]);
    results.putAll(FusedGraph.quietly(() -> graph.calculateGradients(placeholders(), parameters)));
    return results;
  }

  @Test
  void isTheBackendOfND4J() {
    assertThat(Nd4j.getBackend()).isInstanceOf(FusedCpuBackend.class);
    assertThat(Nd4j.getExecutioner()).isInstanceOf(FusedOpExecutioner.class);
    assertThat(Nd4j.getEnvironment().isCPU()).isTrue();
  }

  @Test
  void isPreferredToTheStockBackendButNotToAGpu() throws Exception {
    Nd4jBackend stock =
        (Nd4jBackend)
            Class.forName("org.nd4j.linalg.cpu.nativecpu.CpuBackend")
                .getDeclaredConstructor()
                .newInstance();
    int priority = new FusedCpuBackend().getPriority();
    assertThat(priority).isGreaterThan(stock.getPriority());
    assertThat(priority).isLessThan(Nd4jBackend.BACKEND_PRIORITY_GPU);
  }

  @Test
  void sessionsComputeAsPlansDo() {
    assertSame(bySession(built.sameDiff()), byPlan());
  }

  /** Stock operations go on as before. */
  @Test
  void sessionsMixFusedAndStockOperations() {
    SDVariable y = built.sameDiff().getVariable("y");
    y.mul(y).sum().rename("squares");
    INDArray squares = built.sameDiff().output(placeholders(), "squares").get("squares");
    double norm = byPlan().get("y").norm();
    assertThat(squares.getDouble(0) / (norm * norm)).isBetween(1 - TOLERANCE, 1 + TOLERANCE);
  }

  @Test
  void savedGraphsComputeTheSame(@TempDir Path folder) throws Exception {
    Map<String, Values> expected = byPlan();
    File file = folder.resolve("graph.fb").toFile();
    built.sameDiff().save(file, false);
    assertSame(bySession(SameDiff.load(file, false)), expected);

    SameDiff copy = SameDiff.fromFlatBuffers(built.sameDiff().asFlatBuffers(false));
    assertSame(bySession(copy), expected);
  }

  /** A plan of a graph that was read from a file. */
  @Test
  void plansRunSavedGraphs() throws Exception {
    SameDiff copy = SameDiff.fromFlatBuffers(built.sameDiff().asFlatBuffers(false));
    Values expected = byPlan().get("y");
    var original = built.forward("y");
    var request =
        new PlanRequest(
            copy,
            original.inputs(),
            original.stationary(),
            original.parameters(),
            original.outputs(),
            original.sums(),
            original.precision());
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(request, weights)) {
      inputs.forEach(
          (name, values) -> {
            if (!name.equals("g")) {
              values.setInput(plan, name);
            }
          });
      plan.run();
      assertThat(expected.relativeErrorOf(Values.of(plan.output("y")))).isLessThan(TOLERANCE);
    }
  }
}
