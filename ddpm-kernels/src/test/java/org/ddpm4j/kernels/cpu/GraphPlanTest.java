package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.Pointer;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.PlanRequest;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Plans of small networks against the oracle of plain loops. */
class GraphPlanTest {

  private static final double TOLERANCE = 1e-5;

  /** Central differences in double precision; the plan computes in single. */
  private static final double GRADIENT_TOLERANCE = 2e-5;

  private static final int HEIGHT = 5;
  private static final int WIDTH = 4;
  private static final int IN = 3;
  private static final int HIDDEN = 6;
  private static final int OUT = 2;
  private static final int GROUPS = 2;
  private static final double EPSILON = 1e-5;

  private final SplittableRandom random = new SplittableRandom(11);

  /** Convolution, group normalisation with SiLU, convolution; all that it makes has a name. */
  private final class Net {

    final FusedGraph built = new FusedGraph();
    final Map<String, Values> parameters = new LinkedHashMap<>();

    Net() {
      SameDiff graph = built.sameDiff();
      SDVariable x = built.input("x", 2, HEIGHT, WIDTH, IN);
      SDVariable h =
          new Conv2d(
                  graph,
                  x,
                  parameter("w1", 0.3, 3, 3, IN, HIDDEN),
                  parameter("b1", 1, HIDDEN),
                  1,
                  1)
              .outputVariable()
              .rename("h");
      SDVariable n =
          new GroupNorm(
                  graph,
                  h,
                  parameter("scale", 1, HIDDEN),
                  parameter("shift", 1, HIDDEN),
                  GROUPS,
                  EPSILON,
                  Activation.SILU)
              .outputVariable()
              .rename("n");
      SDVariable y =
          new Conv2d(graph, n, parameter("w2", 0.3, 1, 1, HIDDEN, OUT), null, 1, 0)
              .outputVariable()
              .rename("y");
      built.endInProductWith(y, "g", 2, HEIGHT, WIDTH, OUT);
    }

    private SDVariable parameter(String name, double deviation, long... shape) {
      Values values = Values.gaussian(random, deviation, shape);
      parameters.put(name, values);
      return built.parameter(name, values);
    }

    /** h, n, y and the loss. */
    Map<String, Values> expected(Values x, Values g) {
      Values h = NaiveOps.conv2d(x, parameters.get("w1"), parameters.get("b1"), 1, 1);
      Values n =
          NaiveOps.eltwise(
              NaiveOps.groupNorm(
                  h, parameters.get("scale"), parameters.get("shift"), GROUPS, EPSILON),
              Activation.SILU);
      Values y = NaiveOps.conv2d(n, parameters.get("w2"), null, 1, 0);
      double loss = NaiveOps.innerProduct(y, g) / g.elements().length;
      return Map.of("h", h, "n", n, "y", y, "loss", new Values(new double[] {loss}));
    }

    Values expectedGradient(String name, Values x, Values g) {
      Values parameter = parameters.get(name);
      return differences(parameter, () -> expected(x, g).get("loss").elements()[0]);
    }
  }

  private interface Loss {
    double get();
  }

  private static Values differences(Values parameter, Loss loss) {
    Values gradient = Values.zeros(parameter.shape());
    double step = 1e-4;
    double[] elements = parameter.elements();
    for (int i = 0; i < elements.length; i++) {
      double kept = elements[i];
      elements[i] = kept + step;
      double above = loss.get();
      elements[i] = kept - step;
      double below = loss.get();
      elements[i] = kept;
      gradient.elements()[i] = (above - below) / (2 * step);
    }
    return gradient;
  }

  private Values images(long batch) {
    return Values.gaussian(random, 1, batch, HEIGHT, WIDTH, IN);
  }

  private Values slopes(long batch) {
    return Values.gaussian(random, 1, batch, HEIGHT, WIDTH, OUT);
  }

