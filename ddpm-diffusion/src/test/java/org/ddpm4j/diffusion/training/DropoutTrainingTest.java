package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** A training with dropout is a function of the step, as any other. */
class DropoutTrainingTest {

  private static final UnetConfig NETWORK = ((AnnotatedUnet) TinyTraining.CONFIG).withDropout(0.3);

  private static final long STEPS = 8;

  @TempDir private Path folder;

  private static Trainer trainer(UnetConfig network, long seed, int threads) {
    TrainingConfig like = TinyTraining.config(STEPS);
    TrainingConfig config =
        new TrainingConfig(
            STEPS,
            like.optimizer(),
            like.learningRate(),
            like.maxGradientNorm(),
            like.emaDecay(),
            like.objective(),
            seed,
            1);
    Unet unet =
        Unet.create(
            network,
            DataType.FLOAT,
            1,
            new Execution(LayersChoice.FUSED, Precision.FLOAT32, threads));
    return new Trainer(unet, TinyTraining.SCHEDULE, config, TinyTraining::batch)
        .withValidation(TinyTraining.images(1000, 6));
  }

  private static List<LossHistory.Entry> history(UnetConfig network, long seed) throws IOException {
    try (Trainer trainer = trainer(network, seed, 1)) {
      trainer.fit();
      return trainer.history().entries();
    }
  }

  /** With another number of threads, stopped in the middle and resumed: the same file. */
  @Test
  void resumedTheFileIsTheSame() throws IOException {
    Path whole = folder.resolve("whole.safetensors");
    Path middle = folder.resolve("middle.safetensors");
    Path resumed = folder.resolve("resumed.safetensors");
    try (Trainer trainer = trainer(NETWORK, 42, 1)) {
      trainer
          .withListener(
              (running, report) -> {
                if (report.step() == STEPS / 2) {
                  running.checkpoint().write(middle);
                }
              })
          .fit();
      trainer.checkpoint().write(whole);
    }
    try (Trainer trainer = trainer(NETWORK, 42, 3)) {
      trainer.resume(Checkpoint.read(middle, trainer.unet().parameters()));
      assertThat(trainer.step()).isEqualTo(STEPS / 2);
      trainer.fit();
      trainer.checkpoint().write(resumed);
    }
    assertThat(resumed).hasSameBinaryContentAs(whole);
  }

  /**
   * Before the first update nothing but the masks tells networks with and without dropout apart:
   * the loss of the first step differs, and that of held-out images, which need none, does not.
   */
  @Test
  void masksAreForTrainingAlone() throws IOException {
    double[] validation = new double[2];
    for (int i = 0; i < 2; i++) {
      try (Trainer trainer = trainer(i == 0 ? NETWORK : TinyTraining.CONFIG, 42, 1)) {
        validation[i] = trainer.validationLoss();
      }
    }
    assertThat(validation[0]).isEqualTo(validation[1]);
    double dropping = history(NETWORK, 42).get(0).loss();
    assertThat(dropping).isNotEqualTo(history(TinyTraining.CONFIG, 42).get(0).loss());
    assertThat(history(NETWORK, 42).get(0).loss()).isEqualTo(dropping);
    assertThat(history(NETWORK, 43).get(0).loss()).isNotEqualTo(dropping);
  }
}
