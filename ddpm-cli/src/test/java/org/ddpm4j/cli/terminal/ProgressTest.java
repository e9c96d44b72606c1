package org.ddpm4j.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ProgressTest {

  private static final long SECOND = 1_000_000_000L;

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private Console console(OptionalInt columns) {
    return new Console(
        new ByteArrayOutputStream(), new PrintStream(err, true, StandardCharsets.UTF_8), columns);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aTaskOfTwoSecondsIsQuiet() {
    long[] now = {0};
    try (Progress progress =
        new Progress(console(OptionalInt.empty()), "train", "steps", 0, 10, () -> now[0])) {
      now[0] = 19 * SECOND / 10;
      progress.update(10, "");
    }
    assertThat(err()).isEmpty();
  }

  @Test
  void elsewhereThanOnATerminalThereAreLinesNowAndThen() {
    long[] now = {0};
    try (Progress progress =
        new Progress(console(OptionalInt.empty()), "train", "steps", 100, 110, () -> now[0])) {
      for (int second = 1; second <= 10; second++) {
        now[0] = second * SECOND;
        progress.update(100 + second, "loss 0." + second);
      }
    }
    assertThat(err())
        .isEqualTo(
            """
            train: 102/110 steps, 1.00/s, 0:00:02, ETA 0:00:08, loss 0.2
            train: 107/110 steps, 1.00/s, 0:00:07, ETA 0:00:03, loss 0.7
            train: 110/110 steps, 1.00/s, 0:00:10, ETA 0:00:00, loss 0.10
            """);
  }

  @Test
  void onATerminalThereIsABar() {
    long[] now = {0};
    try (Progress progress =
        new Progress(console(OptionalInt.of(70)), "train", "steps", 0, 10, () -> now[0])) {
      now[0] = 5 * SECOND;
      progress.update(5, "loss 0.5");
    }
    assertThat(err()).contains("\rtrain", "50%", "5/10", "loss 0.5");
    assertThat(err().lines().map(String::strip)).allSatisfy(l -> assertThat(l).hasSizeLessThan(70));
  }
}
