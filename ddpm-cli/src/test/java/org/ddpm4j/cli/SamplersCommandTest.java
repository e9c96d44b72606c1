package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SamplersCommandTest {

  @TempDir private static Path shared;
  private static Path run;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    Path data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    run = shared.resolve("run");
    // Six timesteps.
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
  }

  @Test
  void drawsARowForEachSampler() throws IOException {
    Path picture = folder.resolve("samplers.png");
    String out =
        Cli.run("samplers", "--run", run, "--steps", "4,5", "--count", 3, "--output", picture)
            .isOk()
            .out();
    assertThat(out).isEqualTo(picture + "\n");
    BufferedImage table = ImageIO.read(picture.toFile());
    // Twenty-seven samplers; six images of 8 by 8 pixels, twice enlarged, with lines between them.
    assertThat(table.getHeight()).isEqualTo(26 + 27 * (2 * 8 + 2 + 10));
    assertThat(table.getWidth()).isGreaterThan(6 * (2 * 8 + 1));
    Set<Integer> greys = new HashSet<>();
    for (int y = 0; y < table.getHeight(); y++) {
      greys.add(table.getRGB(table.getWidth() - 20, y));
    }
    assertThat(greys).hasSizeGreaterThan(10);
  }

  @Test
  void whatCannotBeDrawnIsSaid() {
    Cli.run("samplers", "--run", run, "--steps", "7").isBadInput("7 denoising steps", "1 to 6");
    Cli.run("samplers", "--run", run, "--samplers", "magic").isBadInput("expected ddpm, ddim");
    Cli.run("samplers", "--run", run, "--count", "0").isBadInput("--count is 0");
  }
}
