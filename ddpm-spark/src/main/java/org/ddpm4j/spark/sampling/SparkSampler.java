package org.ddpm4j.spark.sampling;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Iterator;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.OutputFormat;
import org.apache.hadoop.mapreduce.lib.output.FileOutputCommitter;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.io.Text;
import org.ddpm4j.spark.executor.Broadcasts;
import org.ddpm4j.spark.executor.PerJvm;
import org.ddpm4j.spark.files.RemotePaths;
import scala.Tuple2;

/**
 * Draws images with a trained model on all executors. The model's bytes go to each executor once;
 * all tasks of an executor share one network and its plans.
 *
 * <p>Image i of a seed has the same bits as {@code ddpm sample} gives it with the same options, for
 * any number of partitions and executors, and also where a task was done again, or twice at a time.
 * What is written is committed as Spark commits: each task into a folder of its attempt, one
 * attempt of each task, all tasks or none, {@code _SUCCESS} last.
 */
public final class SparkSampler implements AutoCloseable {

  /** The columns of {@link #draw}. */
  public static final StructType SCHEMA =
      new StructType()
          .add("index", DataTypes.LongType, false)
          .add("class", DataTypes.IntegerType, true)
          .add("image", DataTypes.BinaryType, false);

  private final SparkSession spark;
  private final JavaSparkContext context;
  private final Broadcast<PackedModel> model;
  private final PipelineFactory pipelines;

  /**
   * Sends a model to the executors, when they first need it.
   *
   * @param spark the session
   * @param model the model
   * @param pipelines how it draws
   */
  public SparkSampler(SparkSession spark, PackedModel model, PipelineFactory pipelines) {
    this.spark = Objects.requireNonNull(spark, "spark");
    this.context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    this.pipelines = Objects.requireNonNull(pipelines, "pipelines");
    this.model = context.broadcast(Objects.requireNonNull(model, "model"));
  }

  /**
   * The model as the executors have it.
   *
   * @return open until this is closed
   */
  public Broadcast<PackedModel> model() {
    return model;
  }

  /** {@return how the model draws} */
  public PipelineFactory pipelines() {
    return pipelines;
  }

  /**
   * The images. They are drawn when they are asked for, and again each time: write or cache what is
   * needed twice.
   *
   * @param sampling what is drawn
   * @param encoding of the images
   * @return the images, in order
   */
  public JavaRDD<DrawnImage> images(SparkSampling sampling, ImageEncoding encoding) {
    var ranges = sampling.ranges(1);
    Broadcast<PackedModel> packed = model;
    PipelineFactory factory = pipelines;
    return context
        .parallelize(ranges, ranges.size())
        .mapPartitions(
            (Iterator<SparkSampling.Range> own) ->
                DrawingTask.begin(packed, factory, sampling).images(own, encoding));
  }

  /**
   * The images as rows of the columns {@code index} (long), {@code class} (int, null of a network
   * that is told none) and {@code image} (binary), see {@link #SCHEMA}. They are drawn when they
   * are asked for, and again each time.
   *
   * @param sampling what is drawn
   * @param encoding of the images
   * @return the images, in order
   */
  public Dataset<Row> draw(SparkSampling sampling, ImageEncoding encoding) {
    return spark.createDataFrame(
        images(sampling, encoding)
            .map(
                drawn ->
                    RowFactory.create(
                        (long) drawn.index(),
                        drawn.classNumber() == DrawnImage.NO_CLASS ? null : drawn.classNumber(),
                        drawn.image())),
        SCHEMA);
  }

  /**
   * Draws images into Parquet files, of the columns of {@link #draw}.
   *
   * @param sampling what is drawn
   * @param encoding of the images
   * @param folder of any Hadoop file system, which must not exist
   * @throws IOException if it exists, or the thread is interrupted: then the job is cancelled
   */
  public void writeParquet(SparkSampling sampling, ImageEncoding encoding, String folder)
      throws IOException {
    requireNew(folder);
    whileUninterrupted(
        folder,
        () -> draw(sampling, encoding).write().mode(SaveMode.ErrorIfExists).parquet(folder));
  }

