package org.ddpm4j.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.TrainingListener;
import org.ddpm4j.spark.TestSpark;
import org.ddpm4j.spark.data.PackedImages;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A training by tasks is that of one machine in as many parts, bit by bit. */
class SparkTrainingTest {

  private static final int STEPS = 7;
  private static final TrainingListener NOBODY = (trainer, report) -> {};

  @TempDir private static Path folder;

  private static final Configuration CONFIGURATION = new Configuration();
  private static final ImageDataSet IMAGES = TinyImages.of(64);
  private static PackedImages packed;
  private static SparkSession spark;

  @BeforeAll
  static void begin() throws IOException {
    packed = PackedImages.write(IMAGES, folder.resolve("images").toString(), CONFIGURATION);
    spark = TestSpark.local(2);
  }

  @AfterAll
  static void end() {
    spark.stop();
  }

  private static JavaSparkContext context() {
    return JavaSparkContext.fromSparkContext(spark.sparkContext());
  }

  /** What one machine comes to, state by state. */
  private static List<List<Object>> expected(int shards, long steps) throws IOException {
    List<List<Object>> states = new ArrayList<>();
    TinyRun.onOneMachine(
        TinyRun.config(IMAGES, steps),
        IMAGES,
        shards,
        trainer ->
            trainer
                .withListener((own, report) -> states.add(TinyRun.contents(own.checkpoint())))
                .fit());
    return states;
  }

  @ParameterizedTest
  @CsvSource({"1, BARRIER", "3, BARRIER", "3, INDEPENDENT", "25, BARRIER"})
  void theBitsOfOneMachineInAsManyParts(int shards, Placement placement) throws IOException {
    Path run = folder.resolve("run-" + shards + placement);
    RunConfig config = TinyRun.config(IMAGES, STEPS);
    List<List<Object>> states = new ArrayList<>();
    try (RemoteRun remote = RemoteRun.create(run.toString(), CONFIGURATION, config);
        SparkTraining training = new SparkTraining(context(), remote, packed, shards, placement)) {
      training.run((own, report) -> states.add(TinyRun.contents(own.checkpoint())));
    }
    assertThat(states).hasSize(STEPS).isEqualTo(expected(shards, STEPS));

    try (DiffusionModel model = DiffusionModel.ofRun(run)) {
      assertThat(model.unet().parameters().fingerprint()).isEqualTo(states.get(STEPS - 1).get(2));
    }
    assertThat(RunFolder.open(run).checkpoints().all())
        .extracting(file -> file.getFileName().toString())
        .containsExactly("step-0000006.safetensors", "step-0000007.safetensors");
  }

  /** From the cluster to one machine and back; the parts are the same, and so are the bits. */
  @Test
  void resumesEitherWay() throws IOException {
    Path path = folder.resolve("either-way");
    RunFolder run = new RunFolder(path);
    try (RemoteRun remote =
            RemoteRun.create(path.toString(), CONFIGURATION, TinyRun.config(IMAGES, 3));
        SparkTraining training =
            new SparkTraining(context(), remote, packed, 2, Placement.BARRIER)) {
      training.run(NOBODY);
    }

    RunConfig longer = TinyRun.config(IMAGES, STEPS);
    TinyRun.onOneMachine(
        TinyRun.config(IMAGES, 5),
        IMAGES,
        2,
        trainer -> {
          trainer.resume(run.readCheckpointToResume(trainer.unet().parameters()));
          assertThat(trainer.step()).isEqualTo(3);
          trainer.fit();
          run.checkpoints().write(trainer.checkpoint());
        });

    run.writeConfig(longer);
    try (RemoteRun remote = RemoteRun.open(path.toString(), CONFIGURATION);
        SparkTraining training =
            new SparkTraining(context(), remote, packed, 2, Placement.INDEPENDENT)) {
      assertThat(training.trainer().step()).isEqualTo(5);
      training.run(NOBODY);
      Checkpoint last = training.trainer().checkpoint();
      List<Object> straight = expected(2, STEPS).get(STEPS - 1);
      // Those before were reports of shorter trainings; all that decides is the same.
      assertThat(TinyRun.contents(last).subList(0, 5)).isEqualTo(straight.subList(0, 5));
      assertThat(TinyRun.contents(last).get(7)).isEqualTo(straight.get(7));
    }
  }

