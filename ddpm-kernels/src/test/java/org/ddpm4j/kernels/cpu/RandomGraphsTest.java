package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.ConcatChannels;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannel;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * Plans of random graphs, in which values are used never, once or often, near and far, against an
 * evaluator that keeps everything.
 */
class RandomGraphsTest {

  private static final long BATCH = 2;
  private static final long HEIGHT = 3;
  private static final long WIDTH = 2;
  private static final int MAX_CHANNELS = 24;
  private static final int OPERATIONS = 30;
  private static final double TOLERANCE = 2e-5;

  static Iterable<Long> seeds() {
    List<Long> seeds = new ArrayList<>();
    for (long seed = 1; seed <= 60; seed++) {
      seeds.add(seed);
    }
    return seeds;
  }

  /** A feature map of the graph. */
  private record Node(String name, SDVariable variable, int channels) {}

  /** How the evaluator computes a value from those before it. */
  private record Computation(String name, Function<Map<String, Values>, Values> apply) {}

  private static final class RandomGraph {

    final SplittableRandom random;
    final FusedGraph built = new FusedGraph();
    final List<Node> nodes = new ArrayList<>();
    final Map<String, Values> sources = new LinkedHashMap<>();
    final List<String> inputs = new ArrayList<>();
    final List<Computation> computations = new ArrayList<>();

    RandomGraph(long seed) {
      random = new SplittableRandom(seed);
      for (int i = 0; i < 4; i++) {
        int channels = random.nextInt(1, 5);
        Values values = Values.gaussian(random, 1, BATCH, HEIGHT, WIDTH, channels);
        nodes.add(
            i < 2
                ? new Node("x" + i, input("x" + i, values), channels)
                : new Node("p" + i, parameter("p" + i, values), channels));
      }
      for (int i = 0; i < OPERATIONS; i++) {
        addOperation("y" + i);
      }
      // Every graph depends on a parameter.
      Node last = nodes.get(nodes.size() - 1);
      SDVariable v = parameter("v", Values.gaussian(random, 1, BATCH, last.channels));
      append(
          "last",
          new AddPerChannel(built.sameDiff(), last.variable, v).outputVariable(),
          last.channels,
          all -> NaiveOps.addPerChannel(all.get(last.name), all.get("v")));
    }

    private SDVariable input(String name, Values values) {
      inputs.add(name);
      sources.put(name, values);
      return built.input(name, values.shape());
    }

    private SDVariable parameter(String name, Values values) {
      sources.put(name, values);
      return built.parameter(name, values);
    }

    /** New inputs and parameters are made where an operation wants them. */
    private SDVariable source(String name, long... shape) {
      Values values = Values.gaussian(random, 1, shape);
      return random.nextBoolean() ? input(name, values) : parameter(name, values);
    }

    private Node anyNode() {
      // Recent ones more often, so that graphs are deep.
      int size = nodes.size();
      return nodes.get(
          random.nextInt(3) == 0 ? random.nextInt(size) : random.nextInt(size * 2 / 3, size));
    }

    private void addOperation(String name) {
      Node x = anyNode();
      switch (random.nextInt(7)) {
        case 0, 1 -> add(name, x);
        case 2 -> concat(name, x);
        case 3 -> {
          Activation function = Activation.values()[random.nextInt(Activation.values().length)];
          append(
              name,
              new Eltwise(built.sameDiff(), x.variable, function).outputVariable(),
              x.channels,
              all -> NaiveOps.eltwise(all.get(x.name), function));
        }
        case 4 -> {
          SDVariable v = source(name + "_v", BATCH, x.channels);
          append(
              name,
              new AddPerChannel(built.sameDiff(), x.variable, v).outputVariable(),
              x.channels,
              all -> NaiveOps.addPerChannel(all.get(x.name), all.get(name + "_v")));
        }
        case 5 -> {
          SDVariable v = source(name + "_v", BATCH, 2L * x.channels);
          append(
              name,
              new ScaleShiftPerChannel(built.sameDiff(), x.variable, v).outputVariable(),
              x.channels,
              all -> NaiveOps.scaleShiftPerChannel(all.get(x.name), all.get(name + "_v")));
        }
        default -> groupNorm(name, x);
      }
    }

