package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextTest {

  @ParameterizedTest
  @CsvSource({
    "1060.24, 1060.2",
    "73.26, 73.3",
    "9.996, 10.0",
    "9.994, 9.99",
    "2.4, 2.40",
    "0.9996, 1.00",
    "0.7123, 0.712",
    "0, 0.000",
  })
  void ratesHaveThreeDigits(double perSecond, String text) {
    assertThat(Text.rate(perSecond)).isEqualTo(text);
  }

  @Test
  void oneIsNoPlural() {
    assertThat(Text.count(1, "image")).isEqualTo("1 image");
    assertThat(Text.count(0, "image")).isEqualTo("0 images");
    assertThat(Text.count(1, "axis", "axes")).isEqualTo("1 axis");
    assertThat(Text.count(3, "axis", "axes")).isEqualTo("3 axes");
  }

  /** Each bracket goes with the whole number that stands last before it. */
  @Test
  void nounsGoWithTheNumbersBeforeThem() {
    String format = "%s: %,d image(s) of %d small channel(s), %.1f %%, %d class(es)%n";
    assertThat(Text.format(format, "a(s)", 1, 3L, 1.0, 1))
        .isEqualTo("a(s): 1 image of 3 small channels, 1.0 %, 1 class" + System.lineSeparator());
    assertThat(Text.format(format, "1 b(es)", 2000, 1L, 2.0, 0))
        .isEqualTo(
            "1 b(es): 2,000 images of 1 small channel, 2.0 %, 0 classes" + System.lineSeparator());
    assertThat(Text.format("%3d step(s), %-4d|", 1, 2)).isEqualTo("  1 step, 2   |");
    assertThat(Text.format("f(s), %s(s)", 1)).isEqualTo("f(s), 1(s)");
  }

  @Test
  void noLanguageChangesDecimalPoints() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.GERMANY);
      assertThat(Text.format("%.1f", 0.5)).isEqualTo("0.5");
      assertThat(Text.rate(12.34)).isEqualTo("12.3");
    } finally {
      Locale.setDefault(before);
    }
  }
}
