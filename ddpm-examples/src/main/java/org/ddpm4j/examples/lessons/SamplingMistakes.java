package org.ddpm4j.examples.lessons;

import java.io.IOException;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.RespacedSchedule;

/** The same network and seed, sampled well and badly. */
final class SamplingMistakes {

  private static final int PIXEL = 3;
  private static final int STEPS = 100;

  private SamplingMistakes() {}

  static void draw(Training trained, ReverseProcess reverse, LessonRun run) throws IOException {
    RespacedSchedule times = reverse.times(STEPS);
    NoiseSchedule chain = times.schedule();
    Denoiser average = trained.averageDenoiser(reverse.schedule());
    Denoiser last =
        new NetworkDenoiser(trained.last()::predict, Parameterization.EPSILON, reverse.schedule());
    AncestralSampler clipped = reverse.sampler(STEPS);
    AncestralSampler unclipped =
        new AncestralSampler(times, ReverseVariance.POSTERIOR, X0Constraint.NONE);
    Algorithm2 exercise = new Algorithm2(times, chain::posteriorStandardDeviation);
    Algorithm2 noRoot = new Algorithm2(times, chain::posteriorVariance);

    run.picture(
        "sampling-mistakes.png",
        new ImageTable(PIXEL)
            .row("as it should be", reverse.sample(average, clipped))
            .row("without EMA", reverse.sample(last, clipped))
            .row("without clipping", reverse.sample(average, unclipped))
            .row("the same, algorithm 2", reverse.sample(average, exercise))
            .row("and β̃ for its root", reverse.sample(average, noRoot))
            .draw(),
        "what the moving average, clipping and the root of the variance are for");
  }
}
