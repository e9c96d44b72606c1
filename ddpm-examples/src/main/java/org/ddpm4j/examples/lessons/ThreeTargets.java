package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.objective.LossWeighting;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.SimpleObjective;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.plots.LossChart;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.model.MinimalUnet;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The minimal U-Net trained for Gaussian noise, and with two mistakes: for uniform noise, and for
 * the image while samplers take its answer for noise. Narrower than the post's {@code
 * MinimalUnet.of(1)}, whose base width of 64 makes 103,900,835 parameters.
 */
final class ThreeTargets {

  private static final MinimalUnet NETWORK = MinimalUnet.of(1).withDim(8);
  private static final int WINDOW = 20;
  private static final int SAMPLING_STEPS = 100;
  private static final int PIXEL = 3;

  private ThreeTargets() {}

  /** Trains all three, the mistakes a third as long, and returns the first, which is none. */
  static Training compare(ImageDataSet images, NoiseSchedule schedule, LessonRun run)
      throws IOException {
    Objective noise = meanSquare(Parameterization.EPSILON, schedule);
    Objective image = meanSquare(Parameterization.X0, schedule);
    Training right = Training.of("Gaussian", NETWORK, noise, images, run.steps(), run);
    // Mistakes show early; the time is better spent on the first.
    long fewer = Math.max(1, run.steps() / 3);
    Training uniform = Training.of("uniform", NETWORK, new UniformNoise(noise), images, fewer, run);
    Training x0 = Training.of("image", NETWORK, image, images, fewer, run);

    run.picture(
        "losses.png",
        LossChart.of(
                List.of(
                    right.lossCurve("Gaussian noise", WINDOW),
                    uniform.lossCurve("uniform noise", WINDOW),
                    x0.lossCurve("the image", WINDOW)))
            .draw(),
        String.format(
            Locale.ROOT,
            "mean squared errors, means of %d steps; only those of one target compare",
            WINDOW));

    ReverseProcess reverse = new ReverseProcess(schedule, images.shape(), run);
    AncestralSampler sampler = reverse.sampler(SAMPLING_STEPS);
    INDArray imageAsImage =
        reverse.sample(
            new NetworkDenoiser(x0.average()::predict, Parameterization.X0, schedule), sampler);
    run.picture(
        "targets.png",
        new ImageTable(PIXEL)
            .row("Gaussian noise", reverse.sample(right.averageDenoiser(schedule), sampler))
            .row("uniform noise", reverse.sample(uniform.averageDenoiser(schedule), sampler))
            .row("image, taken for noise", reverse.sample(x0.averageDenoiser(schedule), sampler))
            .row("image, taken for that", imageAsImage)
            .draw(),
        "samples of networks trained for noise, for uniform noise and for the image");
    return right;
  }

  private static SimpleObjective meanSquare(Parameterization target, NoiseSchedule schedule) {
    return new SimpleObjective(schedule, target, LossFunction.L2, new LossWeighting.Uniform());
  }
}
