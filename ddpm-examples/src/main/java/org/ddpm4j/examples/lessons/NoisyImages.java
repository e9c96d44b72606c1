package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.plots.DensityChart;
import org.ddpm4j.plots.KernelDensity;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Images at some timesteps, each drawn in one go: {@code x_t = √ᾱ_t x0 + √(1-ᾱ_t) ε} (Ho et al.
 * 2020, eq. 4).
 */
final class NoisyImages {

  private static final List<Integer> TIMESTEPS = List.of(25, 50, 100, 250, 500, 999);

  private NoisyImages() {}

  static void draw(LessonRun run, NoiseSchedule schedule, ImageDataSet clothes) throws IOException {
    INDArray x0 = clothes.batch(IntStream.range(0, clothes.size()).toArray()).getFeatures();
    List<BufferedImage> grids = new ArrayList<>();
    List<String> titles = new ArrayList<>();
    grids.add(Images.grid(x0, 4, 2));
    titles.add("x0");
    for (int t : TIMESTEPS) {
      // Only the picture is clipped to [-1,1], where levels end; x_t itself never is.
      grids.add(Images.grid(noisy(schedule, x0, t), 4, 2));
      titles.add("t = " + t);
    }
    run.picture(
        "c-noisy-images.png",
        GridTitles.above(titles, grids, 4),
        "16 images at rising noise, by q_sample");
    double[] pixels = noisy(schedule, x0, 999).ravel().toDoubleVector();
    run.picture(
        "c-pixels.png",
        DensityChart.of(
                "",
                "pixel",
                List.of(
                    KernelDensity.of(x0.ravel().toDoubleVector()).curve("x0", -4, 4, 400),
                    KernelDensity.of(pixels).curve("t = 999", -4, 4, 400)))
            .withSize(560, 340)
            .draw(),
        "the distribution of their pixels before and at t = 999, and N(0,1)");
    double mean = Arrays.stream(pixels).average().orElseThrow();
    run.say(
        "Pixels at t = 999: mean %.3f, variance %.3f; %.0f %% of them outside of [-1,1]",
        mean,
        Arrays.stream(pixels).map(x -> (x - mean) * (x - mean)).average().orElseThrow(),
        100.0 * Arrays.stream(pixels).filter(x -> Math.abs(x) > 1).count() / pixels.length);
  }

  private static INDArray noisy(NoiseSchedule schedule, INDArray x0, int t) {
    int[] times = new int[Math.toIntExact(x0.size(0))];
    Arrays.fill(times, t);
    return new ForwardProcess(schedule)
        .qSample(x0, times, NoiseSource.seeded(0, 0).gaussian(t, x0.shape()));
  }
}
