package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

/** Numbers as people write them, and what is none. */
class NumberWordsTest {

  @Test
  void numbersAreRead() {
    assertThat(NumberWords.integer("-12")).isEqualTo(-12);
    assertThat(NumberWords.longInteger("+9000000000")).isEqualTo(9_000_000_000L);
    assertThat(NumberWords.number("1e-3")).isEqualTo(0.001);
  }

  @Test
  void whatIsNoneIsSaidWithoutJavasTypes() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NumberWords.integer("1.5"))
        .withMessage("'1.5' is not a whole number");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NumberWords.integer("9000000000"))
        .withMessage("'9000000000' has too many digits");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NumberWords.longInteger("-99999999999999999999"))
        .withMessage("'-99999999999999999999' has too many digits");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NumberWords.number("half"))
        .withMessage("'half' is not a number");
  }
}
