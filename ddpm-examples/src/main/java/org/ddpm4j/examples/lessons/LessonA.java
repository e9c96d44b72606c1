package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.Locale;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Lesson A: from noise schedules to clothes, as in "The Annotated Diffusion Model" and the
 * practical work after it. docs/lessons/a.md tells what its pictures show.
 */
public final class LessonA {

  static final long STEPS = 1200;

  private static final int TIMESTEPS = 600;
  private static final int EMBEDDING = 28;
  private static final int COLUMNS = 10;

  private LessonA() {}

  /**
   * Runs the lesson.
   *
   * @param args the folder for the pictures and the number of training steps, both optional
   * @throws IOException if data cannot be read or a picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Lesson.A.main(args);
  }

  static void run(LessonRun run) throws IOException {
    run(run, Clothes.training());
  }

  static void run(LessonRun run, ImageDataSet clothes) throws IOException {
    // How much noise, and when.
    ScheduleCurves.draw(TIMESTEPS, run);
    ScheduleMistakes.draw(TIMESTEPS, run);

    // The data, and how it fades.
    drawClasses(clothes, run);
    NoiseSchedule schedule =
        NoiseSchedule.of(LinearSchedule.paper().scaledTo(TIMESTEPS), TIMESTEPS);
    NoiseStrips.draw(clothes, schedule, run);

    // What the network is told, and what its errors cost.
    TimeEmbedding.draw(EMBEDDING, TIMESTEPS, run);
    Losses.draw(run);

    // Training, with both kinds of block.
    Training trained = TwoBlocks.compare(clothes, schedule, run);

    // Sampling.
    ReverseProcess reverse = new ReverseProcess(schedule, clothes.shape(), run);
    Denoiser denoiser = trained.averageDenoiser(schedule);
    INDArray images = reverse.drawChains(denoiser);
    reverse.drawFewerSteps(images, denoiser);
    SamplingMistakes.draw(trained, reverse, run);
  }

  private static void drawClasses(ImageDataSet clothes, LessonRun run) throws IOException {
    ImageTable table = new ImageTable(2);
    for (int label = 0; label < clothes.classNames().size(); label++) {
      int[] images = Clothes.ofClass(clothes, label, COLUMNS);
      table.row(clothes.classNames().get(label), clothes.batch(images).getFeatures());
    }
    run.picture(
        "clothes.png",
        table.draw(),
        String.format(
            Locale.ROOT,
            "%d images, of each class %d",
            COLUMNS * clothes.classNames().size(),
            COLUMNS));
  }
}
