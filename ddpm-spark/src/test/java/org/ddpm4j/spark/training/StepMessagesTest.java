package org.ddpm4j.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.diffusion.training.StepLosses;
import org.junit.jupiter.api.Test;

class StepMessagesTest {

  @Test
  void arriveAsTheyWereSent() throws IOException {
    ImportanceTimesteps.State learned =
        new ImportanceTimesteps.State(new double[20], new int[] {3, 10});
    learned.losses()[19] = Math.PI;
    StepState state =
        StepMessages.readOrder(StepMessages.order(StepState.of(1L << 40, Optional.of(learned))));
    assertThat(state.step()).isEqualTo(1L << 40);
    assertThat(state.timestepLosses()).isEqualTo(learned.losses());
    assertThat(state.timestepCounts()).isEqualTo(learned.counts());
    assertThat(
            StepMessages.readOrder(StepMessages.order(StepState.of(7, Optional.empty()))).learned())
        .isEmpty();

    List<StepLosses> losses =
        List.of(
            new StepLosses(new int[] {1, 999}, new double[] {1, 0.5}, new double[] {0.25, 1e-300}),
            new StepLosses(new int[0], new double[0], new double[0]),
            new StepLosses(new int[] {2}, new double[] {3}, new double[] {Double.NaN}));
    List<StepLosses> read = StepMessages.readLosses(StepMessages.losses(losses));
    assertThat(read).hasSameSizeAs(losses);
    for (int i = 0; i < losses.size(); i++) {
      assertThat(read.get(i).t()).isEqualTo(losses.get(i).t());
      assertThat(read.get(i).weights()).isEqualTo(losses.get(i).weights());
      assertThat(read.get(i).losses()).isEqualTo(losses.get(i).losses());
    }
  }

  @Test
  void moreThanThereIsCannotBeAnnounced() throws IOException {
    byte[] bytes =
        StepMessages.losses(
            List.of(new StepLosses(new int[] {1}, new double[] {1}, new double[] {1})));
    assertThatIOException()
        .isThrownBy(() -> StepMessages.readLosses(Arrays.copyOf(bytes, bytes.length - 1)))
        .withMessageContaining("a step announces 1 number, but has 7 bytes");
    bytes[0] = (byte) 0x7f;
    assertThatIOException().isThrownBy(() -> StepMessages.readLosses(bytes));
  }

  /** Nothing goes unencrypted through a cluster that is told to encrypt. */
  @Test
  void encryptionIsNotEvaded() {
    SparkGradientStep.requirePlain(new SparkConf(false));
    for (String setting : List.of("spark.network.crypto.enabled", "spark.ssl.rpc.enabled")) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> SparkGradientStep.requirePlain(new SparkConf(false).set(setting, "true")))
          .withMessageContaining(setting)
          .withMessageContaining("independent");
    }
  }
}