  /** The sentence is that of a task, however often it was begun. */
  @Test
  void tasksThatFailSayWhy() throws IOException {
    Path images = folder.resolve("images-that-go");
    PackedImages own = PackedImages.write(IMAGES, images.toString(), CONFIGURATION);
    Path path = folder.resolve("failing");
    try (RemoteRun remote =
            RemoteRun.create(path.toString(), CONFIGURATION, TinyRun.config(IMAGES, STEPS));
        SparkTraining training = new SparkTraining(context(), remote, own, 2, Placement.BARRIER)) {
      Files.move(images, folder.resolve("images-elsewhere"));
      assertThatThrownBy(() -> training.run(NOBODY))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("The cluster failed at a step 4 times: ")
          .hasMessageContaining("images-that-go");
    }
  }

  /** By the names that the run has, not by those of the copy on this machine, which is removed. */
  @Test
  void aDamagedCheckpointIsNamedWithTheOneBeforeIt() throws IOException {
    Path path = folder.resolve("damaged");
    RunFolder run = RunFolder.create(path, TinyRun.config(IMAGES, STEPS));
    TinyRun.onOneMachine(
        TinyRun.config(IMAGES, 1),
        IMAGES,
        1,
        trainer -> run.checkpoints().write(trainer.checkpoint()));
    Path whole = run.checkpoints().latest().orElseThrow();
    Path damaged = whole.resolveSibling("step-0000004.safetensors");
    byte[] bytes = Files.readAllBytes(whole);
    Files.write(damaged, Arrays.copyOf(bytes, bytes.length / 2));
    try (RemoteRun remote = RemoteRun.open(path.toString(), CONFIGURATION)) {
      assertThatIOException()
          .isThrownBy(
              () -> new SparkTraining(context(), remote, packed, 2, Placement.BARRIER).close())
          .withMessageContaining(damaged.toString())
          .withMessageEndingWith("Move that file away to go on from file:" + whole + ".")
          .withMessageNotContaining("ddpm4j-run-");
    }
    Files.delete(damaged);
    Files.delete(whole);
    Files.createDirectory(run.unet());
    try (RemoteRun remote = RemoteRun.open(path.toString(), CONFIGURATION)) {
      assertThatIOException()
          .as("a training that has ended is not begun anew")
          .isThrownBy(
              () -> new SparkTraining(context(), remote, packed, 2, Placement.BARRIER).close())
          .withMessageContaining("The run file:" + path + " has no checkpoint any more");
    }
  }

  @Test
  void saysWhatDoesNotFit() throws IOException {
    Path path = folder.resolve("other-images");
    RunConfig config = TinyRun.config(TinyImages.of(63), STEPS);
    try (RemoteRun remote = RemoteRun.create(path.toString(), CONFIGURATION, config)) {
      assertThatIOException()
          .isThrownBy(
              () -> new SparkTraining(context(), remote, packed, 2, Placement.BARRIER).close())
          .withMessageContaining("are not those of the run");
    }
    RunConfig held =
        config.withData(
            new DataDescription("tiny", "noise", "of some", 60, 4, DataDescription.Selection.ALL));
    Path heldRun = folder.resolve("held-back");
    try (RemoteRun remote = RemoteRun.create(heldRun.toString(), CONFIGURATION, held)) {
      assertThatIOException()
          .isThrownBy(
              () -> new SparkTraining(context(), remote, packed, 2, Placement.BARRIER).close())
          .withMessageContaining("are 64, of which the run keeps 4 back")
          .withMessageContaining("--validation-images 0");
    }
    assertThatIOException()
        .isThrownBy(() -> RemoteRun.create(path.toString(), CONFIGURATION, config))
        .withMessageContaining("not empty");
    Path empty = Files.createDirectory(folder.resolve("empty"));
    assertThatIOException()
        .isThrownBy(() -> RemoteRun.open(empty.toString(), CONFIGURATION))
        .withMessageContaining("config.json");
    // Of a process that was killed while it wrote the configuration.
    Files.createFile(empty.resolve("_config.json.tmp"));
    RemoteRun.create(empty.toString(), CONFIGURATION, config).close();
    Path half = Files.createDirectories(folder.resolve("half").resolve("checkpoints")).getParent();
    assertThatIOException()
        .isThrownBy(() -> RemoteRun.create(half.toString(), CONFIGURATION, config))
        .withMessageContaining("not empty and holds no run (it has no config.json)");
  }
}
