package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MatrixMultiplyRateTest {

  @BeforeAll
  static void onednnLoadsHere() {
    assertThat(FusedKernels.obstacle()).isNull();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void measuresOneRoundAtLeast(int threads) {
    assertThat(MatrixMultiplyRate.gigaflops(threads, Duration.ZERO)).isFinite().isPositive();
  }

  @Test
  void noThreadsAreRefused() {
    assertThatThrownBy(() -> MatrixMultiplyRate.gigaflops(0, Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0 threads");
  }
}
