package org.ddpm4j.diffusion.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SamplerConfigTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);

  private static SamplerConfig config(
      SamplerType type,
      TimestepSpacing spacing,
      int offset,
      boolean karras,
      Integer order,
      Double eta,
      ReverseVariance variance,
      End end) {
    return new SamplerConfig(
        type, spacing, offset, karras, order, eta, variance, end, Convention.PAPER);
  }

  @ParameterizedTest
  @EnumSource
  void makesAsManyStepsAsWanted(SamplerType type) {
    for (int steps : new int[] {4, 10, 23}) {
      assertThat(SamplerConfig.of(type).create(SCHEDULE, steps, X0Constraint.NONE).steps())
          .isEqualTo(steps);
    }
  }

  /** As it was before there were other samplers. */
  @Test
  void ddpmIsTheRespacedChain() {
    assertThat(SamplerConfig.of(SamplerType.DDPM).create(SCHEDULE, 50, X0Constraint.NONE))
        .isEqualTo(
            new AncestralSampler(
                SCHEDULE.respace(50), ReverseVariance.POSTERIOR, X0Constraint.NONE));
    assertThat(
            config(SamplerType.DDPM, TimestepSpacing.LINSPACE, 0, false, null, null, null, null)
                .create(SCHEDULE, 50, X0Constraint.NONE))
        .isEqualTo(SamplerConfig.of(SamplerType.DDPM).create(SCHEDULE, 50, X0Constraint.NONE));
  }

  @Test
  void optionsThatDoNotGoTogetherAreRefused() {
    assertThatThrownBy(() -> config(SamplerType.DDIM, null, 0, false, 2, null, null, null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "The sampler ddim does not take an order; dpm++, dpm++-sde, unipc, deis and lms do.");
    assertThatThrownBy(() -> config(SamplerType.HEUN, null, 0, false, null, 0.5, null, null))
        .hasMessage("The sampler heun does not take an η; ddim does.");
    assertThatThrownBy(
            () -> config(SamplerType.UNIPC, null, 0, false, null, null, ReverseVariance.BETA, null))
        .hasMessage("The sampler unipc does not take a variance; ddpm does.");
    assertThatThrownBy(() -> config(SamplerType.PNDM, null, 0, true, null, null, null, null))
        .hasMessageStartingWith("The sampler pndm does not take Karras' levels;");
    assertThatThrownBy(() -> config(SamplerType.DDPM, null, 0, false, null, null, null, End.CLEAN))
        .hasMessageStartingWith("The sampler ddpm does not take a choice of its end;");
    assertThatThrownBy(() -> config(SamplerType.UNIPC, null, 1, false, null, null, null, null))
        .hasMessageContaining("with the spacing leading");
    SamplerConfig far = config(SamplerType.DDIM, null, 200, false, null, null, null, null);
    assertThatThrownBy(() -> far.create(SCHEDULE, 10, X0Constraint.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("10 steps begin at timestep 1100");
  }
}
