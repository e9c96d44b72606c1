package org.ddpm4j.cli.measure;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The networks that are measured, of which diffusers makes the same of the same files. */
class BenchModelTest {

  @ParameterizedTest
  @EnumSource
  void takesWhatIsMeasured(BenchModel model) {
    assertThat(model.config().inChannels()).isEqualTo(model.shape().channels());
    model.config().checkImageSize(model.shape().height(), model.shape().width());
  }
}
