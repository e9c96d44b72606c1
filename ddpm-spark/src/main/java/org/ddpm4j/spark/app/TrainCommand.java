package org.ddpm4j.spark.app;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.training.ShardedGradientStep;
import org.ddpm4j.io.Text;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.spark.files.RemotePaths;
import org.ddpm4j.spark.training.Placement;
import org.ddpm4j.spark.training.RemoteRun;
import org.ddpm4j.spark.training.SparkTraining;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Trains a network. */
@Command(
    name = "train",
    description =
        "Train a network by executors, each of which computes the gradients of some shards of a step.",
    footer = {
      "",
      "A configuration is what 'ddpm train --dry-run' prints. The same number of shards gives the",
      "same bits on any number of executors."
    },
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {

  @Option(
      names = "--run",
      paramLabel = "FOLDER",
      required = true,
      description =
          "Folder of the run, of any Hadoop file system; one that exists is gone on with.")
  private String run;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Configuration of a new run, as 'ddpm train --dry-run' prints it; the images are those of --images.")
  private String config;

  @Option(
      names = "--images",
      paramLabel = "FOLDER",
      required = true,
      description = "The training images, as pack has packed them.")
  private String images;

  @Option(
      names = "--shards",
      paramLabel = "N",
      required = true,
      description =
          "Parts that a step is cut into: at least one for each executor, and each of as many images as make a micro-batch.")
  private int shards;

  @Option(
      names = "--placement",
      paramLabel = "NAME",
      defaultValue = "barrier",
      description = "How tasks are placed: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Placement placement;

  /** Whether this command has made the run's folder. */
  private boolean isNew;

  /** Set by picocli. */
  TrainCommand() {}

  @Override
  public Integer call() throws IOException {
    ShardedGradientStep.requireShards(shards);
    try (SparkSession spark = SparkApplication.session()) {
      Configuration configuration = spark.sparkContext().hadoopConfiguration();
      PackedImages packed = PackedImages.open(images, configuration);
      try (RemoteRun folder = folder(packed.contents(), configuration);
          SparkTraining training = begin(spark, folder, packed)) {
        long begun = System.nanoTime();
        training.run(
            (trainer, report) -> {
              if (report.window() != null) {
                System.out.printf(
                    Locale.ROOT,
                    "step %d of %d, loss %.4f, after %.1f s%n",
                    report.step(),
                    report.steps(),
                    report.window().loss(),
                    (System.nanoTime() - begun) / 1e9);
              }
            });
      }
      System.out.println(run);
      return 0;
    }
  }

  private SparkTraining begin(SparkSession spark, RemoteRun folder, PackedImages packed)
      throws IOException {
    try {
      return new SparkTraining(
          JavaSparkContext.fromSparkContext(spark.sparkContext()),
          folder,
          packed,
          shards,
          placement);
    } catch (IOException | RuntimeException | Error e) {
      if (isNew) {
        folder.removeUntrained();
      }
      throw e;
    }
  }

  private RemoteRun folder(PackedImages.Contents packed, Configuration configuration)
      throws IOException {
    Path existing = new Path(RemotePaths.path(run), "config.json");
    if (RemotePaths.fileSystem(existing, configuration).exists(existing)) {
      if (config != null) {
        throw new IOException(
            Text.format(
                "The run %s exists and keeps its configuration; leave out --config to go on with it, or name another folder.",
                run));
      }
      return RemoteRun.open(run, configuration);
    }
    if (config == null) {
      throw new IOException(
          Text.format("%s is not the folder of a run; give --config to begin one there.", run));
    }
    Path file = RemotePaths.path(config);
    FileSystem files = RemotePaths.fileSystem(file, configuration);
    if (!files.exists(file)) {
      throw new IOException(
          Text.format("%s does not exist; name what 'ddpm train --dry-run' has printed.", config));
    }
    String json;
    try (FSDataInputStream in = files.open(file)) {
      json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    RemoteRun made =
        RemoteRun.create(run, configuration, on(packed, RunConfig.fromJson(json, config)));
    isNew = true;
    return made;
  }

  /**
   * The configuration on the packed images. Whoever printed it need not have had them all: it is
   * often made with a few, on a machine that would not hold the others.
   */
  private RunConfig on(PackedImages.Contents packed, RunConfig printed) throws IOException {
    ModelDescription model = printed.model();
    if (!model.shape().equals(packed.shape())) {
      throw new IOException(
          Text.format(
              "The images in %s are of %s, those of %s are of %s; pack them in that size, or print the configuration with --image-size.",
              images, packed.shape(), config, model.shape()));
    }
    if (!model.classNames().equals(packed.classNames())) {
      throw new IOException(
          Text.format(
              "The images in %s have the classes %s, those of %s have %s; print the configuration with images of the same classes.",
              images, packed.classNames(), config, model.classNames()));
    }
    DataDescription data = printed.data();
    if (data.fingerprint().equals(packed.fingerprint())) {
      return printed;
    }
    return printed.withData(
        new DataDescription(
            data.name(),
            packed.source(),
            packed.fingerprint(),
            packed.size(),
            0,
            DataDescription.Selection.ALL));
  }
}
