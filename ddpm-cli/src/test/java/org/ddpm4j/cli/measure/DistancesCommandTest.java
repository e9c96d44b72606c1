package org.ddpm4j.cli.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.cli.Cli;
import org.ddpm4j.cli.IdxFixture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DistancesCommandTest {

  @TempDir private static Path shared;
  private static Path data;
  private static Path run;
  private static Path cache;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 30, 8, 5);
    run = shared.resolve("run");
    cache = shared.resolve("cache");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
  }

  private Cli.Result distances(String file, Object... args) {
    Stream<Object> places =
        Stream.of("--data", data, "--cache", cache, "--output", folder.resolve(file));
    return Cli.run(Stream.concat(Stream.of(args), places).toArray());
  }

  private JsonNode json(String file) throws IOException {
    return new ObjectMapper().readTree(folder.resolve(file).toFile());
  }

  @Test
  void measuresARun() throws IOException {
    Cli.Result result =
        distances("a.json", "distances", "--run", run, "--count", 12, "--steps", 2).isOk();

    assertThat(result.out())
        .contains("Compared with 30 images", "samples ", "real test images", "uniform noise");
    JsonNode found = json("a.json");
    assertThat(found.fieldNames())
        .toIterable()
        .containsExactly("samples", "real test images", "uniform noise");
    JsonNode samples = found.get("samples");
    assertThat(samples.get("images").asInt()).isEqualTo(12);
    assertThat(samples.get("reference_images").asInt()).isEqualTo(30);
    for (String figure :
        List.of("frechet_distance", "kernel_distance", "precision", "recall", "density")) {
      assertThat(samples.get(figure).asDouble()).as(figure).isFinite();
    }
    assertThat(found.get("real test images").get("frechet_distance").asDouble())
        .isLessThan(found.get("uniform noise").get("frechet_distance").asDouble());
  }

  @Test
  void evaluateWithDistancesIsTheSame() throws IOException {
    distances("a.json", "distances", "--run", run, "--count", 10, "--steps", 2).isOk();
    distances("b.json", "evaluate", "--run", run, "--distances", "--count", 10, "--steps", 2)
        .isOk();

    assertThat(json("b.json")).isEqualTo(json("a.json"));
    assertThat(Cli.run("evaluate", "--help").isOk().out()).contains("--distances");
  }

  /** Images as files are what they were in memory. */
  @Test
  void aFolderOfSamplesIsAsFarAsTheSamples() throws IOException {
    distances("a.json", "distances", "--run", run, "--count", 12, "--steps", 2).isOk();
    Path images = folder.resolve("images");
    Cli.run(
            "sample",
            "--run",
            run,
            "--count",
            12,
            "--steps",
            2,
            "--format",
            "png",
            "--output",
            images)
        .isOk();

    distances("b.json", "distances", "--images", images).isOk();

    JsonNode drawn = json("a.json").get("samples");
    JsonNode read = json("b.json").get("images");
    for (String figure : List.of("frechet_distance", "kernel_distance", "density", "coverage")) {
      assertThat(read.get(figure).asDouble())
          .as(figure)
          .isCloseTo(drawn.get(figure).asDouble(), within(1e-6 * drawn.get(figure).asDouble()));
    }
  }

  @Test
  void featuresOfADataSetAreMadeOnce() throws IOException {
    distances("a.json", "distances", "--run", run, "--count", 10, "--steps", 2).isOk();
    List<Path> kept;
    try (Stream<Path> files = Files.list(cache)) {
      kept = files.toList();
    }
    assertThat(kept).hasSize(1);
    FileTime longAgo = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(kept.get(0), longAgo);

    distances("b.json", "distances", "--run", run, "--count", 10, "--steps", 2).isOk();

    assertThat(Files.getLastModifiedTime(kept.get(0))).isEqualTo(longAgo);
    assertThat(json("b.json")).isEqualTo(json("a.json"));

    Files.writeString(kept.get(0), "damaged");
    Cli.Result anew = distances("c.json", "distances", "--run", run, "--count", 10, "--steps", 2);
    assertThat(anew.code()).isZero();
    assertThat(anew.err()).contains("It is made anew.");
    assertThat(json("c.json")).isEqualTo(json("a.json"));
  }

  @Test
  void refusesTooFewImages() throws IOException {
    distances("a.json", "distances", "--run", run, "--count", 9)
        .isBadInput("The value of --count is 9; it must be from 10");
    Path images = folder.resolve("images");
    Cli.run(
            "sample",
            "--run",
            run,
            "--count",
            3,
            "--steps",
            2,
            "--format",
            "png",
            "--output",
            images)
        .isOk();
    distances("a.json", "distances", "--images", images)
        .isBadInput("holds 3 images; 10 are needed");
    distances("a.json", "distances", "--images", images, "--run", run)
        .isBadInput("'--images' does not go with '--run'");
  }
}
