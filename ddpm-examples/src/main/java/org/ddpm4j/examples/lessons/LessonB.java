package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.List;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Split;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * Lesson B: the mean, the image or the noise? One small network is trained to predict each, and the
 * variational bound says what they are worth (Ho et al. 2020, sections 3.2 to 3.4).
 */
public final class LessonB {

  static final long STEPS = 800;

  /** A chain so short that all of it can be evaluated and walked back. */
  private static final int TIMESTEPS = 100;

  private LessonB() {}

  /**
   * Runs the lesson.
   *
   * @param args the folder for the pictures and the number of training steps, both optional
   * @throws IOException if data cannot be read or a picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Lesson.B.main(args);
  }

  static void run(LessonRun run) throws IOException {
    run(
        run,
        new ImageDataSet.HoldOut(FashionMnist.load(Split.TRAIN), FashionMnist.load(Split.TEST)));
  }

  static void run(LessonRun run, ImageDataSet.HoldOut clothes) throws IOException {
    NoiseSchedule schedule =
        NoiseSchedule.of(LinearSchedule.paper().scaledTo(TIMESTEPS), TIMESTEPS);
    ImageDataSet.HoldOut images =
        new ImageDataSet.HoldOut(clothes.training(), clothes.heldOut().takeSpread(run.heldOut()));

    // 1. The posterior, which the reverse process imitates, and the weight of an error.
    PosteriorAndWeights.draw(run, NoiseSchedule.of(LinearSchedule.paper(), 1000), schedule);

    // 2. What a network is asked for at each timestep.
    PredictionTargets.draw(run, schedule, images.heldOut());

    // 3. The same network for the same steps, five times. Their losses say little.
    List<TrainedNetwork> models = Predictions.train(run, schedule, images);

    // 4. What they are worth on images that they have not seen.
    PredictionErrors.draw(run, models, images.heldOut());

    // 5. What they draw, all from the same noise.
    Predictions.draw(run, models);

    // 6. Images that do not fit into [-1,1].
    ImageNetScale.draw(run);
  }
}
