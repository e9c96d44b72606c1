package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.bound.VariationalBound;
import org.ddpm4j.diffusion.objective.LossTerms;
import org.ddpm4j.diffusion.objective.LossWeighting;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.TimestepSampling;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Training for every kind of objective. */
class ObjectiveTrainingTest {

  private static final ObjectiveConfig SIMPLE = ObjectiveConfig.simple();

  static List<ObjectiveConfig> objectives() {
    return List.of(
        SIMPLE.withParameterization(Parameterization.X0),
        SIMPLE.withParameterization(Parameterization.MEAN),
        SIMPLE.withParameterization(Parameterization.V).withWeighting(new LossWeighting.MinSnr(5)),
        SIMPLE.withWeighting(new LossWeighting.P2(1, 1)),
        SIMPLE.withTerms(LossTerms.HYBRID),
        SIMPLE.withTerms(LossTerms.VLB).withTimesteps(TimestepSampling.IMPORTANCE));
  }

  private static Unet unet(ObjectiveConfig objective) {
    AnnotatedUnet config =
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4)
            .withAttention(1, 8)
            .withOutChannels(objective.outChannels(1));
    return Unet.create(config, DataType.FLOAT, 1);
  }

  private static Trainer trainer(ObjectiveConfig objective, long steps) {
    return new Trainer(
            unet(objective),
            TinyTraining.SCHEDULE,
            TinyTraining.config(steps).withObjective(objective),
            TinyTraining::batch)
        .withValidation(TinyTraining.images(1000, 16));
  }

  @ParameterizedTest
  @MethodSource("objectives")
  void lossesFall(ObjectiveConfig objective) throws IOException {
    Trainer trainer = trainer(objective, 40);
    double before = trainer.validationLoss();
    trainer.fit();
    assertThat(trainer.validationLoss()).isLessThan(0.9 * before);
  }

  /** What importance sampling has learned is part of the state. */
  @Test
  void importanceSamplingIsResumedToTheLastBit(@TempDir Path folder) throws IOException {
    // So short a chain that ten losses of each timestep come together.
    ObjectiveConfig objective = SIMPLE.withTimesteps(TimestepSampling.IMPORTANCE);
    Trainer whole = shortChain(objective, 40);
    Path file = folder.resolve("checkpoint.safetensors");
    whole.withListener(
        (trainer, report) -> {
          if (report.step() == 25) {
            trainer.checkpoint().write(file);
          }
        });
    whole.fit();
    Trainer resumed = shortChain(objective, 40);
    Checkpoint checkpoint = Checkpoint.read(file, resumed.unet().parameters());
    assertThat(checkpoint.timesteps().orElseThrow().counts()).containsOnly(10);
    resumed.resume(checkpoint).fit();
    assertThat(resumed.unet().parameters().flat()).isEqualTo(whole.unet().parameters().flat());

    Trainer uniform = shortChain(SIMPLE, 40);
    uniform.fit();
    assertThat(uniform.unet().parameters().flat()).isNotEqualTo(whole.unet().parameters().flat());
    assertThat(uniform.checkpoint().timesteps()).isEmpty();
    assertThatThrownBy(() -> shortChain(objective, 40).resume(uniform.checkpoint()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no losses of timesteps");
  }

  private static Trainer shortChain(ObjectiveConfig objective, long steps) {
    return new Trainer(
        unet(objective),
        TinyTraining.SCHEDULE.respace(4).schedule(),
        TinyTraining.config(steps).withObjective(objective),
        TinyTraining::batch);
  }

  /** That is what the variance is learned for: neither of the fixed ones has a lower bound. */
  @Test
  @Tag("slow")
  void aLearnedVarianceLowersTheBound() throws IOException {
    Trainer trainer = trainer(SIMPLE.withTerms(LossTerms.HYBRID), 700);
    trainer.fit();
    double learned = bound(trainer, ReverseVariance.LEARNED);
    assertThat(learned)
        .isLessThan(bound(trainer, ReverseVariance.POSTERIOR))
        .isLessThan(bound(trainer, ReverseVariance.BETA));
  }

  private static double bound(Trainer trainer, ReverseVariance variance) {
    VariationalBound bound =
        new VariationalBound(TinyTraining.SCHEDULE, variance, DiscretizedGaussian.ofBytes());
    NetworkDenoiser denoiser =
        new NetworkDenoiser(
            trainer.unet()::predict, Parameterization.EPSILON, TinyTraining.SCHEDULE);
    INDArray images = TinyTraining.images(2000, 32).getFeatures();
    double[] bitsPerDim = bound.evaluate(denoiser, images, NoiseSource.seeded(1, 0)).total();
    return Arrays.stream(bitsPerDim).average().orElseThrow();
  }
}
