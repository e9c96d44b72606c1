package org.ddpm4j.spark.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.spark.sampling.TinyModel;
import org.ddpm4j.spark.training.TinyImages;
import org.ddpm4j.spark.training.TinyRuns;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.Unet2D;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** The commands that spark-submit begins, one after the other. */
class SparkApplicationTest {

  private static final Map<String, String> CLUSTER =
      Map.of(
          "spark.master", "local[2]",
          "spark.ui.enabled", "false",
          "spark.driver.bindAddress", "127.0.0.1",
          "spark.driver.host", "127.0.0.1",
          "spark.sql.codegen.wholeStage", "false",
          "spark.sql.codegen.factoryMode", "NO_CODEGEN",
          "spark.sql.warehouse.dir", "target/warehouse",
          "spark.extraListeners", JobCount.class.getName());

  private static final AtomicInteger JOBS = new AtomicInteger();

  /** Told of all jobs by the time that a session has ended. */
  public static final class JobCount extends SparkListener {
    @Override
    public void onJobStart(SparkListenerJobStart job) {
      JOBS.incrementAndGet();
    }
  }

  @TempDir private Path folder;

  private record Result(int code, String out, String err) {}

  /** As spark-submit tells a driver of its cluster. */
  @BeforeEach
  void submit() {
    CLUSTER.forEach(System::setProperty);
  }

  @AfterEach
  void forget() {
    CLUSTER.keySet().forEach(System::clearProperty);
  }

