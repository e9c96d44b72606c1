package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Lesson D: the minimal model, and how well it removes how much noise. docs/lessons/d.md tells what
 * its pictures show.
 */
public final class LessonD {

  static final long STEPS = 1500;

  /** The minimal model halves images four times, so 28 pixels do not go. */
  private static final int SIZE = 32;

  private static final int TIMESTEPS = 1000;

  private LessonD() {}

  /**
   * Runs the lesson.
   *
   * @param args the folder for the pictures and the number of training steps, both optional
   * @throws IOException if data cannot be read or a picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Lesson.D.main(args);
  }

  static void run(LessonRun run) throws IOException {
    run(run, new ImageDataSet.HoldOut(Clothes.training(), Clothes.test()));
  }

  static void run(LessonRun run, ImageDataSet.HoldOut clothes) throws IOException {
    ImageDataSet training = clothes.training().resized(SIZE, SIZE);
    ImageDataSet test = clothes.heldOut().resized(SIZE, SIZE);
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), TIMESTEPS);

    // How long a chain should be, and where it ends.
    ChainLength.draw(run);
    NoiseKinds.draw(training, schedule, run);

    // Training.
    Training trained = ThreeTargets.compare(training, schedule, run);
    sayEpochs(trained.losses(), training.size() / Training.BATCH, run);

    // One step back, from rising noise.
    NetworkDenoiser denoiser = trained.averageDenoiser(schedule);
    DenoisingQuality quality = new DenoisingQuality(denoiser, schedule);
    quality.draw(test, run);
    DenoisingErrors.draw(quality, training, test, run);

    sayWhatBrightnessTells(denoiser, test, run);

    // All the way back, from nothing but noise.
    INDArray images = new ReverseProcess(schedule, training.shape(), run).drawChains(denoiser);
    run.picture(
        "samples.png",
        Images.grid(images, ReverseProcess.IMAGES / 2, 4),
        String.format(Locale.ROOT, "samples, %d steps each", TIMESTEPS));
  }

  private static void sayEpochs(List<Double> losses, int epoch, LessonRun run) {
    for (int first = 0; first < losses.size(); first += epoch) {
      int end = Math.min(losses.size(), first + epoch);
      run.say("epoch %d: average loss %.4f", first / epoch, Training.mean(losses, first, end));
    }
  }

  /** Normalising its input makes the model blind to brightness; docs/lessons/d.md says more. */
  private static void sayWhatBrightnessTells(
      NetworkDenoiser denoiser, ImageDataSet images, LessonRun run) {
    INDArray x = images.batch(0).getFeatures();
    INDArray difference = denoiser.denoise(x, 0).eps().sub(denoiser.denoise(x.add(0.5), 0).eps());
    run.say(
        "Adding 0.5 to every pixel changes the model's answer by %.1e at most.",
        difference.amaxNumber().doubleValue());
  }
}
