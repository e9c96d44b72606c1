package org.ddpm4j.schedules;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares every constant with NumPy's, see make_golden.py beside golden.json. */
class GoldenScheduleTest {

  private static final double RELATIVE_TOLERANCE = 1e-12;

  private static JsonNode golden;

  @BeforeAll
  static void readGolden() throws IOException {
    try (InputStream json = GoldenScheduleTest.class.getResourceAsStream("golden.json")) {
      golden = new ObjectMapper().readTree(json);
    }
  }

  static Stream<String> schedules() throws IOException {
    readGolden();
    return golden.properties().stream().map(entry -> entry.getKey());
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void constantsEqualNumPys(String name) {
    JsonNode tables = golden.get(name);
    NoiseSchedule schedule = scheduleNamed(name);

    assertThat(tables.properties()).isNotEmpty();
    tables
        .properties()
        .forEach(
            table -> {
              ScheduleConstant constant =
                  ScheduleConstant.valueOf(table.getKey().toUpperCase(Locale.ROOT));
              assertThat(schedule.timesteps()).isEqualTo(table.getValue().size());
              for (int t = 0; t < schedule.timesteps(); t++) {
                double expected = table.getValue().get(t).asDouble();
                assertThat(Math.abs(schedule.get(constant, t) - expected))
                    .as("%s, %s at t = %d: %s", name, constant, t, schedule.get(constant, t))
                    .isLessThanOrEqualTo(Math.abs(expected) * RELATIVE_TOLERANCE);
              }
            });
  }

  @Test
  void goldenHoldsEverySchedule() {
    assertThat(golden.size()).isEqualTo(35);
    assertThat(golden.get("linear_600").size()).isEqualTo(13);
  }

  private static NoiseSchedule scheduleNamed(String name) {
    int underscore = name.lastIndexOf('_');
    BetaSchedule schedule =
        switch (name.substring(0, underscore)) {
          case "linear" -> LinearSchedule.paper();
          case "scaled_linear" -> QuadraticSchedule.scaledLinear();
          case "quadratic" -> QuadraticSchedule.paperEnds();
          case "sigmoid" -> SigmoidSchedule.paperEnds();
          case "constant" -> ConstantSchedule.paperEnd();
          case "jsd" -> new JsdSchedule();
          case "linear_zero_terminal_snr" -> new ZeroTerminalSnrSchedule(LinearSchedule.paper());
          case "cosine_seed" -> CosineSchedule.annotated();
          case "cosine_iddpm" -> CosineSchedule.paper();
          case "exponential" -> ExponentialSchedule.diffusers();
          case "sigmoid_jabri" -> SigmoidSignalSchedule.paper();
          case "laplace" -> LaplaceSchedule.paper();
          case "laplace_diffusers" -> LaplaceSchedule.diffusers();
          default -> throw new IllegalArgumentException(name);
        };
    return NoiseSchedule.of(schedule, Integer.parseInt(name.substring(underscore + 1)));
  }
}