    private void add(String name, Node x) {
      List<Node> fitting = nodes.stream().filter(n -> n.channels == x.channels).toList();
      Node other = fitting.get(random.nextInt(fitting.size()));
      append(
          name,
          new Add(built.sameDiff(), x.variable, other.variable).outputVariable(),
          x.channels,
          all -> NaiveOps.add(all.get(x.name), all.get(other.name)));
    }

    private void concat(String name, Node x) {
      Node other = anyNode();
      if (x.channels + other.channels > MAX_CHANNELS) {
        add(name, x);
        return;
      }
      append(
          name,
          new ConcatChannels(built.sameDiff(), x.variable, other.variable, x.channels)
              .outputVariable(),
          x.channels + other.channels,
          all -> NaiveOps.concatChannels(all.get(x.name), all.get(other.name)));
    }

    private void groupNorm(String name, Node x) {
      int groups = x.channels % 2 == 0 && random.nextBoolean() ? 2 : 1;
      Activation function = random.nextBoolean() ? Activation.IDENTITY : Activation.SILU;
      SDVariable a = parameter(name + "_a", Values.gaussian(random, 1, x.channels));
      SDVariable b = parameter(name + "_b", Values.gaussian(random, 1, x.channels));
      append(
          name,
          new GroupNorm(built.sameDiff(), x.variable, a, b, groups, 1e-2, function)
              .outputVariable(),
          x.channels,
          all ->
              NaiveOps.eltwise(
                  NaiveOps.groupNorm(
                      all.get(x.name), all.get(name + "_a"), all.get(name + "_b"), groups, 1e-2),
                  function));
    }

    private void append(
        String name, SDVariable y, int channels, Function<Map<String, Values>, Values> apply) {
      nodes.add(new Node(name, y.rename(name), channels));
      computations.add(new Computation(name, apply));
    }

    Map<String, Values> evaluate() {
      Map<String, Values> all = new HashMap<>(sources);
      computations.forEach(c -> all.put(c.name, c.apply.apply(all)));
      return all;
    }

    /** Draws some sources anew. */
    void change(Set<String> names) {
      for (String name : names) {
        Values values = Values.gaussian(random, 1, sources.get(name).shape());
        sources.put(name, values);
        if (!inputs.contains(name)) {
          values.writeTo(built.parameter(name));
        }
      }
    }

    Set<String> some(List<String> names) {
      Set<String> chosen = new LinkedHashSet<>();
      names.stream().filter(name -> random.nextBoolean()).forEach(chosen::add);
      return chosen;
    }

    String[] someOutputs() {
      Set<String> chosen = new LinkedHashSet<>();
      chosen.add(nodes.get(nodes.size() - 1).name);
      for (int i = random.nextInt(5); i > 0; i--) {
        chosen.add(nodes.get(random.nextInt(nodes.size())).name);
      }
      return chosen.toArray(new String[0]);
    }
  }

