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
            SamplerConfig.of(SamplerType.DDPM)
                .withConvention(Convention.DIFFUSERS)
                .create(SCHEDULE, 50, X0Constraint.NONE))
        .isEqualTo(SamplerConfig.of(SamplerType.DDPM).create(SCHEDULE, 50, X0Constraint.NONE));
  }

  /** 13/26 of 999 is 499.5, but NumPy multiplies 13 by a step, which makes 499.49999999999994. */
  @Test
  void timestepsHalfwayAreRoundedAsTheChainOrAsDiffusersDoes() {
    assertThat(timesteps(Convention.PAPER)).isEqualTo(SCHEDULE.respace(27).timesteps());
    assertThat(timesteps(Convention.PAPER)[13]).isEqualTo(500);
    assertThat(timesteps(Convention.DIFFUSERS)[13]).isEqualTo(499);
  }

  private static int[] timesteps(Convention convention) {
    AncestralConfig config = AncestralConfig.usual().withConvention(convention);
    return ((AncestralSampler) config.create(SCHEDULE, 27, X0Constraint.NONE)).times().timesteps();
  }

  @ParameterizedTest
  @EnumSource
  void isOfItsType(SamplerType type) {
    SamplerConfig config = SamplerConfig.of(type);
    assertThat(config.type()).isEqualTo(type);
    assertThat(config.withSpacing(TimestepSpacing.LEADING, 1))
        .returns(type, SamplerConfig::type)
        .returns(TimestepSpacing.LEADING, SamplerConfig::spacing)
        .returns(1, SamplerConfig::stepsOffset);
    assertThat(config.withKarras(false)).isEqualTo(config);
  }

  @Test
  void changesOneOptionAndNoOther() {
    ExponentialConfig solver = ExponentialConfig.of(SamplerType.DEIS);
    assertThat(
            solver
                .withSpacing(TimestepSpacing.LEADING, 1)
                .withKarras(true)
                .withOrder(3)
                .withEnd(End.CLEAN)
                .withConvention(Convention.DIFFUSERS))
        .isEqualTo(
            new ExponentialConfig(
                SamplerType.DEIS,
                TimestepSpacing.LEADING,
                1,
                true,
                3,
                End.CLEAN,
                Convention.DIFFUSERS));
    assertThat(solver.withOrder(3).withOrder(2)).isEqualTo(solver);
  }

  @Test
  void aFamilyHasNoOthers() {
    assertThatThrownBy(() -> PndmConfig.of(SamplerType.EULER))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The sampler euler is none of [pndm, plms].");
    assertThatThrownBy(() -> ExponentialConfig.of(SamplerType.LMS)).hasMessageContaining("lms");
    assertThatThrownBy(() -> EulerConfig.of(SamplerType.DDPM)).hasMessageContaining("ddpm");
  }

  @Test
  void optionsThatDoNotGoTogetherAreRefused() {
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.DDIM).withOrder(2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "The sampler ddim does not take an order; dpm++, dpm++-sde, unipc, deis and lms do.");
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.HEUN).withEta(0.5))
        .hasMessage("The sampler heun does not take an η; ddim does.");
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.UNIPC).withVariance(ReverseVariance.BETA))
        .hasMessage("The sampler unipc does not take a variance; ddpm does.");
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.PNDM).withKarras(true))
        .hasMessageStartingWith("The sampler pndm does not take Karras' levels; ddim, dpm++,");
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.DDPM).withEnd(End.CLEAN))
        .hasMessageStartingWith("The sampler ddpm does not take a choice of its end;");
    assertThatThrownBy(
            () -> SamplerConfig.of(SamplerType.UNIPC).withSpacing(TimestepSpacing.LINSPACE, 1))
        .hasMessageContaining("with the spacing leading");
    SamplerConfig far = DdimConfig.usual().withSpacing(TimestepSpacing.LEADING, 200);
    assertThatThrownBy(() -> far.create(SCHEDULE, 10, X0Constraint.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("10 steps begin at timestep 1100");
  }
}
