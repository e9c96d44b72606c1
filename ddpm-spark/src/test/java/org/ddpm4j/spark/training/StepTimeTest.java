package org.ddpm4j.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Arithmetic, and that the page has its results. */
class StepTimeTest {

  /** By hand: 1 s shared by 2, 5 ms, 4 MB at 0.9 GB/s thrice, and a million additions. */
  @Test
  void isTheSumOfItsParts() {
    StepTime time = new StepTime(100, 1_000_000, 8);
    assertThat(time.seconds(100, 1)).isEqualTo(1.0);
    assertThat(time.seconds(100, 2)).isEqualTo(0.5 + 0.005 + 3 * 4e6 / 0.9e9 + 1e-3, within(1e-12));
    assertThatIllegalArgumentException().isThrownBy(() -> new StepTime(0, 1, 1));
  }

  /** Where n exchanges take as long as one machine alone: n (r + 4c + a) - 2c = B/v. */
  @Test
  void asManyAreOfUseAsExchangesFitIntoAStep() {
    StepTime time = new StepTime(18.6, 35_700_000, 10);
    double copy = 35.7e6 * 4 / (10e9 / 8 * 0.9);
    double most = (1024 / 18.6 + 2 * copy) / (0.005 + 4 * copy + 35.7e6 * 1e-9);
    assertThat(time.halfUseful(1024)).isEqualTo((int) most);
  }

  @Test
  void thePageHasItsResults() throws IOException {
    List<String> rows =
        Files.readAllLines(Path.of("../docs/spark-scaling.md")).stream()
            .filter(line -> line.matches("\\| \\d.* M \\|.*"))
            .toList();
    assertThat(rows).hasSize(16);
    for (String row : rows) {
      String[] cells = row.split("\\s*\\|\\s*");
      long weights = Math.round(Double.parseDouble(cells[1].replace(" M", "")) * 1e6);
      double speed =
          cells[2].equals("two cores")
              ? (weights < 10_000_000 ? 262 : 18.6)
              : 128 / (weights < 10_000_000 ? 3.95e-3 : 21.1e-3);
      int batch = Integer.parseInt(cells[3]);
      StepTime time = new StepTime(speed, weights, Integer.parseInt(cells[5]));
      assertThat(cells[6])
          .as(row)
          .isEqualTo(String.format(Locale.ROOT, "%.0f ms", time.exchangeSeconds(10) * 1e3));
      assertThat(Integer.parseInt(cells[7])).as(row).isEqualTo(time.halfUseful(batch));
      assertThat(cells[8]).as(row).isEqualTo(times(time.speedup(batch, 2)));
      assertThat(cells[9]).as(row).isEqualTo(times(time.speedup(batch, 10)));
    }
  }

  private static String times(double factor) {
    return String.format(Locale.ROOT, "%.2f", factor);
  }
}
