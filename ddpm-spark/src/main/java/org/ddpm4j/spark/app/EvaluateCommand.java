package org.ddpm4j.spark.app;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.evaluation.FeatureStatistics;
import org.ddpm4j.evaluation.FrechetDistance;
import org.ddpm4j.io.Text;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.spark.evaluation.ExtractorFactory;
import org.ddpm4j.spark.evaluation.SparkEvaluation;
import org.ddpm4j.spark.sampling.SparkSampler;
import org.ddpm4j.spark.sampling.SparkSampling;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how far drawn images are from real ones. */
@Command(
    name = "evaluate",
    description =
        "Draw images and print their Fréchet distance to real ones, in the features of the classifier that ddpm4j brings for grey or coloured images.",
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {

  @Mixin private Models model;

  @Option(
      names = "--images",
      paramLabel = "FOLDER",
      required = true,
      description = "The real images, as pack has packed them.")
  private String images;

  /** Set by picocli. */
  EvaluateCommand() {}

  @Override
  public Integer call() throws IOException {
    model.check();
    requireSome("--count", model.count());
    try (SparkSession spark = SparkApplication.session()) {
      Configuration configuration = spark.sparkContext().hadoopConfiguration();
      PackedImages real = PackedImages.open(images, configuration);
      requireSome("--images", real.contents().size());
      int channels = real.contents().channels();
      ExtractorFactory features = execution -> ClassifierFeatures.bundled(channels, execution);
      int partitions = SparkApplication.partitions(spark, "--partitions", model.partitions());
      Models.Drawing drawing = model.read(configuration, false);
      FeatureStatistics expected = SparkEvaluation.statistics(spark, real, partitions, features);
      try (SparkSampler sampler = new SparkSampler(spark, drawing.model(), drawing.pipelines())) {
        FeatureStatistics drawn =
            SparkEvaluation.statistics(
                spark,
                sampler,
                SparkSampling.of(model.count(), model.seed(), partitions),
                features);
        System.out.printf(
            Locale.ROOT,
            "Fréchet distance of %d drawn images to %d real ones: %.4f%n",
            drawn.count(),
            expected.count(),
            FrechetDistance.between(drawn, expected));
      }
      return 0;
    }
  }

  /** One has no covariance. */
  private static void requireSome(String option, int images) {
    if (images < 2) {
      throw new IllegalArgumentException(
          Text.format(
              "The Fréchet distance takes 2 images at least, and %s gives %d.", option, images));
    }
  }
}
