package org.ddpm4j.examples.lessons;

import java.io.IOException;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Split;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * Lesson C: from one number that becomes noise to sixteen samples of every class. What tutorials do
 * with the digits of MNIST is done with clothes, which come along; for digits, write {@code Mnist}
 * for {@code FashionMnist}.
 */
public final class LessonC {

  static final long STEPS = 2000;

  /** In place of the digit 6. */
  private static final String CLASS = "Sneaker";

  private LessonC() {}

  /**
   * Runs the lesson.
   *
   * @param args the folder for the pictures and the number of training steps, both optional
   * @throws IOException if data cannot be read or a picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Lesson.C.main(args);
  }

  static void run(LessonRun run) throws IOException {
    run(
        run,
        new ImageDataSet.HoldOut(FashionMnist.load(Split.TRAIN), FashionMnist.load(Split.TEST)));
  }

  static void run(LessonRun run, ImageDataSet.HoldOut clothes) throws IOException {
    // 1. One number, a thousand times, a thousand steps.
    ForwardInOneDimension.draw(run);

    // 2. The same with pictures, each timestep in one go.
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 1000);
    NoisyImages.draw(run, schedule, clothes.heldOut().takeSpread(16));

    // 3. A small network learns one class.
    OneClass.draw(
        run,
        schedule,
        new ImageDataSet.HoldOut(
            clothes.training().onlyClass(CLASS), clothes.heldOut().onlyClass(CLASS)));

    // 4. All classes, each on demand, by that network and by a better one.
    AllClasses.draw(run, schedule, clothes);
  }
}
