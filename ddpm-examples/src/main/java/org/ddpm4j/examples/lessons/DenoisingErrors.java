package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.plots.Axis;
import org.ddpm4j.plots.LineChart;
import org.ddpm4j.plots.LineStyle;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.plots.Series;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The error of one-step denoising over the noise level, beside two who know no network. */
final class DenoisingErrors {

  private static final int[] TIMES = {0, 10, 25, 50, 100, 150, 200, 300, 400, 500, 600, 800, 999};
  private static final int IMAGES = 100;
  private static final int AVERAGED = 1000;

  /** The difference of black and white in [-1,1], squared. */
  private static final double PEAK = 4;

  private DenoisingErrors() {}

  /**
   * Draws the errors of images that the network has not seen.
   *
   * @param training images of which the mean is taken
   */
  static void draw(
      DenoisingQuality quality, ImageDataSet training, ImageDataSet test, LessonRun run)
      throws IOException {
    INDArray x0 = test.batch(IntStream.range(0, IMAGES).toArray()).getFeatures();
    INDArray mean =
        training.batch(IntStream.range(0, AVERAGED).toArray()).getFeatures().mean(true, 0);
    double[] noisy = errors(t -> error(quality.noisy(x0, t), x0));
    double[] denoised =
        errors(
            t -> {
              INDArray estimate = quality.denoiser().denoise(quality.noisy(x0, t), t).x0();
              return error(X0Constraint.clip(-1, 1).apply(estimate), x0);
            });
    double meanError = error(mean.broadcast(x0.shape()), x0);
    double[] ofMean = errors(t -> meanError);
    for (int i = 0; i < TIMES.length; i++) {
      run.say(
          "t = %3d: squared error noisy %.4f, denoised %.4f, mean image %.4f",
          TIMES[i], noisy[i], denoised[i], ofMean[i]);
    }

    double[] t = Arrays.stream(TIMES).asDoubleStream().toArray();
    double[] sigma =
        Arrays.stream(TIMES).mapToDouble(quality.schedule()::sqrtOneMinusAlphasCumprod).toArray();
    LineChart squares =
        LineChart.of("", curves(t, noisy, denoised, ofMean))
            .withAxes(Axis.linear("timestep t"), Axis.logarithmic("mean squared error"));
    LineChart ratios =
        LineChart.of("", curves(sigma, psnr(noisy), psnr(denoised), psnr(ofMean)))
            .withAxes(Axis.linear("standard deviation of the noise"), Axis.linear("PSNR, dB"));
    run.picture(
        "denoising-errors.png",
        Panels.grid(List.of(squares.draw(), ratios.draw()), 2),
        "the error of the noisy image, of the denoised one, and of always saying the mean image");
  }

  private static List<Series> curves(
      double[] x, double[] noisy, double[] denoised, double[] ofMean) {
    return List.of(
        Series.of("noisy", x, noisy),
        Series.of("denoised", x, denoised),
        Series.of("mean image", x, ofMean).drawn(LineStyle.REFERENCE));
  }

  private static double[] errors(IntToDoubleFunction error) {
    return Arrays.stream(TIMES).mapToDouble(error).toArray();
  }

  private static double error(INDArray images, INDArray x0) {
    return images.squaredDistance(x0) / x0.length();
  }

  private static double[] psnr(double[] errors) {
    return Arrays.stream(errors).map(error -> 10 * Math.log10(PEAK / error)).toArray();
  }
}
