package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.ddpm4j.kernels.ops.BoundPerImage;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;

/** The operation in a plan against its definition in loops, and against differences of that. */
class BoundPerImageTest {

  private static final int N = 3;
  private static final int C = 2;
  private static final int H = 3;
  private static final int W = 2;

  /** Four values from -1 to 1, and nine from -2 to 3. */
  private static final List<BoundLoss.Pixels> PIXELS =
      List.of(new BoundLoss.Pixels(-1, 2 / 3.0, 3), new BoundLoss.Pixels(-2, 5 / 8.0, 8));

  private static Stream<Arguments> losses() {
    List<Arguments> all = new ArrayList<>();
    for (boolean learned : new boolean[] {true, false}) {
      for (List<BoundLoss.Pixels> pixels : List.of(PIXELS, List.<BoundLoss.Pixels>of())) {
        all.add(Arguments.of(learned, new BoundLoss(Optional.empty(), pixels)));
        for (LossFunction error : LossFunction.values()) {
          all.add(Arguments.of(learned, new BoundLoss(Optional.of(error), pixels)));
        }
      }
    }
    return all.stream();
  }

  /** The first image is at the last step, the others are at two others. */
  private static Values coefficients(boolean learned) {
    double h = learned ? 1 : 0;
    return new Values(
        new double[] {
          0.75, 0.5 * h, 2.5, 1, 3, 0.25, //
          1.5, 0.125 * h, 20, 0, 3, 1, //
          0.0625, 0.0078125 * h, 4, 0, 3, 2
        },
        N,
        BoundLoss.Coefficients.COUNT);
  }

  private static Values images() {
    SplittableRandom random = new SplittableRandom(3);
    Values x0 = Values.zeros(N, C, H, W);
    for (int i = 0; i < x0.elements().length; i++) {
      BoundLoss.Pixels pixels = PIXELS.get(i / (H * W) % C);
      double value = pixels.lower() + random.nextInt(pixels.last() + 1) * pixels.step();
      x0.elements()[i] = (float) value;
    }
    return x0;
  }

  @ParameterizedTest
  @MethodSource("losses")
  void equalsItsDefinition(boolean learned, BoundLoss loss) {
    SplittableRandom random = new SplittableRandom(8);
    Values answer = Values.gaussian(random, 1, N, H, W, learned ? 2 * C : C);
    Values target = Values.gaussian(random, 1, N, C, H, W);
    Values x0 = images();
    Values coefficients = coefficients(learned);
    OperationCheck.Oracle oracle = in -> naive(in.get(0), answer, target, x0, coefficients, loss);
    FusedGraph built = new FusedGraph();
    List<SDVariable> rest = new ArrayList<>();
    for (Values values : List.of(target, x0, coefficients)) {
      rest.add(built.input("input" + rest.size(), values.shape()));
    }
    SDVariable losses =
        new BoundPerImage(
                built.sameDiff(),
                built.parameter("answer", answer),
                rest.get(0),
                rest.get(1),
                rest.get(2),
                loss)
            .outputVariable()
            .rename("y");
    built.endInProductWith(losses, "g", N);
    Map<String, CpuTensor> gradients = built.zeroGradients();
    Values g = Values.gaussian(random, 1, N);
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        GraphPlan plan = FusedGraph.compile(built.gradient(gradients, "y"), weights)) {
      g.setInput(plan, "g");
      target.setInput(plan, "input0");
      x0.setInput(plan, "input1");
      coefficients.setInput(plan, "input2");
      plan.setInput(FusedGraph.LOSS_GRADIENT, FloatBuffer.wrap(new float[] {N}), 0);
      plan.run();
      Values expected = oracle.apply(List.of(answer));
      assertThat(expected.relativeErrorOf(Values.of(plan.output("y")))).isLessThan(1e-6);
      // Of a function whose bound has the prediction of before.
      Values slopes =
          OperationCheck.differences(
              oracle, List.of(new Values(answer.elements().clone(), answer.shape())), 0, g);
      Values found = Values.of(gradients.values().iterator().next());
      assertThat(slopes.relativeErrorOf(found)).isLessThan(1e-5);
    }
  }

  /** Sums of exponentials, and distribution functions by an integral. */
  private static Values naive(
      Values answer, Values still, Values target, Values x0, Values coefficients, BoundLoss loss) {
    int row = answer.size(3);
    Values losses = Values.zeros(N);
    for (int n = 0; n < N; n++) {
      double[] k = new double[6];
      System.arraycopy(coefficients.elements(), 6 * n, k, 0, 6);
      for (int c = 0; c < C; c++) {
        for (int i = 0; i < H * W; i++) {
          int inside = (n * H * W + i) * row + c;
          int outside = (n * C + c) * H * W + i;
          double e = answer.elements()[inside] - target.elements()[outside];
          double meanError =
              loss.simple().isPresent() ? still.elements()[inside] - target.elements()[outside] : e;
          double v = row > C ? answer.elements()[inside + C] : 0;
          // In units where the least deviation is 1.
          double variance = Math.exp(k[1] * (1 + v));
          double z = k[0] * meanError;
          double nats;
          if (k[3] == 0) {
            nats = (Math.log(variance) + 1 / variance - 1 + z * z / variance) / 2;
          } else if (loss.pixels().isEmpty()) {
            nats = (z * z / variance + Math.log(2 * Math.PI * variance / (k[2] * k[2]))) / 2;
          } else {
            BoundLoss.Pixels pixels = loss.pixels().get(c);
            double x = x0.elements()[outside];
            boolean first = Math.abs(x - pixels.lower()) < pixels.step() / 2;
            double brightest = pixels.lower() + pixels.last() * pixels.step();
            boolean last = Math.abs(x - brightest) < pixels.step() / 2;
            double deviation = Math.sqrt(variance) / k[2];
            double mean = x + z / k[2];
            double from = first ? mean - 12 * deviation : x - pixels.step() / 2;
            double to = last ? mean + 12 * deviation : x + pixels.step() / 2;
            nats = -Math.log(probability(from, to, mean, deviation));
          }
          double error =
              loss.simple()
                  .map(
                      function ->
                          switch (function) {
                            case L1 -> Math.abs(e);
                            case L2 -> e * e;
                            case HUBER -> Math.abs(e) < 1 ? e * e / 2 : Math.abs(e) - 0.5;
                          })
                  .orElse(0.0);
          losses.elements()[n] += (k[4] * nats + k[5] * error) / (C * H * W);
        }
      }
    }
    return losses;
  }

  /** By Simpson's rule. */
  private static double probability(double from, double to, double mean, double deviation) {
    int intervals = 2000;
    double h = (to - from) / intervals;
    double sum = 0;
    for (int i = 0; i <= intervals; i++) {
      double z = (from + i * h - mean) / deviation;
      int weight = i == 0 || i == intervals ? 1 : i % 2 == 1 ? 4 : 2;
      sum += weight * Math.exp(-z * z / 2);
    }
    return sum * h / 3 / (deviation * Math.sqrt(2 * Math.PI));
  }
}
