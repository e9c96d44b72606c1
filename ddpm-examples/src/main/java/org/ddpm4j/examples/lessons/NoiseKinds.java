package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.plots.DensityChart;
import org.ddpm4j.plots.KernelDensity;
import org.ddpm4j.plots.Series;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where the forward process ends, with the right noise and with uniform noise. */
final class NoiseKinds {

  private static final int IMAGES = 16;
  private static final double WIDEST = 4;
  private static final int POINTS = 200;

  private NoiseKinds() {}

  static void draw(ImageDataSet images, NoiseSchedule schedule, LessonRun run) throws IOException {
    INDArray x0 =
        images.takeSpread(IMAGES).batch(IntStream.range(0, IMAGES).toArray()).getFeatures();
    INDArray gaussian = NoiseSource.seeded(0, 0).gaussian(0, x0.shape());
    int[] last = new int[IMAGES];
    Arrays.fill(last, schedule.timesteps() - 1);
    ForwardProcess forward = new ForwardProcess(schedule);
    run.picture(
        "noise-kinds.png",
        DensityChart.of(
                "",
                "pixel of x_T",
                List.of(
                    density("Gaussian noise", forward.qSample(x0, last, gaussian), run),
                    density(
                        "uniform noise",
                        forward.qSample(x0, last, UniformNoise.of(gaussian)),
                        run)))
            .draw(),
        "where the chain ends: sampling begins at N(0,1), which uniform noise never reaches");
  }

  private static Series density(String name, INDArray values, LessonRun run) {
    run.say(
        "%s: x_T has mean %.3f and standard deviation %.3f",
        name, values.meanNumber().doubleValue(), values.stdNumber().doubleValue());
    double[] samples = values.dup('c').data().asDouble();
    return KernelDensity.of(samples).curve(name, -WIDEST, WIDEST, POINTS);
  }
}
