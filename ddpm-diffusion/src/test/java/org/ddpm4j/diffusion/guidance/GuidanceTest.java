package org.ddpm4j.diffusion.guidance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import org.ddpm4j.diffusion.NoiseLevel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class GuidanceTest {

  private static JsonNode fixture() throws IOException {
    try (InputStream json = GuidanceTest.class.getResourceAsStream("guidance.json")) {
      return new ObjectMapper().readTree(json);
    }
  }

  private static double[] doubles(JsonNode array) {
    double[] values = new double[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).doubleValue();
    }
    return values;
  }

  private static INDArray images(JsonNode fixture, String name) {
    long[] shape = new long[4];
    for (int i = 0; i < 4; i++) {
      shape[i] = fixture.get("shape").get(i).longValue();
    }
    return Nd4j.createFromArray(doubles(fixture.get(name))).reshape('c', shape);
  }

  /** In its own formulation and in that of Ho and Salimans, whose scale is one less. */
  @Test
  void answersAsDiffusers() throws IOException {
    JsonNode fixture = fixture();
    assertThat(fixture.get("cases")).hasSize(7);
    for (JsonNode example : fixture.get("cases")) {
      Guidance guidance =
          Guidance.of(example.get("scale").doubleValue())
              .withRescale(example.get("rescale").doubleValue());

      INDArray answer =
          guidance.combine(images(fixture, "conditional"), images(fixture, "unconditional"));

      assertThat(answer.dup('c').data().asDouble())
          .as("%s", guidance)
          .usingComparatorWithPrecision(1e-12)
          .containsExactly(doubles(example.get("answer")));
    }
  }

  @Test
  void leavesItsArgumentsAsTheyAre() throws IOException {
    JsonNode fixture = fixture();
    INDArray conditional = images(fixture, "conditional");
    INDArray unconditional = images(fixture, "unconditional");

    Guidance.of(4).withRescale(0.7).combine(conditional, unconditional);

    assertThat(conditional).isEqualTo(images(fixture, "conditional"));
    assertThat(unconditional).isEqualTo(images(fixture, "unconditional"));
  }

  /** Of one colour, or of one pixel: their standard deviation is 0 or not defined. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void imagesWithoutDeviationStayFinite(int size) {
    INDArray conditional = Nd4j.valueArrayOf(new long[] {2, 1, size, size}, 0.5);
    INDArray unconditional = Nd4j.valueArrayOf(new long[] {2, 1, size, size}, 0.25);

    INDArray answer = Guidance.of(3).withRescale(0.7).combine(conditional, unconditional);

    assertThat(answer.data().asDouble()).containsOnly(1.0);
  }

  /** Rounding errors of their means were taken for deviations, and images became brighter. */
  @Test
  void imagesOfOneColourAreNotRescaled() {
    for (int image = 1; image <= 20; image++) {
      double yc = 0.1 * image;
      double none = -0.3 / image;
      INDArray conditional = Nd4j.valueArrayOf(new long[] {2, 3, 5, 7}, yc, DataType.DOUBLE);
      INDArray unconditional = Nd4j.valueArrayOf(new long[] {2, 3, 5, 7}, none, DataType.DOUBLE);

      INDArray answer = Guidance.of(3).withRescale(0.7).combine(conditional, unconditional);

      assertThat(answer.data().asDouble())
          .usingComparatorWithPrecision(1e-12)
          .containsOnly(none + 3 * (yc - none));
    }
  }

  @Test
  void theIntervalIsOfRho() {
    Guidance.Interval interval = new Guidance.Interval(0.5, 2);
    assertThat(interval.contains(new NoiseLevel(9, 0.5))).isTrue(); // ρ is 1.
    assertThat(interval.contains(new NoiseLevel(9, 0.1))).isFalse(); // ρ is 3.
    assertThat(interval.contains(new NoiseLevel(9, 0.9))).isFalse(); // ρ is 1/3.
    assertThat(Guidance.Interval.ALL.contains(new NoiseLevel(9, 0))).isTrue();
    assertThat(Guidance.Interval.ALL.contains(NoiseLevel.CLEAN)).isTrue();
    assertThat(new NoiseLevel(9, 0.1).rho()).isCloseTo(3, within(1e-12));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-1       | 0    | The guidance scale is -1.0; it must be from 0 to 1000, where 1 is no guidance.",
        "1000.1   | 0    | The guidance scale is 1000.1; it must be from 0 to 1000",
        "NaN      | 0    | The guidance scale is NaN",
        "Infinity | 0    | The guidance scale is Infinity",
        "2        | -0.1 | The guidance rescale is -0.1; it must be from 0 to 1.",
        "2        | 1.1  | The guidance rescale is 1.1",
        "2        | NaN  | The guidance rescale is NaN"
      })
  void numbersOutOfRangeAreRefused(double scale, double rescale, String message) {
    assertThatThrownBy(() -> Guidance.of(scale).withRescale(rescale))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({"-1, 2", "2, 2", "3, 2", "NaN, 2", "0, NaN"})
  void emptyIntervalsAreRefused(double min, double max) {
    assertThatThrownBy(() -> new Guidance.Interval(min, max))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the first must be at least 0 and less than the second");
  }
}
