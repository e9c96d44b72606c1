package org.ddpm4j.spark.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.evaluation.FeatureStatistics;
import org.ddpm4j.evaluation.Pixels;
import org.ddpm4j.spark.TestSpark;
import org.ddpm4j.spark.evaluation.SparkEvaluation;
import org.ddpm4j.unet.Execution;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What tasks draw is what one machine draws, bit by bit. */
class SparkSamplerTest {

  private static final int COUNT = 21;
  private static final long SEED = 5;

  /** Draws noise on the way, too. */
  private static final PipelineFactory PIPELINES = model -> model.pipeline(SamplerType.DDPM, 4);

  @TempDir private static Path folder;

  private static SparkSession spark;
  private static SparkSampler sampler;

  /** Of one machine. */
  private static INDArray expected;

  private static List<byte[]> expectedPngs;

  @BeforeAll
  static void begin() throws IOException {
    Path run = TinyModel.write(folder.resolve("run"));
    try (DiffusionModel model = DiffusionModel.ofRun(run)) {
      expected =
          PIPELINES
              .create(model)
              .sample(COUNT, SEED, SamplingOptions.defaults().withBatchSize(COUNT));
      expectedPngs =
          Images.toPictures(expected, model.normalization()).stream().map(Images::png).toList();
    }
    spark = TestSpark.local(2);
    sampler = new SparkSampler(spark, PackedModel.of(run), PIPELINES);
  }

  @AfterAll
  static void end() {
    sampler.close();
    spark.stop();
  }

  @ParameterizedTest
  @CsvSource({"1, 64", "2, 3", "5, 8", "50, 64"})
  void theSameBitsForAnyNumberOfPartitions(int partitions, int batchSize) {
    SparkSampling sampling = new SparkSampling(COUNT, SEED, partitions, batchSize);
    List<Row> rows = sampler.draw(sampling, ImageEncoding.FLOAT32).collectAsList();

    assertThat(rows).hasSize(COUNT);
    for (int i = 0; i < COUNT; i++) {
      Row row = rows.get(i);
      assertThat(row.getLong(0)).isEqualTo(i);
      assertThat(row.getInt(1)).isEqualTo(i % 2);
      float[] found = new float[28 * 28];
      ByteBuffer.wrap(row.<byte[]>getAs("image"))
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(found);
      assertThat(found).isEqualTo(expected.slice(i).dup('c').data().asFloat());
    }
  }

  @Test
  void parquet() throws IOException {
    String target = folder.resolve("parquet").toString();
    sampler.writeParquet(SparkSampling.of(COUNT, SEED, 3), ImageEncoding.PNG, target);

    List<Row> rows = new ArrayList<>(spark.read().parquet(target).collectAsList());
    rows.sort(Comparator.comparingLong(row -> row.getLong(0)));
    assertThat(rows.stream().map(row -> row.<byte[]>getAs("image")).toList())
        .usingElementComparator(Arrays::compare)
        .isEqualTo(expectedPngs);
  }

  @Test
  void imageFiles() throws IOException {
    Path target = folder.resolve("pngs");
    sampler.writeImageFiles(SparkSampling.of(COUNT, SEED, 4), target.toString());

    assertThat(names(target)).isEqualTo(expectedNames());
    for (int i = 0; i < COUNT; i++) {
      assertThat(target.resolve(String.format(Locale.ROOT, "%04d.png", i)))
          .hasBinaryContent(expectedPngs.get(i));
    }
    try (Stream<Path> files = Files.list(target)) {
      assertThat(files.filter(file -> file.getFileName().toString().endsWith(".png.crc")))
          .as("written without Hadoop's stream, which starts two processes for each")
          .isEmpty();
    }
    assertThatIOException()
        .isThrownBy(
            () -> sampler.writeImageFiles(SparkSampling.of(COUNT, SEED, 4), target.toString()))
        .withMessageContaining("exists");
  }

  private static List<String> expectedNames() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < COUNT; i++) {
      names.add(String.format(Locale.ROOT, "%04d.png", i));
    }
    names.add("_SUCCESS");
    return names;
  }

  /** All but Hadoop's checksums. */
  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.startsWith("."))
          .sorted()
          .toList();
    }
  }

  @Test
  void tarShards() throws IOException {
    Path target = folder.resolve("tars");
    sampler.writeTarShards(SparkSampling.of(COUNT, SEED, 3), target.toString());

    Map<String, byte[]> found = new TreeMap<>();
    for (int shard = 0; shard < 3; shard++) {
      Path file = target.resolve(String.format(Locale.ROOT, "shard-%05d.tar", shard));
      try (TarArchiveInputStream tar =
          new TarArchiveInputStream(new ByteArrayInputStream(Files.readAllBytes(file)))) {
        for (TarArchiveEntry entry = tar.getNextEntry();
            entry != null;
            entry = tar.getNextEntry()) {
          assertThat(entry.getLastModifiedDate()).hasTime(0);
          found.put(entry.getName(), tar.readAllBytes());
        }
      }
    }
    assertThat(found).hasSize(2 * COUNT);
    for (int i = 0; i < COUNT; i++) {
      String key = String.format(Locale.ROOT, "%08d", i);
      assertThat(found.get(key + ".png")).isEqualTo(expectedPngs.get(i));
      assertThat(found.get(key + ".cls")).isEqualTo(new byte[] {(byte) ('0' + i % 2)});
    }
  }

  /** Of more blocks than one, whose tasks come to their end in any order. */
  @Test
  void statisticsAreTheSameForAnyNumberOfPartitions() throws IOException {
    int count = 1100;
    PipelineFactory quick = model -> model.pipeline(SamplerType.DDIM, 1);
    try (DiffusionModel model = DiffusionModel.ofRun(folder.resolve("run"));
        ClassifierFeatures features = ClassifierFeatures.bundled(Execution.automatic());
        SparkSampler other =
            new SparkSampler(spark, PackedModel.of(folder.resolve("run")), quick)) {
      INDArray images = quick.create(model).sample(count, SEED);
      FeatureStatistics all =
          FeatureStatistics.of(
              features.extractAll(Pixels.of(images, model.normalization()), done -> {}));
      for (int partitions : new int[] {1, 3}) {
        assertThat(
                SparkEvaluation.statistics(
                    spark,
                    other,
                    SparkSampling.of(count, SEED, partitions),
                    ClassifierFeatures::bundled))
            .isEqualTo(all);
      }
    }
  }
}
