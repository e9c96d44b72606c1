package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How well a network finds the image in one step, as the noise rises. */
record DenoisingQuality(NetworkDenoiser denoiser, NoiseSchedule schedule) {

  private static final int[] SHOWN = {0, 50, 100, 200, 300, 400, 500, 700, 900};

  /** An image of each of three classes: ankle boot, pullover, trousers. */
  private static final int[] CLASSES = {9, 2, 1};

  private static final int PIXEL = 3;

  /** The figure: original, noisy and denoised images at rising t. */
  void draw(ImageDataSet images, LessonRun run) throws IOException {
    ImageTable figure =
        new ImageTable(
            PIXEL, Arrays.stream(SHOWN).mapToObj(t -> "t = " + t).toArray(String[]::new));
    for (int label : CLASSES) {
      INDArray x0 = images.batch(Clothes.ofClass(images, label, 1)).getFeatures();
      INDArray[] noisy = IntStream.of(SHOWN).mapToObj(t -> noisy(x0, t)).toArray(INDArray[]::new);
      INDArray[] denoised =
          IntStream.range(0, SHOWN.length)
              .mapToObj(i -> denoiser.denoise(noisy[i], SHOWN[i]).x0())
              .toArray(INDArray[]::new);
      figure
          .row("original", Nd4j.tile(x0, SHOWN.length, 1, 1, 1))
          .row("noisy", Nd4j.concat(0, noisy))
          .row("denoised", Nd4j.concat(0, denoised));
    }
    run.picture(
        "denoising.png", figure.draw(), "the more noise, the less of the image is found again");
  }

  /** x_t of every image with its own noise, the same at all t. */
  INDArray noisy(INDArray x0, int t) {
    int[] times = new int[(int) x0.size(0)];
    Arrays.fill(times, t);
    INDArray eps = NoiseSource.seeded(0, 0).gaussian(0, x0.shape());
    return new ForwardProcess(schedule).qSample(x0, times, eps);
  }
}