  private static void assertClose(Values actual, Values expected, String name) {
    assertThat(expected.relativeErrorOf(actual)).as(name).isLessThan(TOLERANCE);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 5})
  void computesForwards(long batch) {
    Net net = new Net();
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(net.built.forwardOf(batch, "y"), weights)) {
      for (int run = 0; run < 3; run++) {
        Values x = images(batch);
        x.setInput(plan, "x");
        plan.run();
        assertClose(
            Values.of(plan.output("y")), net.expected(x, slopes(batch)).get("y"), "run " + run);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 5})
  void computesGradients(long batch) {
    Net net = new Net();
    Map<String, CpuTensor> sums = net.built.zeroGradients();
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(net.built.gradientOf(batch, sums, "loss"), weights)) {
      Values x = images(batch);
      Values g = slopes(batch);
      x.setInput(plan, "x");
      g.setInput(plan, "g");
      plan.setInput(FusedGraph.LOSS_GRADIENT, java.nio.FloatBuffer.wrap(new float[] {1}), 0);
      plan.run();
      assertClose(Values.of(plan.output("loss")), net.expected(x, g).get("loss"), "loss");
      sums.forEach(
          (name, sum) ->
              assertThat(net.expectedGradient(name, x, g).relativeErrorOf(Values.of(sum)))
                  .as(name)
                  .isLessThan(GRADIENT_TOLERANCE));
    }
  }

  @Test
  void keepsOutputsThatOthersRead() {
    Net net = new Net();
    Values x = images(2);
    Values g = slopes(2);
    Map<String, CpuTensor> sums = net.built.zeroGradients();
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan =
            FusedGraph.compile(net.built.gradient(sums, "h", "n", "y", "loss", "x"), weights)) {
      for (int run = 0; run < 2; run++) {
        x.setInput(plan, "x");
        g.setInput(plan, "g");
        plan.setInput(FusedGraph.LOSS_GRADIENT, java.nio.FloatBuffer.wrap(new float[] {1}), 0);
        plan.run();
        net.expected(x, g)
            .forEach((name, value) -> assertClose(Values.of(plan.output(name)), value, name));
        assertThat(Values.of(plan.output("x")).elements()).isEqualTo(x.elements());
      }
    }
  }

  /** Asking for fewer outputs or gradients changes none of the others. */
  @Test
  void computesWhatIsAskedForAlone() {
    Net net = new Net();
    Values x = images(2);
    Values g = slopes(2);
    Map<String, CpuTensor> all = net.built.zeroGradients();
    runGradient(net, all, x, g);
    for (String name : all.keySet()) {
      CpuTensor alone = Values.zeros(all.get(name).shape()).toTensor();
      runGradient(net, Map.of(name, alone), x, g);
      assertThat(Values.of(alone).elements())
          .as(name)
          .isEqualTo(Values.of(all.get(name)).elements());
    }
  }

  private static void runGradient(Net net, Map<String, CpuTensor> sums, Values x, Values g) {
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(net.built.gradient(sums), weights)) {
      x.setInput(plan, "x");
      g.setInput(plan, "g");
      plan.setInput(FusedGraph.LOSS_GRADIENT, java.nio.FloatBuffer.wrap(new float[] {1}), 0);
      plan.run();
    }
  }

  @Test
  void sumsAddUpFromRunToRun() {
    Net net = new Net();
    Map<String, CpuTensor> sums = net.built.zeroGradients();
    sums.values().forEach(sum -> sum.buffer().put(0, 3));
    Map<String, Values> expected = new HashMap<>();
    sums.forEach((name, sum) -> expected.put(name, Values.of(sum)));
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(net.built.gradient(sums, "loss"), weights)) {
      for (float share : new float[] {0.25f, 2}) {
        Values x = images(2);
        Values g = slopes(2);
        x.setInput(plan, "x");
        g.setInput(plan, "g");
        plan.setInput(FusedGraph.LOSS_GRADIENT, java.nio.FloatBuffer.wrap(new float[] {share}), 0);
        plan.run();
        for (String name : sums.keySet()) {
          Values gradient = net.expectedGradient(name, x, g);
          for (int i = 0; i < gradient.elements().length; i++) {
            expected.get(name).elements()[i] += share * gradient.elements()[i];
          }
        }
      }
    }
    expected.forEach(
        (name, value) ->
            assertThat(value.relativeErrorOf(Values.of(sums.get(name))))
                .as(name)
                .isLessThan(GRADIENT_TOLERANCE));
  }

  /**
   * What is asked for both as an output and as a sum is the value in the one, added in the other.
   */
  @Test
  void gradientsMayBeOutputsToo() {
    Net net = new Net();
    Values x = images(2);
    Values g = slopes(2);
    Map<String, CpuTensor> sums = net.built.zeroGradients();
    String ofW2 = gradientOf(net, "w2");
    String ofScale = gradientOf(net, "scale");
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(net.built.gradient(sums, ofW2, ofScale), weights)) {
      x.setInput(plan, "x");
      g.setInput(plan, "g");
      plan.setInput(FusedGraph.LOSS_GRADIENT, java.nio.FloatBuffer.wrap(new float[] {1}), 0);
      plan.run();
      plan.run();
      for (Map.Entry<String, String> output : Map.of("w2", ofW2, "scale", ofScale).entrySet()) {
        Values once = net.expectedGradient(output.getKey(), x, g);
        Values twice = Values.zeros(once.shape());
        for (int i = 0; i < once.elements().length; i++) {
          twice.elements()[i] = 2 * once.elements()[i];
        }
        assertThat(once.relativeErrorOf(Values.of(plan.output(output.getValue()))))
            .isLessThan(GRADIENT_TOLERANCE);
        assertThat(twice.relativeErrorOf(Values.of(sums.get(output.getKey()))))
            .isLessThan(GRADIENT_TOLERANCE);
      }
    }
  }

  /** A taker finds the gradient of one run, whole, while the plan runs; one is an output, too. */
  @Test
  void valuesAreTakenAsSoonAsTheyAreMade() {
    Net net = new Net();
    Map<String, Values> taken = new LinkedHashMap<>();
    PlanRequest request =
        net.built.takenGradient(
            (name, made) -> taken.put(name, Values.of(CpuTensor.of(made))),
            "loss",
            gradientOf(net, "w2"));
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(request, weights)) {
      for (int run = 0; run < 3; run++) {
        Values x = images(2);
        Values g = slopes(2);
        x.setInput(plan, "x");
        g.setInput(plan, "g");
        plan.setInput(FusedGraph.LOSS_GRADIENT, java.nio.FloatBuffer.wrap(new float[] {1}), 0);
        taken.clear();
        plan.run();
        assertThat(taken.keySet()).containsExactlyInAnyOrderElementsOf(net.parameters.keySet());
        // The last layer's come first.
        assertThat(taken.keySet().iterator().next()).isEqualTo("w2");
        taken.forEach(
            (name, gradient) ->
                assertThat(net.expectedGradient(name, x, g).relativeErrorOf(gradient))
                    .as(name)
                    .isLessThan(GRADIENT_TOLERANCE));
        assertThat(Values.of(plan.output(gradientOf(net, "w2"))).elements())
            .isEqualTo(taken.get("w2").elements());
      }
    }
  }

  private static String gradientOf(Net net, String parameter) {
    net.built.gradientFunction();
    return net.built.sameDiff().getVariable(parameter).gradient().name();
  }

  @Test
  void operationsMayShareParameters() {
    Values x = Values.gaussian(random, 1, 2, 4, 3, 4);
    Values w = Values.gaussian(random, 0.3, 3, 3, 4, 4);
    Values b = Values.gaussian(random, 1, 4);
    OperationCheck.check(
        (graph, in) -> {
          SDVariable first =
              new Conv2d(graph, in.get(0), in.get(1), in.get(2), 1, 1).outputVariable();
          SDVariable normal =
              new GroupNorm(graph, first, in.get(2), in.get(2), 2, EPSILON, Activation.SILU)
                  .outputVariable();
          return new Conv2d(graph, normal, in.get(1), in.get(2), 1, 1).outputVariable();
        },
        in ->
            NaiveOps.conv2d(
                NaiveOps.eltwise(
                    NaiveOps.groupNorm(
                        NaiveOps.conv2d(in.get(0), in.get(1), in.get(2), 1, 1),
                        in.get(2),
                        in.get(2),
                        2,
                        EPSILON),
                    Activation.SILU),
                in.get(1),
                in.get(2),
                1,
                1),
        List.of(x, w, b),
        GRADIENT_TOLERANCE);
  }

  @Test
  void parametersMayBeOutputs() {
    FusedGraph built = new FusedGraph();
    Values v = Values.gaussian(random, 1, 2, 3);
    SDVariable parameter = built.parameter("v", v);
    new Eltwise(built.sameDiff(), parameter, Activation.SILU).outputVariable().rename("y");
    Values changed = Values.gaussian(random, 1, 2, 3);
    changed.writeTo(built.parameter("v"));
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(built.forward("v", "y"), weights)) {
      plan.run();
      assertThat(Values.of(built.parameter("v")).elements()).isEqualTo(changed.elements());
      assertThat(Values.of(plan.output("v")).elements()).isEqualTo(changed.elements());
      assertClose(Values.of(plan.output("y")), NaiveOps.eltwise(changed, Activation.SILU), "y");
    }
  }

  @Test
  void readsConstantsOfTheGraph() {
    FusedGraph built = new FusedGraph();
    Values constant = Values.gaussian(random, 1, 2, 3);
    Values x = Values.gaussian(random, 1, 2, 3);
    SDVariable input = built.input("x", 2, 3);
    SDVariable c = built.sameDiff().constant("c", FusedGraph.array(constant));
    SDVariable y = new Add(built.sameDiff(), c, input).outputVariable();
    new Add(built.sameDiff(), y, c).outputVariable().rename("y");
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(built.forward("y"), weights)) {
      for (int run = 0; run < 2; run++) {
        x.setInput(plan, "x");
        plan.run();
        assertClose(
            Values.of(plan.output("y")),
            NaiveOps.add(NaiveOps.add(constant, x), constant),
            "run " + run);
      }
    }
  }

  /**
   * SiLU of t through a linear layer, added to the images: what a U-Net does with its timesteps.
   */
  private final class Conditioned {

    final FusedGraph built = new FusedGraph();
    final Values w = Values.gaussian(random, 1, 3, 4);
    final Values b = Values.gaussian(random, 1, 4);
    final Values v = Values.gaussian(random, 1, 2, 4);
    final Values x = Values.gaussian(random, 1, 2, 3, 2, 4);
    final Values t = Values.gaussian(random, 1, 2, 3);

    Conditioned() {
      SameDiff graph = built.sameDiff();
      SDVariable images = built.input("x", x.shape());
      SDVariable times = built.input("t", t.shape());
      SDVariable linear =
          new Linear(graph, times, built.parameter("w", w), built.parameter("b", b))
              .outputVariable();
      SDVariable both = new Add(graph, linear, built.parameter("v", v)).outputVariable();
      SDVariable condition =
          new Eltwise(graph, both, Activation.SILU).outputVariable().rename("condition");
      new AddPerChannel(graph, images, condition).outputVariable().rename("y");
    }

    Values expected() {
      return NaiveOps.addPerChannel(
          x, NaiveOps.eltwise(NaiveOps.add(NaiveOps.linear(t, w, b), v), Activation.SILU));
    }

    void checkRun(GraphPlan plan, Values expected, String what) {
      x.setInput(plan, "x");
      t.setInput(plan, "t");
      plan.run();
      assertClose(Values.of(plan.output("y")), expected, what);
    }
  }

  @Test
  void computesAgainWhatHasChanged() {
    Conditioned net = new Conditioned();
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(net.built.forward(Set.of("t"), "y"), weights)) {
      assertThat(plan.steps().stream().map(GraphPlan.Step::operation))
          .containsExactly("ddpm_linear", "ddpm_add", "ddpm_eltwise", "ddpm_add_per_channel");
      net.checkRun(plan, net.expected(), "first");
      net.x.elements()[3] = 5;
      net.checkRun(plan, net.expected(), "other images");
      net.t.elements()[2] = -2;
      net.checkRun(plan, net.expected(), "other times");
      net.checkRun(plan, net.expected(), "the same times");

      Values before = net.expected();
      net.v.elements()[7] = 4;
      net.v.writeTo(net.built.parameter("v"));
      net.checkRun(plan, before, "another parameter, untold");
      plan.parametersChanged();
      net.checkRun(plan, net.expected(), "another parameter");
      net.checkRun(plan, net.expected(), "once more");

      net.w.elements()[1] = 3;
      net.w.writeTo(net.built.parameter("w"));
      weights.refresh();
      plan.parametersChanged();
      net.checkRun(plan, net.expected(), "another packed parameter");
    }
  }

  @Test
  void skipsWhatHasNotChanged() {
    Conditioned net = new Conditioned();
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(net.built.forward(Set.of("t"), "y"), weights)) {
      net.x.setInput(plan, "x");
      net.t.setInput(plan, "t");
      assertThat(ran(plan)).containsOnly(true);
      assertThat(ran(plan)).containsExactly(false, false, false, true);
      plan.parametersChanged();
      assertThat(ran(plan)).containsOnly(true);
      net.t.elements()[0] = 9;
      net.t.setInput(plan, "t");
      assertThat(ran(plan)).containsOnly(true);
      assertThat(ran(plan)).containsExactly(false, false, false, true);
      assertClose(Values.of(plan.output("y")), net.expected(), "y");
    }
  }

  /** Which of the steps took any time. */
  private static boolean[] ran(GraphPlan plan) {
    long[] nanoseconds = new long[plan.steps().size()];
    plan.runTimed(nanoseconds);
    boolean[] ran = new boolean[nanoseconds.length];
    for (int i = 0; i < ran.length; i++) {
      ran[i] = nanoseconds[i] > 0;
    }
    return ran;
  }

  /**
   * What is unchanging may be asked for, and survives the other operations in any number of runs.
   */
  @Test
  void unchangingValuesMayBeOutputs() {
    Conditioned net = new Conditioned();
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan =
            FusedGraph.compile(net.built.forward(Set.of("t"), "y", "condition"), weights)) {
      Values condition =
          NaiveOps.eltwise(
              NaiveOps.add(NaiveOps.linear(net.t, net.w, net.b), net.v), Activation.SILU);
      for (int run = 0; run < 3; run++) {
        net.checkRun(plan, net.expected(), "run " + run);
        assertClose(Values.of(plan.output("condition")), condition, "run " + run);
      }
    }
  }

  @Test
  void unchangingInputsAreInputs() {
    FusedGraph built = new FusedGraph();
    built.input("x", 1);
    assertThatThrownBy(() -> built.forward(Set.of("t"), "x"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The stationary inputs [t] are not all among the inputs [x].");
  }

  @Test
  void refusesOperationsThatItCannotRun() throws InterruptedException {
    FusedGraph built = new FusedGraph();
    SDVariable x = built.input("x", 2, 3);
    built.sameDiff().math().exp("y", x);
    x.add("z", built.parameter("v", Values.zeros(3)));
    try (PackedWeights weights = new PackedWeights(new Workers(1))) {
      long bytes = NativeMemory.afterCollection();
      assertThatThrownBy(() -> FusedGraph.compile(built.forward("y"), weights))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessage(
              "A plan cannot run the operation exp; it runs fused operations and additions of arrays of one shape.");
      assertThatThrownBy(() -> FusedGraph.compile(built.forward("z"), weights))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageStartingWith("A plan cannot run the operation add;");
      assertThat(Pointer.totalBytes()).isLessThanOrEqualTo(bytes);
    }
  }

  @Test
  void namesWhatIsMissing() {
    FusedGraph built = new FusedGraph();
    SDVariable x = built.input("x", 2, 3);
    SDVariable other = built.sameDiff().placeHolder("other", x.dataType());
    new Add(built.sameDiff(), x, other).outputVariable().rename("y");
    new Eltwise(built.sameDiff(), x, Activation.RELU).outputVariable().rename("z");
    try (PackedWeights weights = new PackedWeights(new Workers(1))) {
      assertThatThrownBy(() -> FusedGraph.compile(built.forward("y"), weights))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "The graph reads other, which is neither among the inputs [x] nor among the parameters.");
      assertThatThrownBy(() -> FusedGraph.compile(built.forward("nothing"), weights))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("The graph does not make nothing, which the plan should give.");
      CpuTensor sum = Values.zeros(2, 3).toTensor();
      PlanRequest request =
          new PlanRequest(
              built.sameDiff(),
              Map.of("x", new long[] {2, 3}),
              Set.of(),
              Map.of(),
              List.of("z"),
              Map.of("nothing", Tensor.dense(sum.pointer().address(), 2, 3)),
              Precision.FLOAT32);
      assertThatThrownBy(() -> FusedGraph.compile(request, weights))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("The graph does not make nothing, which the plan should give.");
      try (GraphPlan plan = FusedGraph.compile(built.forward("z"), weights)) {
        assertThatThrownBy(() -> plan.input("z"))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("The plan knows no z; it has [x].");
        assertThatThrownBy(() -> plan.output("x"))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("The plan knows no x; it has [z].");
      }
    }
  }

  @Test
  void twoPlansRunInTwoThreads() throws Exception {
    Net net = new Net();
    Net other = new Net();
    int threads = 3;
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    CyclicBarrier start = new CyclicBarrier(threads);
    try (PackedWeights weights = new PackedWeights(new Workers(1))) {
      List<Future<?>> futures = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        // Two share a network and its packed weights.
        Net mine = thread == 0 ? other : net;
        Values x = images(2);
        Values g = slopes(2);
        Map<String, Values> expected = mine.expected(x, g);
        Values ofW1 = mine.expectedGradient("w1", x, g);
        CpuTensor sum = Values.zeros(ofW1.shape()).toTensor();
        PlanRequest request = mine.built.gradient(Map.of("w1", sum), "y", "loss");
        futures.add(
            executor.submit(
                () -> {
                  start.await();
                  try (GraphPlan plan = FusedGraph.compile(request, weights)) {
                    for (int run = 0; run < 300; run++) {
                      for (int i = 0; i < sum.length(); i++) {
                        sum.buffer().put(i, 0);
                      }
                      x.setInput(plan, "x");
                      g.setInput(plan, "g");
                      plan.setInput(
                          FusedGraph.LOSS_GRADIENT, java.nio.FloatBuffer.wrap(new float[] {1}), 0);
                      plan.run();
                      assertClose(Values.of(plan.output("y")), expected.get("y"), "y");
                      assertClose(Values.of(plan.output("loss")), expected.get("loss"), "loss");
                      assertThat(ofW1.relativeErrorOf(Values.of(sum)))
                          .isLessThan(GRADIENT_TOLERANCE);
                    }
                  }
                  return null;
                }));
      }
      for (Future<?> future : futures) {
        future.get();
      }
    } finally {
      executor.shutdownNow();
    }
  }

  @Test
  void aPlanMayMoveBetweenThreads() throws Exception {
    Net net = new Net();
    Values x = images(2);
    Values expected = net.expected(x, slopes(2)).get("y");
    try (PackedWeights weights = new PackedWeights(new Workers(1))) {
      GraphPlan plan = FusedGraph.compile(net.built.forward("y"), weights);
      for (int i = 0; i < 3; i++) {
        Throwable[] failure = new Throwable[1];
        Thread thread =
            new Thread(
                () -> {
                  x.setInput(plan, "x");
                  plan.run();
                  assertClose(Values.of(plan.output("y")), expected, "y");
                });
        thread.setUncaughtExceptionHandler((t, e) -> failure[0] = e);
        thread.start();
        thread.join();
        assertThat(failure[0]).isNull();
      }
      Thread closing = new Thread(plan::close);
      closing.start();
      closing.join();
    }
  }

  @Test
  void runsAllocateNoNativeMemory() {
    Net net = new Net();
    Map<String, CpuTensor> sums = net.built.zeroGradients();
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(net.built.gradient(sums, "loss"), weights)) {
      images(2).setInput(plan, "x");
      slopes(2).setInput(plan, "g");
      for (int run = 0; run < 500; run++) {
        plan.run();
      }
      long bytes = Pointer.totalBytes();
      long objects = Pointer.totalCount();
      long physical = Pointer.physicalBytes();
      for (int run = 0; run < 5000; run++) {
        plan.run();
      }
      // The garbage collector may have freed what other tests left.
      assertThat(Pointer.totalBytes()).isLessThanOrEqualTo(bytes);
      assertThat(Pointer.totalCount()).isLessThanOrEqualTo(objects);
      // A hundred bytes a kernel would be four megabytes; the Java heap may grow meanwhile.
      assertThat(Pointer.physicalBytes() - physical).isLessThan(64L << 20);
    }
  }

  @Test
  void closingGivesAllMemoryBack() throws InterruptedException {
    Net net = new Net();
    NativeMemory.afterCollection();
    Map<String, CpuTensor> sums = net.built.zeroGradients();
    PlanRequest request = net.built.gradientOf(64, sums, "loss");
    long bytes = 0;
    long objects = 0;
    long physical = 0;
    long held = 0;
    for (int round = 0; round < 60; round++) {
      long before = Pointer.totalBytes();
      if (round == 20) {
        bytes = Pointer.totalBytes();
        objects = Pointer.totalCount();
        physical = Pointer.physicalBytes();
      }
      try (PackedWeights weights = new PackedWeights(new Workers(1));
          GraphPlan plan = FusedGraph.compile(request, weights)) {
        plan.run();
        held = Math.max(held, Pointer.totalBytes() - before);
        assertThat(plan.memoryBytes()).isPositive();
      }
    }
    assertThat(held).isPositive();
    // Less, if the garbage collector has freed what other tests left.
    assertThat(Pointer.totalBytes()).isLessThanOrEqualTo(bytes);
    assertThat(Pointer.totalCount()).isLessThanOrEqualTo(objects);
    assertThat(Pointer.physicalBytes() - physical).isLessThan(64L << 20);
  }

  /** What a plan says it holds is what JavaCPP knows to be allocated. */
  @Test
  void knowsItsMemory() throws InterruptedException {
    Net net = new Net();
    try (PackedWeights weights = new PackedWeights(new Workers(1))) {
      PlanRequest small = net.built.gradientOf(1, net.built.zeroGradients(), "loss");
      PlanRequest large = net.built.gradientOf(65, net.built.zeroGradients(), "loss");
      FusedGraph.compile(small, weights).close();
      long before = NativeMemory.afterCollection();
      try (GraphPlan plan = FusedGraph.compile(small, weights)) {
        long ofSmall = Pointer.totalBytes() - before;
        try (GraphPlan larger = FusedGraph.compile(large, weights)) {
          // oneDNN's objects are counted too; of some there is one an image.
          long ofLarge = Pointer.totalBytes() - before - ofSmall;
          assertThat(larger.memoryBytes() - plan.memoryBytes())
              .isCloseTo(ofLarge - ofSmall, withinPercentage(15));
        }
      }
    }
  }

  /** Twenty arrays in a row, of which at most two are needed at a time. */
  @Test
  void reusesMemory() {
    long length = 10_000;
    FusedGraph chain = new FusedGraph();
    SDVariable h = chain.input("x", 1, 100, 10, 10);
    for (int i = 0; i < 20; i++) {
      h =
          new Conv2d(
                  chain.sameDiff(),
                  h,
                  chain.parameter("w" + i, Values.zeros(3, 3, 10, 10)),
                  null,
                  1,
                  1)
              .outputVariable();
    }
    h.rename("y");
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(chain.forward("y"), weights)) {
      assertThat(plan.memoryBytes()).isLessThan(5 * length * Float.BYTES);
    }
  }
}
