package org.ddpm4j.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Gives every reader the seeds of its fuzzing again, which are sound files and what fuzzing found
 * before it was mended ({@code found-…}), and pieces and variations of them.
 */
class FuzzSeedsTest {

  private static final int PIECES = 20;
  private static final int VARIATIONS = 30;

  @TempDir private Path folder;

  private static List<Path> seeds(FuzzTarget target) throws IOException, URISyntaxException {
    Path seeds = Path.of(FuzzSeedsTest.class.getResource(target.label()).toURI());
    try (Stream<Path> files = Files.list(seeds)) {
      return files.sorted().toList();
    }
  }

  /** A corpus of which nothing is taken would reach nothing but the first check. */
  @ParameterizedTest
  @EnumSource
  @Timeout(value = 2, unit = TimeUnit.MINUTES)
  void seedsAreTakenOrRefused(FuzzTarget target) throws Exception {
    int taken = 0;
    for (Path seed : seeds(target)) {
      if (target.accepts(Files.readAllBytes(seed), folder)) {
        taken++;
      } else {
        assertThat(seed.getFileName().toString())
            .as("a seed that is refused")
            .matches(name -> target.isOnlyRefused() || name.matches("(found|refused).*"));
      }
    }
    if (target.isOnlyRefused()) {
      assertThat(taken).isZero();
    } else {
      assertThat(taken).isPositive();
    }
  }

  @ParameterizedTest
  @EnumSource
  @Timeout(value = 2, unit = TimeUnit.MINUTES)
  void piecesAndVariationsOfSeedsAreTakenOrRefused(FuzzTarget target) throws Exception {
    Random random = new Random(1);
    for (Path seed : seeds(target)) {
      byte[] bytes = Files.readAllBytes(seed);
      for (int i = 0; i < PIECES; i++) {
        target.accepts(Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)), folder);
      }
      for (int i = 0; i < VARIATIONS; i++) {
        byte[] other = bytes.clone();
        for (int changes = random.nextInt(4); changes >= 0 && other.length > 0; changes--) {
          other[random.nextInt(other.length)] = (byte) random.nextInt(256);
        }
        target.accepts(other, folder);
      }
    }
  }
}
