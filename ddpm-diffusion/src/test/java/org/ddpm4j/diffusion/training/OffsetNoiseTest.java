package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.diffusion.objective.UniformTimesteps;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class OffsetNoiseTest {

  private static final int CHANNELS = 3;

  /** Keeps the noise that it is given. */
  private static final class Listening implements Objective {

    private final List<INDArray> heard = new ArrayList<>();

    @Override
    public int timesteps() {
      return 10;
    }

    @Override
    public double[] lossAndGradient(
        Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
      heard.add(batch.eps());
      return new double[batch.size()];
    }

    @Override
    public double[] losses(Unet unet, TrainingBatch batch) {
      return new double[batch.size()];
    }
  }

  private static List<INDArray> noise(double offset, int shards) {
    TrainingConfig config =
        TinyTraining.config(1).withObjective(ObjectiveConfig.simple().withOffsetNoise(offset));
    Listening objective = new Listening();
    try (Unet unet = TinyTraining.unet();
        LocalGradientStep step =
            new LocalGradientStep(
                unet,
                objective,
                config,
                s -> new DataSet(Nd4j.zeros(4, CHANNELS, 5, 5), Nd4j.zeros(4, 1)),
                new UniformTimesteps(10))) {
      for (int shard = 0; shard < shards; shard++) {
        step.compute(7, shard, shards, unet.parameters().zerosLike());
      }
    }
    return objective.heard;
  }

  /** By the written-down numbers: purpose 9, one for each channel of an image. */
  @Test
  void everyChannelIsShiftedByANumberOfItsOwn() {
    INDArray plain = noise(0, 1).get(0);
    INDArray shifted = noise(0.1, 1).get(0);
    CounterRandom random = new CounterRandom(42, Purpose.OFFSET_NOISE);
    assertThat(Purpose.OFFSET_NOISE.number()).isEqualTo(9);
    for (int image = 0; image < 4; image++) {
      float[] offsets = new float[CHANNELS];
      random.gaussian(image, 7, offsets, 0, CHANNELS);
      for (int channel = 0; channel < CHANNELS; channel++) {
        for (int pixel = 0; pixel < 25; pixel++) {
          long i = (long) (image * CHANNELS + channel) * 25 + pixel;
          assertThat(shifted.getDouble(i) - plain.getDouble(i))
              .isCloseTo(0.1 * offsets[channel], within(1e-6));
        }
      }
    }
    assertThat(Nd4j.concat(0, noise(0.1, 2).toArray(INDArray[]::new))).isEqualTo(shifted);
  }
}
