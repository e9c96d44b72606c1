package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListenersTest {

  @TempDir private Path folder;

  @Test
  void progressIsALineForEachReport() throws IOException {
    List<String> lines = new ArrayList<>();
    Trainer trainer = TinyTraining.trainer(6).withListener(new ProgressListener(lines::add));

    trainer.fit();

    // Reports come every four steps and at the end.
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0))
        .matches(
            "step 4 of 6: loss \\d\\.\\d{4}, validation \\d\\.\\d{4}, [\\d.]+ images/s, \\d+:\\d\\d:\\d\\d left");
    assertThat(lines.get(1)).startsWith("step 6 of 6: ").endsWith(" 0:00:00 left");
    assertThat(lines.get(1)).contains("%.4f".formatted(trainer.history().entries().get(1).loss()));
  }

  @Test
  void gridsShowTheMovingAverageAsItGrows() throws IOException {
    Trainer trainer = TinyTraining.trainer(5);
    trainer.withListener(new SampleGridListener(pipeline(trainer), folder, 4, 7, 2));

    trainer.fit();

    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("step-0000002.png", "step-0000004.png", "step-0000005.png");
    }
    BufferedImage grid = ImageIO.read(folder.resolve("step-0000005.png").toFile());
    assertThat(grid.getWidth()).isEqualTo(2 * (2 * 8 + 1) + 1);
    assertThat(grid.getHeight()).isEqualTo(grid.getWidth());
    assertThat(Files.readAllBytes(folder.resolve("step-0000002.png")))
        .isNotEqualTo(Files.readAllBytes(folder.resolve("step-0000005.png")));
  }

  @Test
  void emptyGridsAreRefused() {
    DiffusionPipeline pipeline = pipeline(TinyTraining.trainer(1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new SampleGridListener(pipeline, folder, 0, 7, 2))
        .withMessage("The number of images in a grid is 0; it must be at least 1.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new SampleGridListener(pipeline, folder, 4, 7, 0))
        .withMessage("The number of steps between grids is 0; it must be at least 1.");
  }

  private static DiffusionPipeline pipeline(Trainer trainer) {
    return DiffusionPipeline.of(
        trainer.emaUnet(),
        TinyTraining.SCHEDULE,
        new AncestralSampler(
            TinyTraining.SCHEDULE.respace(5), ReverseVariance.POSTERIOR, X0Constraint.clip(-1, 1)),
        new ImageShape(1, 8, 8));
  }
}