  private static void checkRun(RandomGraph graph, GraphPlan plan, String[] outputs, String what) {
    Map<String, Values> expected = graph.evaluate();
    for (String input : graph.inputs) {
      graph.sources.get(input).setInput(plan, input);
    }
    plan.run();
    for (String output : outputs) {
      assertThat(expected.get(output).relativeErrorOf(Values.of(plan.output(output))))
          .as("%s, %s", output, what)
          .isLessThan(TOLERANCE);
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void computesAsIfNothingShared(long seed) {
    RandomGraph graph = new RandomGraph(seed);
    String[] outputs = graph.someOutputs();
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(graph.built.forward(outputs), weights)) {
      for (int run = 0; run < 3; run++) {
        checkRun(graph, plan, outputs, "run " + run);
        graph.change(graph.sources.keySet());
        plan.parametersChanged();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void keepsWhatDoesNotChange(long seed) {
    RandomGraph graph = new RandomGraph(seed);
    String[] outputs = graph.someOutputs();
    Set<String> unchanging = graph.some(graph.inputs);
    Set<String> changing = new HashSet<>(graph.inputs);
    changing.removeAll(unchanging);
    List<String> parameters = new ArrayList<>(graph.built.parameters().keySet());
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(graph.built.forward(unchanging, outputs), weights)) {
      checkRun(graph, plan, outputs, "first");
      for (int run = 0; run < 3; run++) {
        graph.change(changing);
        checkRun(graph, plan, outputs, "others changed");
        graph.change(graph.some(new ArrayList<>(unchanging)));
        checkRun(graph, plan, outputs, "unchanging inputs changed");
        checkRun(graph, plan, outputs, "nothing changed");
        graph.change(graph.some(parameters));
        plan.parametersChanged();
        checkRun(graph, plan, outputs, "parameters changed");
      }
    }
  }

  /** The slope along a random direction in the space of all parameters. */
  @ParameterizedTest
  @MethodSource("seeds")
  void differentiatesAsIfNothingShared(long seed) {
    RandomGraph graph = new RandomGraph(seed);
    Node last = graph.nodes.get(graph.nodes.size() - 1);
    long[] shape = {BATCH, HEIGHT, WIDTH, last.channels};
    graph.built.endInProductWith(last.variable, "g", shape);
    Values g = Values.gaussian(graph.random, 1, shape);
    graph.built.gradientFunction();
    Map<String, CpuTensor> sums = new LinkedHashMap<>(graph.built.zeroGradients());
    sums.keySet().removeIf(name -> graph.built.sameDiff().getVariable(name).gradient() == null);
    // The gradients of two parameters that are added are one array, which goes to one place.
    Set<String> distinct = new HashSet<>();
    sums.keySet()
        .removeIf(
            name -> !distinct.add(graph.built.sameDiff().getVariable(name).gradient().name()));
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(graph.built.gradient(sums, "loss"), weights)) {
      for (int run = 0; run < 2; run++) {
        graph.inputs.forEach(name -> graph.sources.get(name).setInput(plan, name));
        g.setInput(plan, "g");
        plan.setInput(
            FusedGraph.LOSS_GRADIENT,
            java.nio.FloatBuffer.wrap(new float[] {g.elements().length / 2f}),
            0);
        plan.run();
      }
    }
    double largest =
        sums.values().stream().mapToDouble(sum -> Values.of(sum).norm()).max().orElseThrow();
    for (String name : sums.keySet()) {
      Values direction = Values.gaussian(graph.random, 1, sums.get(name).shape());
      double expected = slope(graph, last.name, g, name, direction);
      double actual = NaiveOps.innerProduct(Values.of(sums.get(name)), direction);
      // Gradients that are zero, as of a summand before a normalisation, are so up to rounding.
      double size = Math.max(Values.of(sums.get(name)).norm(), 0.02 * largest) * direction.norm();
      assertThat(Math.abs(actual - expected)).as(name).isLessThan(5e-5 * size);
    }
  }

  private static double slope(
      RandomGraph graph, String output, Values g, String name, Values direction) {
    double step = 1e-6;
    Values kept = graph.sources.get(name);
    double[] losses = new double[2];
    for (int side = 0; side < 2; side++) {
      Values moved = Values.zeros(kept.shape());
      for (int i = 0; i < moved.elements().length; i++) {
        moved.elements()[i] =
            kept.elements()[i] + (side == 0 ? step : -step) * direction.elements()[i];
      }
      graph.sources.put(name, moved);
      losses[side] = NaiveOps.innerProduct(graph.evaluate().get(output), g);
    }
    graph.sources.put(name, kept);
    return (losses[0] - losses[1]) / (2 * step);
  }
}
