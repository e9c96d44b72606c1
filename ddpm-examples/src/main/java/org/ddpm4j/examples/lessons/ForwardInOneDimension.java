package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.bound.KlDivergence;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.plots.DensityChart;
import org.ddpm4j.plots.KernelDensity;
import org.ddpm4j.plots.LineStyle;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.plots.Series;
import org.ddpm4j.schedules.ConstantSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The forward process of a single number, step by step: {@code x_t = √(1-β) x_{t-1} + √β ε} (Ho et
 * al. 2020, eq. 2), from 0.7, with β = 0.01.
 */
final class ForwardInOneDimension {

  private static final double X0 = 0.7;
  private static final double BETA = 0.01;
  private static final int SAMPLES = 1000;
  private static final int STEPS = 1000;

  /** What 1000 samples hardly tell from nothing, in nats. */
  private static final double NEGLIGIBLE = 1e-3;

  private ForwardInOneDimension() {}

  static void draw(LessonRun run) throws IOException {
    NoiseSchedule schedule = NoiseSchedule.of(new ConstantSchedule(BETA), STEPS);
    List<double[]> states = walk(schedule);
    int[] evenly = IntStream.range(0, 10).map(i -> i * 100 + 1).toArray();
    int[] growing = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    List<BufferedImage> charts = List.of(chart(states, evenly), chart(states, growing));
    run.picture(
        "c-one-dimension.png",
        Panels.grid(charts, 2),
        "1000 numbers that begin at 0.7, after more and more steps, and N(0,1)");
    double[] last = states.get(STEPS);
    double mean = Arrays.stream(last).average().orElseThrow();
    double squares = Arrays.stream(last).map(x -> (x - mean) * (x - mean)).sum();
    run.say("After %d steps: mean %.3f, variance %.3f", STEPS, mean, squares / (SAMPLES - 1));
    run.say("From step %d on it is N(0,1) to within %s nats.", arrival(schedule), NEGLIGIBLE);
  }

  /** The samples after 0, 1, … steps. */
  private static List<double[]> walk(NoiseSchedule schedule) {
    ForwardProcess forward = new ForwardProcess(schedule);
    NoiseSource noise = NoiseSource.seeded(0, 0);
    INDArray x = Nd4j.valueArrayOf(new long[] {SAMPLES, 1, 1, 1}, (float) X0);
    List<double[]> states = new ArrayList<>(List.of(x.ravel().toDoubleVector()));
    int[] times = new int[SAMPLES];
    for (int t = 0; t < STEPS; t++) {
      Arrays.fill(times, t);
      x = forward.qStep(x, times, noise.gaussian(t, x.shape()));
      states.add(x.ravel().toDoubleVector());
    }
    return states;
  }

  /** Before the first step all samples are one point, which has no density: a line marks it. */
  private static BufferedImage chart(List<double[]> states, int[] steps) {
    List<Series> curves = new ArrayList<>();
    curves.add(
        new Series(
            "step 0: the point", new double[] {X0, X0}, new double[] {0, 4}, LineStyle.DOTTED));
    for (int step : steps) {
      curves.add(KernelDensity.of(states.get(step)).curve("step " + step, -4, 4, 400));
    }
    return DensityChart.of("", "x", curves).withSize(560, 380).draw();
  }

  /** The first step after which {@code KL(q(x_t | x0) ‖ N(0,1))} is negligible. */
  static int arrival(NoiseSchedule schedule) {
    return 1
        + IntStream.range(0, schedule.timesteps())
            .filter(
                t ->
                    KlDivergence.gaussian(
                            X0 * schedule.sqrtAlphasCumprod(t),
                            schedule.logOneMinusAlphasCumprod(t),
                            0,
                            0)
                        < NEGLIGIBLE)
            .findFirst()
            .orElseThrow();
  }
}
