package org.ddpm4j.spark.app;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.spark.sampling.ImageEncoding;
import org.ddpm4j.spark.sampling.SparkSampler;
import org.ddpm4j.spark.sampling.SparkSampling;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Draws images. */
@Command(
    name = "sample",
    description =
        "Draw images by executors: those of ddpm sample with the same seed, for any number of tasks.",
    mixinStandardHelpOptions = true)
final class SampleCommand implements Callable<Integer> {

  /** As what the images are written. */
  enum Format {
    /** Rows. */
    PARQUET,
    /** A file for each. */
    PNG,
    /** An archive for each task. */
    TAR
  }

  @Mixin private Models model;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "parquet",
      description =
          "${COMPLETION-CANDIDATES}: rows of index, class and image; a file for each image; an archive for each task, as WebDataset reads them (default: ${DEFAULT-VALUE}).")
  private Format format;

  @Option(
      names = "--encoding",
      paramLabel = "NAME",
      description =
          "What the column image holds, with --format parquet: ${COMPLETION-CANDIDATES} (default: png).")
  private ImageEncoding encoding;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = "" + DiffusionPipeline.DEFAULT_BATCH_SIZE,
      description = "Images that a task draws in one go (default: ${DEFAULT-VALUE}).")
  private int batchSize;

  @Option(
      names = "--output",
      paramLabel = "FOLDER",
      required = true,
      description = "Folder of any Hadoop file system, which must not exist.")
  private String output;

  /** Set by picocli. */
  SampleCommand() {}

  @Override
  public Integer call() throws IOException {
    model.check();
    SparkApplication.requireAtLeastOne("--batch-size", batchSize);
    if (encoding != null && format != Format.PARQUET) {
      throw SparkApplication.withoutEffect(
          "--encoding", "'--format parquet'", "--format " + format.name().toLowerCase(Locale.ROOT));
    }
    ImageEncoding written = encoding == null ? ImageEncoding.PNG : encoding;
    try (SparkSession spark = SparkApplication.session()) {
      draw(spark, written);
    }
    return 0;
  }

  private void draw(SparkSession spark, ImageEncoding written) throws IOException {
    Models.Drawing drawing =
        model.read(spark.sparkContext().hadoopConfiguration(), written == ImageEncoding.PNG);
    try (SparkSampler sampler = new SparkSampler(spark, drawing.model(), drawing.pipelines())) {
      SparkSampling sampling =
          new SparkSampling(
              model.count(),
              model.seed(),
              SparkApplication.partitions(spark, "--partitions", model.partitions()),
              batchSize);
      long begun = System.nanoTime();
      switch (format) {
        case PARQUET -> sampler.writeParquet(sampling, written, output);
        case PNG -> sampler.writeImageFiles(sampling, output);
        case TAR -> sampler.writeTarShards(sampling, output);
      }
      System.out.printf(
          Locale.ROOT,
          "%s: %d images in %.1f s%n",
          output,
          model.count(),
          (System.nanoTime() - begun) / 1e9);
    }
  }
}
