package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.bound.KlDivergence;
import org.ddpm4j.diffusion.bound.VariationalBound;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.plots.Axis;
import org.ddpm4j.plots.LineChart;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.plots.Series;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * The posterior {@code q(x_{t-1} | x_t, x0) = N(μ̃, β̃ I)} (Ho et al. 2020, eq. 7) and what the
 * bound makes of an error in ε (eq. 12).
 */
final class PosteriorAndWeights {

  private PosteriorAndWeights() {}

  /** Draws those of the paper's chain, and says what is dropped with the constant on both. */
  static void draw(LessonRun run, NoiseSchedule paper, NoiseSchedule ours) throws IOException {
    // μ̃ = coef1 x0 + coef2 x_t: but for the first steps, it is nearly all x_t.
    LineChart mean =
        chart(
            "posterior mean: share of x0 and of x_t",
            line(paper, "x0", paper::posteriorMeanCoef1),
            line(paper, "x_t", paper::posteriorMeanCoef2));
    LineChart variance =
        chart("σ²", line(paper, "β", paper::betas), line(paper, "β̃", paper::posteriorVariance));
    VariationalBound bound =
        new VariationalBound(paper, ReverseVariance.BETA, DiscretizedGaussian.ofBytes());
    LineChart weight =
        chart(
            "β²/(2σ²α(1-ᾱ)), the weight of ‖ε-ε_θ‖²",
            line(paper, "σ² = β", t -> bound.epsWeight(t, paper.betas(t))),
            line(paper, "σ² = β̃", t -> bound.epsWeight(t, paper.posteriorVariance(t))),
            line(paper, "simple", t -> 1));
    run.picture(
        "b-posterior.png",
        Panels.grid(List.of(mean.draw(), variance.draw(), weight.draw()), 3),
        "the posterior's mean and variance, and the weights of the bound");
    for (NoiseSchedule schedule : List.of(paper, ours)) {
      run.say(
          "Constant of the bound for σ² = β, T = %d: %.3f bits/dim; for σ² = β̃: 0",
          schedule.timesteps(), constant(schedule));
    }
  }

  /** What is left of all L_t, in bits/dim, where the mean is perfect and σ² = β. */
  static double constant(NoiseSchedule schedule) {
    return IntStream.range(1, schedule.timesteps())
            .mapToDouble(
                t ->
                    KlDivergence.gaussian(
                        0, Math.log(schedule.posteriorVariance(t)), 0, Math.log(schedule.betas(t))))
            .sum()
        / Math.log(2);
  }

  /** From t = 1 on, as the last step of the chain has no posterior variance. */
  private static Series line(NoiseSchedule schedule, String name, IntToDoubleFunction value) {
    int[] t = IntStream.range(1, schedule.timesteps()).toArray();
    return Series.of(
        name,
        IntStream.of(t).asDoubleStream().toArray(),
        IntStream.of(t).mapToDouble(value).toArray());
  }

  private static LineChart chart(String title, Series... lines) {
    return LineChart.of(title, List.of(lines))
        .withAxes(Axis.logarithmic("t"), Axis.logarithmic(""))
        .withSize(440, 300);
  }
}
