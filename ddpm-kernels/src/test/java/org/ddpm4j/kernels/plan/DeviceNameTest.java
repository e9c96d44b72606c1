package org.ddpm4j.kernels.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What users call devices. */
class DeviceNameTest {

  @ParameterizedTest
  @CsvSource({"cuda, cuda:0", "CUDA:3, cuda:3", "' cpu ', cpu", "auto, auto"})
  void aNameIsReadAndWritten(String text, String written) {
    assertThat(DeviceName.parse(text)).hasToString(written);
    assertThat(DeviceName.parse(written)).isEqualTo(DeviceName.parse(text));
    assertThat(DeviceName.parseAll(text)).containsExactly(DeviceName.parse(text));
  }

  @Test
  void severalNamesMayLeaveOutTheKindAndComeTwice() {
    DeviceName first = new DeviceName("cuda", 0);
    DeviceName third = new DeviceName("cuda", 2);
    assertThat(DeviceName.parseAll("cuda:0,2")).isEqualTo(List.of(first, third));
    assertThat(DeviceName.parseAll("cuda, cuda:2")).isEqualTo(List.of(first, third));
    assertThat(DeviceName.parseAll("cuda:2, 0 ,0")).isEqualTo(List.of(third, first, first));
    assertThat(DeviceName.parseAll("cuda:2,cpu")).isEqualTo(List.of(third, DeviceName.CPU));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "cuda:", "cuda:x", "cuda:0,", ",cuda:0", "cuda:0,,1", "cpu:1"})
  void whatIsNoNameIsRefused(String text) {
    assertThatThrownBy(() -> DeviceName.parseAll(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("o device");
  }
}
