package org.ddpm4j.spark.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.spark.TestSpark;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Executors are processes, and one of them dies while it draws. */
class LostExecutorSamplingTest {

  private static final int COUNT = 24;
  private static final int STEPS = 3;

  @TempDir private Path folder;

  /** Kills its process in the middle of the second batch. */
  private static DiffusionPipeline dying(DiffusionModel model, String marker) {
    DiffusionPipeline pipeline = model.pipeline(SamplerType.DDPM, STEPS);
    AtomicInteger calls = new AtomicInteger();
    return new DiffusionPipeline(
        classes -> {
          Denoiser denoiser = pipeline.denoiser().withClasses(classes);
          return (x, level) -> {
            if (calls.incrementAndGet() == STEPS + 2) {
              TestSpark.dieOnce(marker);
            }
            return denoiser.denoise(x, level);
          };
        },
        pipeline.sampler(),
        pipeline.shape(),
        pipeline.normalization(),
        pipeline.classOf());
  }

  @Test
  void nothingIsLostAndNothingThereTwice() throws IOException {
    Path run = TinyModel.write(folder.resolve("run"));
    Path target = folder.resolve("drawn");
    String marker = folder.resolve("died").toString();
    SparkSession spark = TestSpark.cluster(2);
    try (SparkSampler sampler =
        new SparkSampler(spark, PackedModel.of(run), model -> dying(model, marker))) {
      sampler.writeImageFiles(new SparkSampling(COUNT, 7, 4, 2), target.toString());
    } finally {
      spark.stop();
    }

    assertThat(Path.of(marker)).exists();
    try (Stream<Path> files = Files.list(target);
        DiffusionModel model = DiffusionModel.ofRun(run)) {
      List<String> names =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> !name.startsWith("."))
              .toList();
      assertThat(names).hasSize(COUNT + 1).contains("_SUCCESS");
      List<byte[]> expected =
          model.pipeline(SamplerType.DDPM, STEPS).pictures(COUNT, 7).stream()
              .map(Images::png)
              .toList();
      for (int i = 0; i < COUNT; i++) {
        assertThat(target.resolve(String.format(Locale.ROOT, "%04d.png", i)))
            .hasBinaryContent(expected.get(i));
      }
    }
  }
}
