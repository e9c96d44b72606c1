package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OrientationTest {

  /** Of the stored rows "abc", "def", what a viewer shows (EXIF 2.3, the letter F's table). */
  @ParameterizedTest
  @CsvSource({
    "1, abcdef", "2, cbafed", "3, fedcba", "4, defabc",
    "5, adbecf", "6, daebfc", "7, fcebda", "8, cfbead"
  })
  void theEightOrientations(int number, String shown) {
    Orientation orientation = Orientation.of(number);
    boolean exchanged = number >= 5;
    assertThat(orientation.exchangesSides()).isEqualTo(exchanged);
    byte[] turned =
        orientation.apply(
            "abcdef".getBytes(StandardCharsets.US_ASCII), 1, exchanged ? 3 : 2, exchanged ? 2 : 3);
    assertThat(new String(turned, StandardCharsets.US_ASCII)).isEqualTo(shown);
  }

  @Test
  void otherNumbersLeaveThePictureAsItIs() {
    assertThat(Orientation.of(0)).isEqualTo(Orientation.UPRIGHT);
    assertThat(Orientation.of(9)).isEqualTo(Orientation.UPRIGHT);
  }
}