  private static Result run(Object... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    System.setOut(new PrintStream(written, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    try {
      int code = SparkApplication.run(Stream.of(args).map(Object::toString).toArray(String[]::new));
      return new Result(
          code,
          written.toString(StandardCharsets.UTF_8),
          ofTheProgram(errors.toString(StandardCharsets.UTF_8)));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /**
   * Spark, whose session here ends as soon as it has begun, at times prints the trace of a task
   * that came too late for its threads.
   */
  private static String ofTheProgram(String errors) {
    return errors.replaceAll(
        "(?m)^java\\.util\\.concurrent\\.RejectedExecutionException: .*\\R(\\tat .*\\R)*", "");
  }

  @Test
  void drawsPacksTrainsAndMeasures() throws IOException {
    Path model = TinyModel.write(folder.resolve("model"));
    Path drawn = folder.resolve("drawn");
    Result sample =
        run(
            "sample",
            "--model",
            model,
            "--sampler",
            "ddim",
            "--steps",
            2,
            "--count",
            12,
            "--seed",
            3,
            "--partitions",
            2,
            "--output",
            drawn);
    assertThat(sample.err()).isEmpty();
    assertThat(sample.out()).startsWith(drawn + ": 12 images in ");
    assertThat(JOBS.get()).isPositive();

    // What fails is in nobody's way when it is mended.
    for (String format : List.of("parquet", "png", "tar")) {
      Path failed = folder.resolve("failed");
      Result tooFew =
          run(
              "sample",
              "--model",
              model,
              "--sampler",
              "ddim",
              "--steps",
              0,
              "--count",
              2,
              "--format",
              format,
              "--output",
              failed);
      assertThat(tooFew.code()).isEqualTo(2);
      assertThat(tooFew.err().strip())
          .isEqualTo(
              "ddpm-spark: 0 denoising steps are not possible; it takes 1 to 100, the length of the chain.");
      assertThat(failed).as(format).doesNotExist();
    }

    Path images = folder.resolve("images");
    Result pack =
        run(
            "pack",
            "--parquet",
            drawn,
            "--classes",
            "one,other",
            "--gray",
            "--size",
            28,
            "--parts",
            2,
            "--output",
            images);
    assertThat(pack.err()).isEmpty();
    assertThat(pack.out()).contains("12 images");

    Path config = folder.resolve("config.json");
    Files.writeString(config, TinyRuns.config(images, 2).toJson());
    Path trained = folder.resolve("trained");
    Result train =
        run("train", "--run", trained, "--config", config, "--images", images, "--shards", 2);
    assertThat(train.err()).isEmpty();
    assertThat(train.code()).isZero();
    DiffusionModel.ofRun(trained).close();

    // A configuration that was printed with other images of the same kind.
    Path other = folder.resolve("other.json");
    Files.writeString(
        other,
        Files.readString(config)
            .replaceFirst("\"fingerprint\" *: *\"[^\"]*", "\"fingerprint\": \"0"));
    Path fewer = folder.resolve("fewer");
    assertThat(run("train", "--run", fewer, "--config", other, "--images", images, "--shards", 2))
        .satisfies(result -> assertThat(result.err()).isEmpty())
        .satisfies(result -> assertThat(result.code()).isZero());
    assertThat(data(fewer)).isEqualTo(data(trained));
    Path wide = folder.resolve("wide.json");
    Files.writeString(
        wide, Files.readString(config).replaceFirst("\"width\" *: *28", "\"width\": 32"));
    Result wider =
        run(
            "train",
            "--run",
            folder.resolve("w"),
            "--config",
            wide,
            "--images",
            images,
            "--shards",
            1);
    assertThat(wider.code()).isEqualTo(2);
    assertThat(wider.err()).contains("28", "32", "--image-size");

    Result evaluate =
        run(
            "evaluate",
            "--model",
            trained,
            "--sampler",
            "ddim",
            "--steps",
            1,
            "--count",
            16,
            "--images",
            images);
    assertThat(evaluate.err()).isEmpty();
    assertThat(evaluate.out()).contains("Fréchet distance of 16 drawn images to 12 real ones: ");
  }

  /** Of what a run was trained on: the fingerprint and the number. */
  private static List<Object> data(Path run) throws IOException {
    DataDescription data =
        RunConfig.fromJson(Files.readString(run.resolve("config.json")), "config.json").data();
    return List.of(data.fingerprint(), data.trainingImages());
  }

  @Test
  void badInputIsASentence() throws IOException {
    Path none = folder.resolve("none");
    Path file = Files.writeString(folder.resolve("file"), "x");
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Path packed = folder.resolve("packed");
    for (List<Object> args :
        List.<List<Object>>of(
            List.of("sample", "--count", 1, "--model", none, "--output", "x"),
            List.of("pack", "--folder", none, "--output", packed),
            List.of("pack", "--folder", file, "--output", packed),
            List.of("pack", "--folder", empty, "--parts", 0, "--output", packed),
            List.of("pack", "--parquet", none, "--output", packed),
            List.of("pack", "--parquet", empty, "--output", packed),
            List.of("evaluate", "--count", 1, "--images", none),
            List.of("train", "--run", folder.resolve("r"), "--images", folder, "--shards", 1))) {
      Result result = run(args.toArray());
      assertThat(result.code()).as(args.toString()).isEqualTo(2);
      assertThat(result.err().lines()).as(args.toString()).hasSize(1);
      assertThat(result.err()).startsWith("ddpm-spark: ");
    }
    assertThat(packed).doesNotExist();
    assertThat(run("sample", "--count", 1, "--model", "runs/typo", "--output", "x").err())
        .startsWith(
            "ddpm-spark: There is no folder runs/typo, so a model of the hub was looked for:")
        .contains("HF_HUB_OFFLINE");
  }

  /** The sentences of ddpm sample, by the driver: no task has begun. */
  @Test
  void badValuesAreFoundBeforeAJobBegins() throws IOException {
    Path model = TinyModel.write(folder.resolve("model"));
    Path output = folder.resolve("drawn");
    Map<List<String>, String> sentences =
        Map.of(
            List.of("--steps", "101"),
            "101 denoising steps are not possible; it takes 1 to 100, the length of the chain.",
            List.of("--class", "9"),
            "There is no class 9; choose a number from 0 to 1 or one of the names one, other.",
            List.of("--class", "-1"),
            "There is no class -1; choose a number from 0 to 1 or one of the names one, other.",
            List.of("--sampler", "lcm", "--steps", "60"),
            "",
            List.of("--batch-size", "0"),
            "The value of --batch-size is 0; it must be from 1 to 2147483647.",
            List.of("--count", "0"),
            "The value of --count is 0; it must be from 1 to 2147483647.",
            List.of("--partitions", "0"),
            "--partitions is 0; give at least 1, or leave it out.");
    for (Map.Entry<List<String>, String> bad : sentences.entrySet()) {
      List<Object> args = new ArrayList<>(List.of("sample", "--model", model, "--output", output));
      if (!bad.getKey().contains("--count")) {
        args.addAll(List.of("--count", 2));
      }
      args.addAll(bad.getKey());
      int jobs = JOBS.get();
      Result result = run(args.toArray());
      assertThat(result.code()).as(args.toString()).isEqualTo(2);
      assertThat(result.err().lines()).as(args.toString()).hasSize(1);
      assertThat(result.err().strip()).startsWith("ddpm-spark: " + bad.getValue());
      assertThat(JOBS.get()).as(args.toString()).isEqualTo(jobs);
    }
    assertThat(output).doesNotExist();
  }

  @Test
  void whatIsNoNumberIsRefusedInALine() {
    Result result = run("sample", "--steps", "many", "--count", 1, "--output", "x");
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err().strip())
        .isEqualTo(
            "ddpm-spark: Invalid value for option '--steps': 'many' is not a whole number; see 'ddpm-spark sample --help'.");
    assertThat(run().err().strip())
        .isEqualTo(
            "ddpm-spark: A command is missing: pack, train, sample or evaluate; see 'ddpm-spark --help'.");
  }

  @Test
  void drawsTheClassThatIsNamed() throws IOException {
    Path model = TinyModel.write(folder.resolve("model"));
    Path output = folder.resolve("drawn");
    Result result =
        run(
            "sample",
            "--model",
            model,
            "--class",
            "other",
            "--steps",
            1,
            "--sampler",
            "ddim",
            "--count",
            2,
            "--partitions",
            1,
            "--format",
            "tar",
            "--output",
            output);
    assertThat(result.err()).isEmpty();
    // The content of 00000000.cls, which follows a header of 512 bytes.
    byte[] tar = Files.readAllBytes(output.resolve("shard-00000.tar"));
    String text = new String(tar, StandardCharsets.ISO_8859_1);
    assertThat(text.charAt(text.indexOf("00000000.cls") + 512)).isEqualTo('1');
  }

  @Test
  void optionsWithoutAnEffectAreRefused() throws IOException {
    Path packed = folder.resolve("packed");
    Map<List<Object>, String> sentences =
        Map.of(
            List.of("sample", "--count", 1, "--format", "tar", "--encoding", "float32"),
            "The option '--encoding' goes with '--format parquet', not with '--format tar'",
            List.of("sample", "--count", 1, "--format", "png", "--encoding", "png"),
            "The option '--encoding' goes with '--format parquet', not with '--format png'",
            List.of("pack", "--folder", folder, "--classes", "one,other"),
            "The option '--classes' goes with '--parquet', not with '--folder'",
            List.of("pack", "--dataset", "mnist", "--classes", "one,other"),
            "The option '--classes' goes with '--parquet', not with '--dataset'",
            List.of("pack", "--dataset", "mnist", "--size", 32),
            "The option '--size' goes with '--folder' or '--parquet', not with '--dataset'",
            List.of("pack", "--dataset", "mnist", "--gray"),
            "The option '--gray' goes with '--folder' or '--parquet', not with '--dataset'",
            List.of("pack", "--dataset", "mnist", "--parts", 3),
            "The option '--parts' goes with '--folder' or '--parquet', not with '--dataset'",
            List.of("pack", "--parquet", folder, "--data", folder),
            "The option '--data' goes with '--dataset', not with '--parquet'");
    for (Map.Entry<List<Object>, String> bad : sentences.entrySet()) {
      List<Object> args = new ArrayList<>(bad.getKey());
      args.addAll(List.of("--output", packed));
      Result result = run(args.toArray());
      assertThat(result.code()).as(args.toString()).isEqualTo(2);
      assertThat(result.err().strip()).as(args.toString()).contains(bad.getValue());
      assertThat(result.err().lines()).as(args.toString()).hasSize(1);
    }
    assertThat(packed).doesNotExist();
  }

  /** Each place where an address is taken. */
  @Test
  void anAddressThatIsNoneIsASentence() throws IOException {
    Path model = TinyModel.write(folder.resolve("model"));
    Path images = folder.resolve("images");
    for (List<Object> args :
        List.<List<Object>>of(
            List.of("sample", "--count", 1, "--output", "x", "--model", "xyz://a/b"),
            List.of("sample", "--count", 1, "--model", model, "--output", "xyz://a/b"),
            List.of("pack", "--folder", "xyz://a/b", "--output", images),
            List.of("pack", "--parquet", "xyz://a/b", "--output", images),
            List.of("evaluate", "--count", 2, "--images", "xyz://a/b"),
            List.of("train", "--shards", 1, "--images", "xyz://a/b", "--run", folder))) {
      Result result = run(args.toArray());
      assertThat(result.code()).as(args.toString()).isEqualTo(2);
      assertThat(result.err().lines()).as(args.toString()).hasSize(1);
      assertThat(result.err())
          .as(args.toString())
          .contains("xyz://a/b", "scheme xyz", "file:", "--packages");
    }
    Result machine =
        run("sample", "--count", 1, "--output", "x", "--model", "hdfs://none.invalid/a");
    assertThat(machine.code()).isEqualTo(2);
    assertThat(machine.err()).contains("hdfs://none.invalid/a", "machine none.invalid");
    Result missing = run("sample", "--count", 1, "--output", "x", "--model", "s3a://bucket/a");
    assertThat(missing.code()).isEqualTo(2);
    assertThat(missing.err()).contains("s3a://bucket/a", "scheme s3a", "--packages");
    for (String none : List.of("", "a:b", "http ://x")) {
      Result result = run("sample", "--count", 1, "--model", none, "--output", "x");
      assertThat(result.code()).as(none).isEqualTo(2);
      assertThat(result.err()).as(none).contains("'" + none + "' is no address");
    }
  }

  /** So that the command that is mended begins there. */
  @Test
  void aTrainingThatDoesNotBeginLeavesNoRun() throws IOException {
    Path images = folder.resolve("images");
    PackedImages.write(TinyImages.of(2), images.toString(), new Configuration());
    Path config = folder.resolve("config.json");
    Files.writeString(config, TinyRuns.config(images, 2).toJson());
    Path trained = folder.resolve("trained");
    Result none =
        run("train", "--run", trained, "--config", config, "--images", images, "--shards", 0);
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err().strip())
        .isEqualTo("ddpm-spark: A step cannot be cut into 0 shards; it takes at least 1.");
    assertThat(trained).doesNotExist();
    Result large =
        run("train", "--run", trained, "--config", config, "--images", images, "--shards", 1);
    assertThat(large.err()).contains("the data has only 2 images");
    assertThat(large.code()).isEqualTo(2);
    assertThat(trained).doesNotExist();

    // Where a driver was killed while it wrote, too.
    Path unfinished = Files.createDirectory(trained).resolve("_unet.json.tmp");
    Files.createFile(unfinished);
    Result again =
        run("train", "--run", trained, "--config", config, "--images", images, "--shards", 1);
    assertThat(again.err()).contains("the data has only 2 images");
    assertThat(trained.toFile().list()).containsExactly("_unet.json.tmp");
  }

  /** As Hadoop 3.4 says it on JDK 25, where this module's tests are left out. */
  @Test
  void aSparkThatDoesNotKnowThisJavaIsASentence() {
    assertThatThrownBy(
            () ->
                SparkApplication.begun(
                    () -> {
                      throw new UnsupportedOperationException("getSubject is not supported");
                    }))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(
            "on Java " + Runtime.version().feature() + " (getSubject is not supported)")
        .hasMessageContaining("JAVA_HOME");
  }

  @Test
  void namesAnUnknownOptionWithoutItsValue() {
    for (List<Object> typo : List.<List<Object>>of(List.of("--cuont", "4"), List.of("--cuont=4"))) {
      Object[] args =
          Stream.concat(Stream.of("sample", "--model", "x", "--output", "y"), typo.stream())
              .toArray();
      Result result = run(args);
      assertThat(result.code()).isEqualTo(2);
      assertThat(result.err().strip())
          .isEqualTo("ddpm-spark: Unknown option: '--cuont'; see 'ddpm-spark sample --help'.");
    }
  }

  /** The build sets HF_HOME to a folder of its own, where the model is, and forbids to download. */
  @Test
  void drawsWithAModelOfTheHub() throws IOException {
    String commit = "0123456789abcdef0123456789abcdef01234567";
    String home = System.getenv("HF_HOME");
    assumeTrue(home != null && System.getenv("HF_HUB_OFFLINE") != null, "not run by Maven");
    Path model = Path.of(home, "hub", "models--ddpm4j--spark-test");
    Path snapshot = model.resolve("snapshots").resolve(commit);
    if (Files.notExists(snapshot)) {
      Unet2D.Level level = new Unet2D.Level(8, Unet2D.Block.PLAIN, Unet2D.Block.PLAIN);
      Unet2D network =
          Unet2D.of(1, List.of(level, level), 2).withSampleSize(new Unet2D.ImageSize(8, 8));
      DiffusersScheduler scheduler =
          new DiffusersScheduler(
              LinearSchedule.paper(),
              100,
              Parameterization.EPSILON,
              SamplerConfig.of(SamplerType.DDIM),
              X0Clipping.UNIT);
      try (Unet unet = Unet.create(network, DataType.FLOAT, 3)) {
        PipelineFolder.write(snapshot, new DiffusersPipeline(unet, scheduler, List.of()));
      }
    }
    Files.createDirectories(model.resolve("refs"));
    Files.writeString(model.resolve("refs").resolve("main"), commit);
    Path drawn = folder.resolve("of-hub");
    Result result =
        run(
            "sample",
            "--model",
            "ddpm4j/spark-test",
            "--steps",
            2,
            "--count",
            3,
            "--partitions",
            1,
            "--output",
            drawn);
    assertThat(result.err()).isEmpty();
    assertThat(result.out()).startsWith(drawn + ": 3 images in ");
  }
}
