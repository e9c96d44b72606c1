package org.ddpm4j.studio.drawing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelShelfTest {

  @Test
  void aModelIsReadOnceAndStaysOpenWhileItIsUsed() throws Exception {
    ModelShelf shelf = new ModelShelf();
    ModelShelf.Lease first = shelf.lease(ModelSource.bundled());
    ModelShelf.Lease second = shelf.lease(ModelSource.bundled());
    assertThat(second.model()).isSameAs(first.model());

    first.close();
    first.close();
    shelf.close();
    assertThat(second.model().pipeline(SamplerType.DDIM, 1).pictures(1, 0)).hasSize(1);
    DiffusionModel model = second.model();
    second.close();
    assertThatThrownBy(() -> model.pipeline(SamplerType.DDIM, 1).pictures(1, 0))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> shelf.lease(ModelSource.bundled()))
        .isInstanceOf(IllegalStateException.class);
  }

  /** Jobs are kept for minutes after their end, in which a training may write many checkpoints. */
  @Test
  void anEndedLeaseKeepsNoModelInMemory() throws Exception {
    ModelShelf shelf = new ModelShelf();
    ModelShelf.Lease lease = shelf.lease(ModelSource.bundled());
    shelf.close();
    lease.close();

    assertThatThrownBy(lease::model)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("given back");
  }

  @Test
  void aRunWithNewerWeightsIsReadAnew(@TempDir Path folder) throws Exception {
    Path run = folder.resolve("run");
    try (DiffusionModel model = DiffusionModel.bundled()) {
      model.save(run);
    }
    ModelSource source = ModelSource.of("runs/run", run);
    assertThat(source.kind()).isEqualTo(ModelSource.Kind.RUN);
    assertThat(source.options()).containsExactly("--run", run.toString());
    try (ModelShelf shelf = new ModelShelf();
        ModelShelf.Lease before = shelf.lease(source)) {
      Files.setLastModifiedTime(run.resolve("unet"), FileTime.fromMillis(1));
      try (ModelShelf.Lease after = shelf.lease(source)) {
        assertThat(after.model()).isNotSameAs(before.model());
      }
      assertThat(before.model().pipeline(SamplerType.DDIM, 1).pictures(1, 0)).hasSize(1);
    }
  }
}
