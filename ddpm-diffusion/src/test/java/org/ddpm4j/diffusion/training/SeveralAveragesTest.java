package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.io.SafetensorsReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class SeveralAveragesTest {

  private static final List<Double> FURTHER = List.of(0.99, 0.5);

  @TempDir private Path folder;

  private static Trainer trainer(long steps) {
    return new Trainer(
        TinyTraining.unet(),
        TinyTraining.SCHEDULE,
        TinyTraining.config(steps).withFurtherEmaDecays(FURTHER),
        TinyTraining::batch);
  }

  /** Each by its own recursion, in double precision, and none changes what is trained. */
  @Test
  void eachIsTheAverageOfItsDecay() throws IOException {
    List<INDArray> averages = new ArrayList<>();
    try (Trainer trainer = trainer(12)) {
      INDArray start = trainer.unet().parameters().flat().castTo(DataType.DOUBLE);
      FURTHER.forEach(decay -> averages.add(start.dup()));
      trainer.withListener(
          (running, report) -> {
            INDArray weights = running.unet().parameters().flat().castTo(DataType.DOUBLE);
            for (int i = 0; i < 2; i++) {
              double s = report.step() - 1;
              double decay = Math.min(FURTHER.get(i), (1 + s) / (10 + s));
              averages.get(i).muli(decay).addi(weights.mul(1 - decay));
            }
          });
      trainer.fit();
      Checkpoint state = trainer.checkpoint();
      assertThat(state.furtherEmas()).containsOnlyKeys(0.5, 0.99);
      for (int i = 0; i < 2; i++) {
        INDArray found = state.ema(FURTHER.get(i)).flat().castTo(DataType.DOUBLE);
        assertThat(found.equalsWithEps(averages.get(i), 1e-6)).isTrue();
      }
      assertThat(state.ema(0.5).flat()).isNotEqualTo(state.ema(0.99).flat());
      assertThatThrownBy(() -> state.ema(0.9)).hasMessageContaining("it has [0.5, 0.99]");

      try (Trainer plain = TinyTraining.trainer(12)) {
        plain.fit();
        assertThat(state.weights().flat()).isEqualTo(plain.checkpoint().weights().flat());
        assertThat(state.ema().flat()).isEqualTo(plain.checkpoint().ema().flat());
      }
    }
  }

  @Test
  void theyAreInTheFileAndGoOn() throws IOException {
    Path file = folder.resolve("c.safetensors");
    try (Trainer whole = trainer(6);
        Trainer resumed = trainer(6)) {
      whole.withListener(
          (running, report) -> {
            if (report.step() == 3) {
              running.checkpoint().write(file);
            }
          });
      whole.fit();
      Checkpoint read = Checkpoint.read(file, TinyTraining.unet().parameters());
      resumed.resume(read).fit();
      for (double decay : FURTHER) {
        assertThat(resumed.checkpoint().ema(decay).flat())
            .isEqualTo(whole.checkpoint().ema(decay).flat());
      }
    }
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      assertThat(reader.names()).contains("ema_0.5.init_conv.weight", "ema_0.99.init_conv.weight");
    }
    try (Trainer one = TinyTraining.trainer(6)) {
      one.checkpoint().write(file);
    }
    Checkpoint single = Checkpoint.read(file, TinyTraining.unet().parameters());
    try (Trainer several = trainer(6)) {
      assertThatThrownBy(() -> several.resume(single)).hasMessageContaining("it has none");
    }
  }

  @Test
  void decaysThatMakeNoSenseAreRefused() {
    TrainingConfig config = TinyTraining.config(3);
    assertThatThrownBy(() -> config.withFurtherEmaDecays(List.of(1.0)))
        .hasMessageContaining("it must be in [0,1)");
    assertThatThrownBy(() -> config.withFurtherEmaDecays(List.of(0.9)))
        .hasMessageContaining("each decay can be given once");
    assertThatThrownBy(() -> config.withFurtherEmaDecays(List.of(0.5, 0.5)))
        .hasMessageContaining("each decay can be given once");
  }
}