  /**
   * Draws images into PNG files {@code 0000.png} and so on, with the names and bytes of {@code ddpm
   * sample --format png}.
   *
   * @param sampling what is drawn
   * @param folder of any Hadoop file system, which must not exist
   * @throws IOException if it exists, or the thread is interrupted: then the job is cancelled
   */
  public void writeImageFiles(SparkSampling sampling, String folder) throws IOException {
    write(sampling, folder, ImageFileFormat.class);
  }

  /**
   * Draws images into tar archives, one for each partition, see {@link TarShardFormat}.
   *
   * @param sampling what is drawn
   * @param folder of any Hadoop file system, which must not exist
   * @throws IOException if it exists, or the thread is interrupted: then the job is cancelled
   */
  public void writeTarShards(SparkSampling sampling, String folder) throws IOException {
    write(sampling, folder, TarShardFormat.class);
  }

  private void write(
      SparkSampling sampling,
      String folder,
      Class<? extends OutputFormat<Integer, DrawnImage>> format)
      throws IOException {
    requireNew(folder);
    Configuration configuration = new Configuration(context.hadoopConfiguration());
    configuration.setInt(ImageFileFormat.DIGITS, ImageFileFormat.digits(sampling.count()));
    whileUninterrupted(
        folder,
        () ->
            images(sampling, ImageEncoding.PNG)
                .mapToPair(drawn -> new Tuple2<>(drawn.index(), drawn))
                .saveAsNewAPIHadoopFile(
                    folder, Integer.class, DrawnImage.class, format, configuration));
  }

  /**
   * Spark stops waiting for the job of a thread that is interrupted, and lets the job run on. Here
   * it ends, and the thread stays interrupted.
   *
   * <p>A job that fails leaves the folder, without a file, where whoever mends what was wrong would
   * draw.
   */
  private void whileUninterrupted(String folder, Runnable job) throws InterruptedIOException {
    String tag = "ddpm4j-drawing-" + UUID.randomUUID();
    context.addJobTag(tag);
    try {
      job.run();
    } catch (Exception e) {
      if (!isOfAnInterrupt(e)) {
        removeIfEmpty(new Path(folder), e);
        throw e;
      }
      context.cancelJobsWithTag(tag);
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted =
          new InterruptedIOException("The thread that draws was interrupted.");
      interrupted.initCause(e);
      throw interrupted;
    } finally {
      context.removeJobTag(tag);
    }
  }

  /** Spark's own folder of what is not committed does not count. */
  private void removeIfEmpty(Path folder, Exception failure) {
    try {
      FileSystem files = folder.getFileSystem(context.hadoopConfiguration());
      if (files.exists(folder)
          && Stream.of(files.listStatus(folder))
              .allMatch(
                  file -> file.getPath().getName().equals(FileOutputCommitter.PENDING_DIR_NAME))) {
        files.delete(folder, true);
      }
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /** Scala throws {@link InterruptedException} undeclared, and Spark wraps it. */
  private static boolean isOfAnInterrupt(Throwable thrown) {
    for (Throwable e = thrown; e != null; e = e.getCause()) {
      if (e instanceof InterruptedException) {
        return true;
      }
    }
    return false;
  }

  private void requireNew(String folder) throws IOException {
    Path path = RemotePaths.path(folder);
    if (RemotePaths.fileSystem(path, context.hadoopConfiguration()).exists(path)) {
      throw new IOException(
          Text.format(
              "%s exists, and images are never drawn into a folder that does; remove it, or name another.",
              folder));
    }
  }

  /** Takes the model from the executors, and closes the network of this process. */
  @Override
  public void close() {
    Broadcasts.destroy(model);
    PerJvm.ofThisProcess().forget(DiffusionModel.class);
  }
}
