package org.ddpm4j.models;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.junit.jupiter.api.Test;

class BundledModelTest {

  /** The folder of the repository, which the program reads, and the resource are one model. */
  @Test
  void theBundledModelIsThatOfTheRepository() throws IOException {
    try (DiffusionModel bundled = DiffusionModel.bundled();
        DiffusionModel ofRun = DiffusionModel.ofRun(Path.of("../models/fashion-mnist"))) {
      assertThat(bundled.description()).isEqualTo(ofRun.description());
      assertThat(bundled.unet().parameters().flat()).isEqualTo(ofRun.unet().parameters().flat());
      assertThat(bundled.shape()).isEqualTo(new ImageShape(1, 28, 28));
    }
  }
}
