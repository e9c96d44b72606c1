package org.ddpm4j.diffusion.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.EulerSampler;
import org.ddpm4j.diffusion.sampling.FinalOrder;
import org.ddpm4j.diffusion.sampling.LcmSampler;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.FlowSchedule;
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

  @ParameterizedTest
  @EnumSource
  void refusesARunWithoutSteps(SamplerType type) {
    for (int steps : new int[] {0, -3}) {
      assertThatThrownBy(() -> SamplerConfig.of(type).create(SCHEDULE, steps, X0Constraint.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("The number of steps is " + steps + "; it must be at least 1.");
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
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"LCM", "CONSISTENCY", "SCORE_SDE", "KARRAS_VE", "FLOW_EULER", "FLOW_HEUN"})
  void isOfItsType(SamplerType type) {
    SamplerConfig config = SamplerConfig.of(type);
    assertThat(config.type()).isEqualTo(type);
    assertThat(config.withSpacing(TimestepSpacing.LEADING, 1))
        .returns(type, SamplerConfig::type)
        .returns(TimestepSpacing.LEADING, SamplerConfig::spacing)
        .returns(1, SamplerConfig::stepsOffset);
    assertThat(config.withLevels(LevelSpacing.TIMESTEPS)).isEqualTo(config);
  }

  /** Whoever asks for a spacing that changes nothing should be told. */
  @ParameterizedTest
  @EnumSource
  void saysWhetherTheSpacingMatters(SamplerType type) {
    SamplerConfig usual = SamplerConfig.of(type);
    for (LevelSpacing levels : LevelSpacing.values()) {
      boolean isTaken =
          levels == LevelSpacing.TIMESTEPS
              || (levels == LevelSpacing.LOG_LINEAR
                  ? type == SamplerType.EULER
                  : usual instanceof SamplerConfig.SpacedLevels);
      if (!isTaken) {
        continue;
      }
      SamplerConfig config = usual.withLevels(levels);
      if (config instanceof SamplerConfig.OwnTimes) {
        assertThat(config.usesSpacing()).isFalse();
      } else {
        PathSampler leading = spaced(config, TimestepSpacing.LEADING);
        PathSampler trailing = spaced(config, TimestepSpacing.TRAILING);
        assertThat(leading.equals(trailing)).as("%s", levels).isEqualTo(!config.usesSpacing());
      }
    }
  }

  private static PathSampler spaced(SamplerConfig config, TimestepSpacing spacing) {
    return config.withSpacing(spacing, 0).create(SCHEDULE, 10, X0Constraint.NONE);
  }

  /** Luo et al. 2023: some of the timesteps of the distillation, every 20th for T = 1000. */
  @Test
  void lcmVisitsTimestepsOfItsDistillation() {
    LcmConfig config = LcmConfig.usual();
    LcmSampler sampler = (LcmSampler) config.create(SCHEDULE, 4, X0Constraint.NONE);
    assertThat(sampler.levels().levels().stream().map(NoiseLevel::t))
        .containsExactly(999.0, 759.0, 499.0, 259.0, -1.0);
    assertThat(config.withSpacing(TimestepSpacing.LEADING, 0)).isEqualTo(config);
    assertThatThrownBy(() -> config.withSpacing(TimestepSpacing.TRAILING, 0))
        .hasMessage("The sampler lcm has times of its own; leave the spacing out.");
    assertThatThrownBy(() -> config.create(SCHEDULE, 51, X0Constraint.NONE))
        .hasMessageStartingWith(
            "51 steps are not possible where the network was distilled at 50 timesteps");
    assertThatThrownBy(() -> new LcmConfig(1001, 10).create(SCHEDULE, 4, X0Constraint.NONE))
        .hasMessage(
            "The number of original steps is 1001, but there are only 1000 timesteps; give as many as the network was distilled at.");
    // The usual number is no statement about the network.
    assertThat(config.originalStepsOf(20)).isEqualTo(20);
    assertThatThrownBy(() -> new LcmConfig(0, 1)).hasMessageContaining("original steps is 0");
    assertThatThrownBy(() -> new LcmConfig(5, 0)).hasMessageContaining("scaling");
  }

  @Test
  void changesOneOptionAndNoOther() {
    DeisConfig solver = DeisConfig.usual();
    assertThat(
            solver
                .withSpacing(TimestepSpacing.LEADING, 1)
                .withLevels(LevelSpacing.KARRAS)
                .withOrder(3)
                .withFinalOrder(FinalOrder.FULL)
                .withEnd(End.CLEAN)
                .withConvention(Convention.DIFFUSERS))
        .isEqualTo(
            new DeisConfig(
                TimestepSpacing.LEADING,
                1,
                LevelSpacing.KARRAS,
                3,
                FinalOrder.FULL,
                End.CLEAN,
                Convention.DIFFUSERS));
    assertThat(solver.withOrder(3).withOrder(2)).isEqualTo(solver);
  }

  @Test
  void aFamilyHasNoOthers() {
    assertThatThrownBy(() -> PndmConfig.of(SamplerType.EULER))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The sampler euler is none of [pndm, plms, ipndm].");
    assertThatThrownBy(() -> DpmSolverConfig.of(SamplerType.LMS)).hasMessageContaining("lms");
    assertThatThrownBy(() -> EulerConfig.of(SamplerType.DDPM)).hasMessageContaining("ddpm");
  }

  @Test
  void optionsThatDoNotGoTogetherAreRefused() {
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.DDIM).withOrder(2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "The sampler ddim does not take an order; dpm++, dpm++-sde, dpm, dpm-sde, dpm++-single, dpm++-single-sde, dpm-single, unipc, deis, lms and sa-solver do.");
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.HEUN).withEta(0.5))
        .hasMessage("The sampler heun does not take an η; ddim does.");
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.UNIPC).withVariance(ReverseVariance.BETA))
        .hasMessage("The sampler unipc does not take a variance; ddpm does.");
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.PNDM).withLevels(LevelSpacing.BETA))
        .hasMessageStartingWith(
            "The sampler pndm does not take other levels than those of timesteps; ddim, dpm++,");
    assertThatThrownBy(() -> DeisConfig.usual().withLevels(LevelSpacing.LOG_LINEAR))
        .hasMessage("The sampler deis does not take the levels log-linear; euler does.");
    assertThatThrownBy(() -> SamplerConfig.of(SamplerType.DPM_SOLVER_EPS).withEnd(End.CLEAN))
        .hasMessageContaining("The sampler dpm integrates ε");
    assertThatThrownBy(() -> DpmSolverConfig.of(SamplerType.DPM_SOLVER).withLeastLambda(Double.NaN))
        .hasMessageStartingWith("The least λ is NaN;");
    assertThatThrownBy(() -> new LevelRange(LevelSpacing.KARRAS, 2.0, 1.0))
        .hasMessageContaining("from 1.0 down to 2.0");
    assertThatThrownBy(() -> new LevelRange(LevelSpacing.KARRAS, 0.0, null))
        .hasMessageContaining("least noise-to-signal ratio is 0.0");
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

  /** λ is evenly spaced by both names. */
  @Test
  void exponentialLevelsAreEvenlySpacedInLambda() {
    for (LevelSpacing spacing : List.of(LevelSpacing.EXPONENTIAL, LevelSpacing.LAMBDA)) {
      NoiseLevels levels = levels(EulerConfig.of(SamplerType.EULER).withLevels(spacing));
      double first = NoiseLevel.of(SCHEDULE, SCHEDULE.timesteps() - 1).lambda();
      double last = NoiseLevel.of(SCHEDULE, 0).lambda();
      for (int i = 0; i < 9; i++) {
        assertThat(levels.levels().get(i).lambda())
            .isCloseTo(first + i / 8.0 * (last - first), within(1e-9));
      }
    }
  }

  /**
   * The median of a symmetric distribution lies in the middle, and its quantiles as far from it.
   */
  @Test
  void betaLevelsAreSymmetricAndDenseAtBothEnds() {
    List<NoiseLevel> levels =
        levels(EulerConfig.of(SamplerType.EULER).withLevels(LevelSpacing.BETA)).levels();
    double sum = levels.get(0).rho() + levels.get(8).rho();
    for (int i = 0; i <= 4; i++) {
      assertThat(levels.get(i).rho() + levels.get(8 - i).rho()).isCloseTo(sum, within(1e-6 * sum));
    }
    double atTheEnd = levels.get(0).rho() - levels.get(1).rho();
    double inTheMiddle = levels.get(3).rho() - levels.get(4).rho();
    assertThat(atTheEnd).isPositive().isLessThan(inTheMiddle);
  }

  private static NoiseLevels levels(EulerConfig config) {
    return ((EulerSampler) config.create(SCHEDULE, 9, X0Constraint.NONE)).levels();
  }

  @Test
  void timestepsOfTooLittleSignalAreLeftOut() {
    DpmSolverConfig config = DpmSolverConfig.of(SamplerType.DPM_SOLVER).withLeastLambda(-2);
    NoiseLevel first = config.create(SCHEDULE, 10, X0Constraint.NONE).first();
    assertThat(first.lambda()).isGreaterThanOrEqualTo(-2);
    assertThat(NoiseLevel.of(SCHEDULE, (int) first.t() + 1).lambda()).isLessThan(-2);
  }

  /** diffusers divides by nothing there. */
  @ParameterizedTest
  @EnumSource(names = {"DPM_SOLVER", "DPM_SOLVER_EPS", "UNIPC", "DEIS"})
  void asManyStepsAsTimestepsVisitThemAll(SamplerType type) {
    NoiseSchedule chain = NoiseSchedule.of(LinearSchedule.paper().scaledTo(40), 40);
    for (TimestepSpacing spacing : TimestepSpacing.values()) {
      PathSampler sampler =
          SamplerConfig.of(type).withSpacing(spacing, 0).create(chain, 40, X0Constraint.NONE);
      List<Double> asked = new ArrayList<>();
      sampler.sample(
          (xt, level) -> {
            asked.add(level.t());
            return new Denoiser.Estimate(xt, xt);
          },
          NoiseSource.seeded(1, 0),
          SamplingObserver.NONE,
          1,
          1,
          1,
          1);
      assertThat(asked).hasSize(40).startsWith(39.0, 38.0).endsWith(1.0, 0.0);
    }
  }

  /** Liu et al. 2023: S even steps from s = 1 to 0; Esser et al. 2024, eq. 23, by hand. */
  @Test
  void flowsAreWalkedInEvenSteps() {
    NoiseSchedule flow = NoiseSchedule.of(FlowSchedule.straight(), 1000);
    FlowConfig config = FlowConfig.of(SamplerType.FLOW_EULER);
    assertThat(shares(config.create(flow, 4, X0Constraint.NONE)))
        .containsExactly(new double[] {1, 0.75, 0.5, 0.25, 0}, within(1e-12));
    assertThat(shares(config.withShift(3).create(flow, 4, X0Constraint.NONE)))
        .containsExactly(new double[] {1, 0.9, 0.75, 0.5, 0}, within(1e-12));
    assertThat(shares(config.create(flow, new SamplerConfig.Part(4, 2), X0Constraint.NONE)))
        .containsExactly(new double[] {0.5, 0.25, 0}, within(1e-12));
    assertThatThrownBy(() -> config.withShift(-1)).hasMessageContaining("shift of the flow is -1");
    assertThatThrownBy(() -> FlowConfig.of(SamplerType.EULER)).hasMessageContaining("euler");
  }

  private static double[] shares(PathSampler sampler) {
    return ((EulerSampler) sampler)
        .levels().levels().stream()
            .mapToDouble(level -> level.sigma() / (level.alpha() + level.sigma()))
            .toArray();
  }
}
