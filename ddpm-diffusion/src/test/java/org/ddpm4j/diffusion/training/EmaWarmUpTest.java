package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class EmaWarmUpTest {

  /** EMAModel.get_decay of diffusers 0.42.1, whose first step is number 1. */
  @Test
  void risesAsDiffusersDoes() {
    EmaWarmUp warmUp = new EmaWarmUp(0.75, 1);
    assertThat(warmUp.decay(0)).isZero();
    assertThat(warmUp.decay(1)).isCloseTo(0.4053964424986395, within(1e-12));
    assertThat(warmUp.decay(100)).isCloseTo(0.9686123378245277, within(1e-12));
    assertThat(new EmaWarmUp(2.0 / 3, 5).decay(100)).isCloseTo(0.8686226582675657, within(1e-12));
  }

  @Test
  void endsAtTheDecayOfTheTraining() {
    TrainingConfig config = TrainingConfig.defaults(1);
    assertThat(config.emaDecay(0)).isEqualTo(0.1);
    assertThat(config.emaDecay(90)).isEqualTo(0.91);
    assertThat(config.emaDecay(1_000_000)).isEqualTo(0.995);
    TrainingConfig warming = config.withEmaWarmUp(new EmaWarmUp(0.75, 1));
    assertThat(warming.emaDecay(0)).isZero();
    assertThat(warming.emaDecay(15)).isCloseTo(1 - 1 / 8.0, within(1e-12));
    assertThat(warming.emaDecay(1_000_000)).isEqualTo(0.995);
    assertThat(warming.withSeed(3).withAccumulate(2).emaWarmUp()).isEqualTo(warming.emaWarmUp());
    assertThat(warming.withEmaWarmUp(null)).isEqualTo(config);
  }

  @Test
  void rangesAreChecked() {
    assertThatThrownBy(() -> new EmaWarmUp(0, 1)).hasMessageContaining("power of the EMA warm-up");
    assertThatThrownBy(() -> new EmaWarmUp(1.1, 1)).hasMessageContaining("is 1.1");
    assertThatThrownBy(() -> new EmaWarmUp(0.5, 0)).hasMessageContaining("inverse gamma");
  }
}
