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
