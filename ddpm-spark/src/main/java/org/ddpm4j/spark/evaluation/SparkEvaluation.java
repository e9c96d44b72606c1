package org.ddpm4j.spark.evaluation;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.evaluation.FeatureExtractor;
import org.ddpm4j.evaluation.FeatureStatistics;
import org.ddpm4j.evaluation.Pixels;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.spark.executor.ExecutorDevice;
import org.ddpm4j.spark.executor.PerJvm;
import org.ddpm4j.spark.sampling.DrawingTask;
import org.ddpm4j.spark.sampling.PackedModel;
import org.ddpm4j.spark.sampling.PipelineFactory;
import org.ddpm4j.spark.sampling.SparkSampler;
import org.ddpm4j.spark.sampling.SparkSampling;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Features of images that executors draw, or that are packed. */
public final class SparkEvaluation {

  /** Images whose statistics are made together: the leaves of the {@link StatisticsTree}. */
  static final int BLOCK = 512;

  private SparkEvaluation() {}

  /** Shared by the tasks of a process; one of them at a time may use it. */
  private record SharedExtractor(FeatureExtractor extractor) implements AutoCloseable {

    synchronized FeatureStatistics statistics(INDArray pixels) {
      return FeatureStatistics.of(extractor.extractAll(pixels, done -> {}));
    }

    @Override
    public void close() {
      extractor.close();
    }
  }

  /**
   * Draws images and measures their features.
   *
   * @param spark the session
   * @param sampler draws
   * @param sampling what is drawn; its batches are of {@value #BLOCK} images whatever it says
   * @param extractors opens the network of the features
   * @return statistics of all images, the same bits for any number of partitions and executors
   */
  public static FeatureStatistics statistics(
      SparkSession spark,
      SparkSampler sampler,
      SparkSampling sampling,
      ExtractorFactory extractors) {
    List<SparkSampling.Range> ranges = sampling.ranges(BLOCK);
    SparkSampling inBlocks =
        new SparkSampling(sampling.count(), sampling.seed(), sampling.partitions(), BLOCK);
    Broadcast<PackedModel> model = sampler.model();
    PipelineFactory pipelines = sampler.pipelines();
    // Two lambdas of one line may open different files.
    String name = UUID.randomUUID().toString();
    return JavaSparkContext.fromSparkContext(spark.sparkContext())
        .parallelize(ranges, ranges.size())
        .mapPartitions(
            (Iterator<SparkSampling.Range> own) ->
                trees(DrawingTask.begin(model, pipelines, inBlocks), own, name, extractors))
        .treeAggregate(StatisticsTree.EMPTY, StatisticsTree::merge, StatisticsTree::merge)
        .total();
  }

  /**
   * Measures the features of packed images.
   *
   * @param spark the session
   * @param images that are there
   * @param partitions how many tasks look at them, at least 1
   * @param extractors opens the network of the features
   * @return statistics of all images, the same bits for any number of partitions and executors
   */
  public static FeatureStatistics statistics(
      SparkSession spark, PackedImages images, int partitions, ExtractorFactory extractors) {
    List<SparkSampling.Range> ranges =
        SparkSampling.of(images.contents().size(), 0, partitions).ranges(BLOCK);
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    SerializableConfiguration files = new SerializableConfiguration(context.hadoopConfiguration());
    String folder = images.folder();
    String name = UUID.randomUUID().toString();
    return context
        .parallelize(ranges, ranges.size())
        .mapPartitions(
            (Iterator<SparkSampling.Range> own) ->
                trees(PackedImages.open(folder, files.value()), files, own, name, extractors))
        .treeAggregate(StatisticsTree.EMPTY, StatisticsTree::merge, StatisticsTree::merge)
        .total();
  }

  private static PerJvm.Lease<SharedExtractor> extractor(String name, ExtractorFactory extractors)
      throws IOException {
    PerJvm.Lease<SharedExtractor> lease =
        PerJvm.ofThisProcess()
            .lease(
                SharedExtractor.class,
                name,
                () -> new SharedExtractor(extractors.open(ExecutorDevice.execution())));
    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) ended -> lease.close());
    return lease;
  }

  private static Iterator<StatisticsTree> trees(
      PackedImages images,
      SerializableConfiguration files,
      Iterator<SparkSampling.Range> ranges,
      String name,
      ExtractorFactory extractors)
      throws IOException {
    PerJvm.Lease<SharedExtractor> lease = extractor(name, extractors);
    ImageDataSet all = images.dataSet(files.value());
    List<StatisticsTree> trees = new ArrayList<>();
    while (ranges.hasNext()) {
      SparkSampling.Range range = ranges.next();
      for (int first = range.first(); first < range.end(); first += BLOCK) {
        int[] indices = IntStream.range(first, Math.min(range.end(), first + BLOCK)).toArray();
        trees.add(
            StatisticsTree.of(
                first / BLOCK,
                lease
                    .value()
                    .statistics(Pixels.of(all.batch(indices).getFeatures(), all.normalization()))));
      }
    }
    return trees.iterator();
  }

  private static Iterator<StatisticsTree> trees(
      DrawingTask task,
      Iterator<SparkSampling.Range> ranges,
      String name,
      ExtractorFactory extractors)
      throws IOException {
    PerJvm.Lease<SharedExtractor> lease = extractor(name, extractors);
    Normalization normalization = task.pipeline().normalization();
    List<StatisticsTree> trees = new ArrayList<>();
    while (ranges.hasNext()) {
      task.draw(
          ranges.next(),
          (first, images) ->
              trees.add(
                  StatisticsTree.of(
                      first / BLOCK, lease.value().statistics(Pixels.of(images, normalization)))));
    }
    return trees.iterator();
  }
}
