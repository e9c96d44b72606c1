package org.ddpm4j.diffusion.training;

import java.util.List;
import java.util.SplittableRandom;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** A training that takes seconds: a few 8x8 images and a network of a few thousand weights. */
final class TinyTraining {

  static final UnetConfig CONFIG = AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4).withAttention(2, 4);

  static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper().scaledTo(100), 100);

  private static final int SIZE = 8;
  private static final int BATCH = 8;

  private TinyTraining() {}

  static Unet unet() {
    return Unet.create(CONFIG, DataType.FLOAT, 1);
  }

  static TrainingConfig config(long steps) {
    return new TrainingConfig(
        steps,
        AdamWConfig.defaults().withLearningRate(2e-3),
        new LearningRateSchedule(5, LearningRateSchedule.Decay.COSINE),
        1.0,
        0.9,
        ObjectiveConfig.simple(),
        42,
        4);
  }

  static Trainer trainer(long steps) {
    return new Trainer(unet(), SCHEDULE, config(steps), TinyTraining::batch)
        .withValidation(images(1000, 6));
  }

  /** A batch that is a function of its step. */
  static DataSet batch(long step) {
    return images(step * BATCH, BATCH);
  }

  /** Horizontal or vertical bars, in [-1,1]. */
  static DataSet images(long first, int count) {
    float[] values = new float[count * SIZE * SIZE];
    for (int image = 0; image < count; image++) {
      SplittableRandom random = new SplittableRandom(first + image);
      boolean horizontal = random.nextBoolean();
      int bar = random.nextInt(SIZE - 2);
      for (int i = 0; i < SIZE * SIZE; i++) {
        int place = horizontal ? i / SIZE : i % SIZE;
        values[image * SIZE * SIZE + i] = place >= bar && place < bar + 3 ? 1 : -1;
      }
    }
    INDArray features = Nd4j.createFromArray(values).reshape('c', count, 1, SIZE, SIZE);
    return new DataSet(features, Nd4j.zeros(count, 1));
  }
}
