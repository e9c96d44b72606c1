package org.ddpm4j.diffusion.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.ConstantSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.ExponentialSchedule;
import org.ddpm4j.schedules.FlowSchedule;
import org.ddpm4j.schedules.JsdSchedule;
import org.ddpm4j.schedules.LaplaceSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.QuadraticSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.ddpm4j.schedules.ShiftedSchedule;
import org.ddpm4j.schedules.SigmoidSchedule;
import org.ddpm4j.schedules.SigmoidSignalSchedule;
import org.ddpm4j.schedules.VarianceExplodingSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleConfigTest {

  /** Flows and Karras' ratios keep formulas that files of diffusers can say. */
  @Test
  void aShiftIsPartOfTheSchedule() {
    assertThat(ScheduleConfig.of(ScheduleType.FLOW, 20).withShift(3).betas())
        .isEqualTo(new FlowSchedule(3));
    assertThat(ScheduleConfig.of(ScheduleType.EDM, 20).withShift(2).betas())
        .isEqualTo(new EdmSchedule(0.004, 160));
    ScheduleConfig cosine = ScheduleConfig.of(ScheduleType.COSINE, 20);
    assertThat(cosine.withShift(2).betas())
        .isEqualTo(new ShiftedSchedule(CosineSchedule.paper(), 2));
    assertThat(cosine.withShift(1)).isEqualTo(cosine);
    assertThat(cosine.withShift(2).withZeroTerminalSnr().create().alphasCumprod(19)).isZero();
    assertThatThrownBy(() -> cosine.withShift(-1)).hasMessageContaining("positive and finite");
  }

  /** As strict as that of {@link RunConfig}. */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  private static final Set<ScheduleType> BETWEEN_ENDS =
      EnumSet.of(
          ScheduleType.LINEAR,
          ScheduleType.LINEAR_SCALED,
          ScheduleType.SCALED_LINEAR,
          ScheduleType.QUADRATIC,
          ScheduleType.SIGMOID);

  private static ScheduleConfig read(String json) throws JsonProcessingException {
    return JSON.readValue(json, ScheduleConfig.class);
  }

  @Test
  void namesMeanTheirFormulas() {
    assertThat(betas(ScheduleType.SCALED_LINEAR)).isEqualTo(QuadraticSchedule.scaledLinear());
    assertThat(betas(ScheduleType.QUADRATIC)).isEqualTo(QuadraticSchedule.paperEnds());
    assertThat(betas(ScheduleType.SIGMOID)).isEqualTo(SigmoidSchedule.paperEnds());
    assertThat(betas(ScheduleType.SIGMOID_JABRI)).isEqualTo(SigmoidSignalSchedule.paper());
    assertThat(betas(ScheduleType.CONSTANT)).isEqualTo(ConstantSchedule.paperEnd());
    assertThat(betas(ScheduleType.JSD)).isEqualTo(new JsdSchedule());
    assertThat(betas(ScheduleType.FLOW)).isEqualTo(FlowSchedule.straight());
    assertThat(betas(ScheduleType.EDM)).isEqualTo(EdmSchedule.paper());
    assertThat(betas(ScheduleType.VARIANCE_EXPLODING))
        .isEqualTo(new VarianceExplodingSchedule(0.01, 1348));
    assertThat(betas(ScheduleType.EXPONENTIAL)).isEqualTo(ExponentialSchedule.diffusers());
    assertThat(betas(ScheduleType.LAPLACE)).isEqualTo(LaplaceSchedule.paper());
    assertThat(betas(ScheduleType.LAPLACE_DIFFUSERS)).isEqualTo(LaplaceSchedule.diffusers());
    assertThat(betas(ScheduleType.LINEAR_SCALED)).isEqualTo(LinearSchedule.paper().scaledTo(100));
  }

  private static BetaSchedule betas(ScheduleType type) {
    return ScheduleConfig.of(type, 100).betas();
  }

  @ParameterizedTest
  @EnumSource
  void jsonRoundTrips(ScheduleType type) throws JsonProcessingException {
    ScheduleConfig plain = ScheduleConfig.of(type, 100);
    ScheduleConfig rescaled = plain.withZeroTerminalSnr();
    String name = type.name().toLowerCase(Locale.ROOT).replace('_', '-');

    assertThat(JSON.writeValueAsString(plain))
        .isEqualTo("{\"type\":\"%s\",\"timesteps\":100}".formatted(name));
    assertThat(JSON.writeValueAsString(rescaled))
        .isEqualTo(
            "{\"type\":\"%s\",\"timesteps\":100,\"zero_terminal_snr\":true}".formatted(name));
    assertThat(read(JSON.writeValueAsString(plain))).isEqualTo(plain);
    assertThat(read(JSON.writeValueAsString(rescaled))).isEqualTo(rescaled);
  }

  @Test
  void oldFilesStayReadable() throws JsonProcessingException {
    ScheduleConfig config =
        read("{\"type\":\"linear\",\"timesteps\":300,\"beta_start\":0.001,\"beta_end\":0.03}");

    assertThat(config).isEqualTo(new ScheduleConfig(ScheduleType.LINEAR, 300, 0.001, 0.03));
    assertThat(config.zeroTerminalSnr()).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void endsGoWithTypesThatHaveThem(ScheduleType type) {
    if (BETWEEN_ENDS.contains(type)) {
      double[] betas =
          new ScheduleConfig(type, 1000, 0.001, 0.03).create().values(ScheduleConstant.BETAS);
      assertThat(betas[0]).isBetween(0.001 - 1e-12, 0.0011);
      assertThat(betas[999]).isBetween(0.0299, 0.03 + 1e-12);
    } else {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new ScheduleConfig(type, 1000, 0.001, null))
          .withMessageContaining(type.name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }
  }

  /** Nobody has given the betas that are impossible then. */
  @ParameterizedTest
  @CsvSource({
    "LINEAR, 1e300, , , 'The schedule linear of 100 timesteps goes to extremes with the shift 1.0E300: betas[0] is 1.0'",
    "COSINE, 1e-20, , , 'with the shift 1.0E-20: betas[0] is 0.0'",
    "FLOW, 1e20, , , 'The schedule flow of 100 timesteps goes to extremes with the shift 1.0E20: '",
    "EDM, , , 1e300, 'with the greatest ratio 1.0E300: betas[1] is 1.0'",
    "VARIANCE_EXPLODING, , 1e-300, , 'with the least ratio 1.0E-300: betas[0] is 0.0'",
    "EDM, 1e-9, 1e-9, 1e300, 'with the shift 1.0E-9 and the least ratio 1.0E-9 and the greatest ratio 1.0E300: '",
    "LINEAR, -1, , , 'The shift of the noise schedule is -1.0; '"
  })
  void whatIsChosenIsNamedRatherThanWhatComesOfIt(
      ScheduleType type, Double shift, Double least, Double greatest, String said) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ScheduleConfig(type, 100, null, null, false, shift, least, greatest))
        .withMessageContaining(said);
  }

  @Test
  void theConstantIsChosenByItsEnd() {
    assertThat(new ScheduleConfig(ScheduleType.CONSTANT, 10, null, 0.5).betas())
        .isEqualTo(new ConstantSchedule(0.5));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ScheduleConfig(ScheduleType.COSINE, 10, null, 0.5))
        .withMessageContaining("linear, linear-scaled, scaled-linear, quadratic and sigmoid");
  }

  @Test
  void aScaledChainScalesChosenEnds() {
    assertThat(new ScheduleConfig(ScheduleType.LINEAR_SCALED, 500, 0.001, 0.03).betas())
        .isEqualTo(new LinearSchedule(0.002, 0.06));
  }

  @Test
  void ratiosGoWithTypesThatHaveThem() throws JsonProcessingException {
    ScheduleConfig exploding =
        ScheduleConfig.of(ScheduleType.VARIANCE_EXPLODING, 10).withRatios(0.02, 348);
    assertThat(exploding.betas()).isEqualTo(new VarianceExplodingSchedule(0.02, 348));
    assertThat(exploding.withShift(2).betas()).isEqualTo(new VarianceExplodingSchedule(0.04, 696));
    assertThat(read(JSON.writeValueAsString(exploding))).isEqualTo(exploding);
    assertThat(read("{\"type\":\"edm\",\"timesteps\":9,\"sigma_max\":50}").betas())
        .isEqualTo(new EdmSchedule(0.002, 50));
    ScheduleConfig cosine = ScheduleConfig.of(ScheduleType.COSINE, 10);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> cosine.withRatios(0.02, 348))
        .withMessageContaining("The schedule cosine has no sigma_min and sigma_max");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> exploding.withRatios(348, 0.02))
        .withMessageContaining("from 348.0 to 0.02");
  }

  @Test
  void zeroTerminalSnrRescales() {
    ScheduleConfig config = ScheduleConfig.of(ScheduleType.LINEAR, 50).withZeroTerminalSnr();

    assertThat(config.create())
        .isEqualTo(NoiseSchedule.of(new ZeroTerminalSnrSchedule(LinearSchedule.paper()), 50));
    assertThat(config.create().hasZeroTerminalSnr()).isTrue();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ScheduleConfig.of(ScheduleType.LINEAR, 1).withZeroTerminalSnr())
        .withMessageContaining("at least 2");
  }
}
