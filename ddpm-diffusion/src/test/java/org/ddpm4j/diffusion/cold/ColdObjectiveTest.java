package org.ddpm4j.diffusion.cold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.diffusion.random.BatchRandom;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class ColdObjectiveTest {

  private static final int SIZE = 8;
  private static final GaussianMask MASK =
      new GaussianMask(6, 0.5, 0.3, GaussianMask.Centre.RANDOM);

  private static Unet unet(DataType dataType) {
    return Unet.create(
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4).withAttention(2, 4), dataType, 1);
  }

  private static TrainingBatch batch(INDArray x0, long seed, int... t) {
    return batch(x0, new BatchRandom(new CounterRandom(seed, Purpose.TRAINING_NOISE), 0, 0), t);
  }

  private static TrainingBatch batch(INDArray x0, BatchRandom random, int... t) {
    return new TrainingBatch(x0, Optional.empty(), t, random);
  }

  @Test
  void theDefaultIsThePapersLoss() {
    assertThat(ColdObjective.of(MASK)).isEqualTo(new ColdObjective(MASK, LossFunction.L1));
    assertThat(ColdObjective.of(MASK).timesteps()).isEqualTo(6);
  }

  @Test
  void theLossIsTheErrorOfTheGuessOfX0() {
    ColdObjective objective = ColdObjective.of(GaussianBlur.constant(6, 3, 1));
    INDArray x0 = images(3, 1);
    try (Unet unet = unet(DataType.DOUBLE)) {
      Parameters gradient = unet.parameters().zerosLike();
      double[] losses =
          objective.lossAndGradient(unet, batch(x0, 1, 4), new double[] {1}, gradient);

      INDArray xs = GaussianBlur.constant(6, 3, 1).degrade(x0, 5, new long[1]);
      INDArray guess = unet.predict(xs, Nd4j.createFromArray(4));
      double expected = guess.distance1(x0.castTo(DataType.DOUBLE)) / 64;
      assertThat(losses).containsExactly(new double[] {expected}, within(1e-6));
      assertThat(objective.losses(unet, batch(x0, 1, 4)))
          .containsExactly(new double[] {expected}, within(1e-6));

      Parameters expectedGradient = unet.parameters().zerosLike();
      unet.lossAndGradient(LossFunction.L1, xs, Nd4j.createFromArray(4), x0, expectedGradient);
      assertThat(gradient.flat().norm2Number().doubleValue()).isGreaterThan(0.01);
      assertThat(gradient.flat().distance2(expectedGradient.flat())).isLessThan(1e-6);
    }
  }

  /** Seed, purpose, step and the image's number place the mask, and noise has no part in it. */
  @Test
  void theImagesKeyPlacesItsMask() {
    ColdObjective objective = ColdObjective.of(MASK);
    INDArray x0 = images(3, 1);
    CounterRandom training = new CounterRandom(1, Purpose.TRAINING_NOISE);
    BatchRandom random = new BatchRandom(training, 4, 7);
    try (Unet unet = unet(DataType.DOUBLE)) {
      double[] losses = objective.losses(unet, batch(x0, random, 5));
      INDArray xs = MASK.degrade(x0, 6, new long[] {training.bits(7, 4, 0)});
      assertThat(losses)
          .containsExactly(
              new double[] {
                unet.losses(LossFunction.L1, UnetInput.of(xs, Nd4j.createFromArray(5)), x0)[0]
              },
              within(1e-9));
      TrainingBatch otherNoise =
          new TrainingBatch(
              x0, Optional.empty(), new int[] {5}, random, Optional.of(Nd4j.ones(x0.shape())));
      assertThat(objective.losses(unet, otherNoise)).isEqualTo(losses);
      CounterRandom validation = new CounterRandom(1, Purpose.VALIDATION_NOISE);
      for (BatchRandom other :
          List.of(
              new BatchRandom(validation, 4, 7),
              new BatchRandom(training, 5, 7),
              new BatchRandom(training, 4, 8))) {
        assertThat(objective.losses(unet, batch(x0, other, 5))).isNotEqualTo(losses);
      }
    }
  }

  @Test
  void trainedItRestores() throws IOException {
    TrainingConfig config =
        TrainingConfig.defaults(120)
            .withOptimizer(AdamWConfig.defaults().withLearningRate(5e-3))
            .withLearningRate(new LearningRateSchedule(10, LearningRateSchedule.Decay.LINEAR));
    Trainer trainer =
        new Trainer(
            unet(DataType.FLOAT),
            ColdObjective.of(MASK),
            config,
            step -> new DataSet(images(step * 16, 16), Nd4j.zeros(16, 1)));
    trainer.fit();

    INDArray x0 = images(100_000, 16);
    long[] keys = new SplittableRandom(1).longs(16).toArray();
    INDArray degraded = MASK.degrade(x0, 6, keys);
    for (ColdAlgorithm algorithm : ColdAlgorithm.values()) {
      INDArray restored =
          new ColdSampler(MASK, algorithm, X0Constraint.clip(-1, 1))
              .restore(RestorationOperator.of(trainer.emaUnet()::predict), degraded, 6, keys);
      assertThat(restored.distance2(x0))
          .as("%s", algorithm)
          .isLessThan(0.7 * degraded.distance2(x0));
    }
  }

  /** Horizontal or vertical bars, in [-1,1]. */
  private static INDArray images(long first, int count) {
    INDArray images = Nd4j.create(DataType.FLOAT, count, 1, SIZE, SIZE);
    for (int image = 0; image < count; image++) {
      SplittableRandom random = new SplittableRandom(first + image);
      boolean horizontal = random.nextBoolean();
      int bar = random.nextInt(SIZE - 2);
      for (int y = 0; y < SIZE; y++) {
        for (int x = 0; x < SIZE; x++) {
          int place = horizontal ? y : x;
          images.putScalar(image, 0, y, x, place >= bar && place < bar + 3 ? 1 : -1);
        }
      }
    }
    return images;
  }
}
