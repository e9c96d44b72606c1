package org.ddpm4j.spark.data;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.Partitioner;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.util.SerializableConfiguration;
import org.ddpm4j.data.ImageFile;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.Text;
import org.ddpm4j.spark.executor.Broadcasts;
import org.ddpm4j.spark.files.RemotePaths;
import scala.Tuple2;

/**
 * Decodes images by partitions and packs them, each once. Images are scaled and cut as {@code
 * ImageFolder} does, and come in a fixed order, so that the packed images have the same fingerprint
 * whatever the number of tasks.
 */
public final class ImagePacking {

  private ImagePacking() {}

  /** A shape that travels to executors. */
  private record Size(int channels, int height, int width) implements Serializable {

    private static final long serialVersionUID = 1L;

    static Size of(ImageShape shape) {
      return new Size(shape.channels(), shape.height(), shape.width());
    }

    /** Readers of some formats want a file. */
    byte[] decode(byte[] content, String name) throws IOException {
      java.nio.file.Path file = Files.createTempFile("ddpm4j-image-", "");
      try {
        Files.write(file, content);
        return ImageFile.read(file, new ImageShape(channels, height, width)).pixels(0);
      } catch (IOException e) {
        throw new IOException(Text.format("The image %s: %s", name, e.getMessage()), e);
      } finally {
        Files.deleteIfExists(file);
      }
    }
  }

  /** A decoded image. */
  private record Decoded(int label, byte[] pixels) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  /** What packed images say of themselves. */
  private record Contents(int images, ImageShape shape, List<String> classNames, String source) {}

  /** What a task has written. */
  private record Part(int number, String attempt, int[] labels) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  /** Neighbouring images into one part. */
  private static final class Neighbours extends Partitioner {

    private static final long serialVersionUID = 1L;
    private final int images;
    private final int parts;

    Neighbours(int images, int parts) {
      this.images = images;
      this.parts = parts;
    }

    @Override
    public int numPartitions() {
      return parts;
    }

    @Override
    public int getPartition(Object number) {
      return (int) ((long) (Integer) number * parts / images);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Neighbours that && images == that.images && parts == that.parts;
    }

    @Override
    public int hashCode() {
      return 31 * images + parts;
    }
  }

  /**
   * Packs a folder of image files, by Spark's {@code binaryFile}. As in {@code ImageFolder}, images
   * come in the order of their paths, and the class of each is the first sub-folder on the way to
   * it.
   *
   * @param spark the session
   * @param source the folder, of any Hadoop file system
   * @param shape of the images, of 1 or 3 channels
   * @param parts files that are written, by as many tasks, at least 1
   * @param target folder of any Hadoop file system, which must not exist
   * @return the packed images
   * @throws IOException if there are no images, or the target exists or cannot be written
   */
  public static PackedImages ofImageFiles(
      SparkSession spark, String source, ImageShape shape, int parts, String target)
      throws IOException {
    Configuration configuration = spark.sparkContext().hadoopConfiguration();
    Path folder = folder(source, configuration);
    PackedImages.requireWritable(target, configuration);
    Dataset<Row> files =
        spark
            .read()
            .format("binaryFile")
            .option("recursiveFileLookup", "true")
            .load(source)
            .select("path", "content");
    List<String> addresses =
        files.select("path").collectAsList().stream().map(row -> row.getString(0)).toList();
    FolderImages found = FolderImages.of(source, folder, addresses);
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    Broadcast<HashMap<String, FolderImages.Place>> places = context.broadcast(found.places());
    Size size = Size.of(shape);
    try {
      JavaPairRDD<Integer, Decoded> decoded =
          files
              .javaRDD()
              .filter(row -> places.value().containsKey(row.getString(0)))
              .mapToPair(row -> decoded(row, places.value().get(row.getString(0)), size));
      return write(
          context,
          decoded,
          new Contents(found.count(), shape, found.classNames(), "images of " + source),
          parts,
          target);
    } finally {
      Broadcasts.destroy(places);
    }
  }

  /** The full address of a folder that is there. */
  private static Path folder(String source, Configuration configuration) throws IOException {
    Path folder = RemotePaths.path(source);
    FileSystem fileSystem = RemotePaths.fileSystem(folder, configuration);
    if (!fileSystem.exists(folder) || !fileSystem.getFileStatus(folder).isDirectory()) {
      throw new IOException(
          Text.format(
              "%s %s; name a folder of image files.",
              source, fileSystem.exists(folder) ? "is a file" : "does not exist"));
    }
    return fileSystem.makeQualified(folder);
  }

  private static Tuple2<Integer, Decoded> decoded(Row row, FolderImages.Place place, Size size)
      throws IOException {
    byte[] pixels = size.decode(row.getAs(1), row.getString(0));
    return new Tuple2<>(place.number(), new Decoded(place.label(), pixels));
  }

  /**
   * Packs rows of image files, of Parquet for instance, in the order of their numbers.
   *
   * @param spark the session
   * @param rows with the columns {@code index} (any whole number), {@code class} (the same; null is
   *     class 0) and {@code image} (binary, an image file), as {@code SparkSampler} writes them
   * @param classNames of the classes
   * @param shape of the images, of 1 or 3 channels
   * @param source where the images come from, for people to read
   * @param parts files that are written, by as many tasks, at least 1
   * @param target folder of any Hadoop file system, which must not exist
   * @return the packed images
   * @throws IOException if there are no images or two of one number, or the target exists or cannot
   *     be written
   */
  public static PackedImages ofRows(
      SparkSession spark,
      Dataset<Row> rows,
      List<String> classNames,
      ImageShape shape,
      String source,
      int parts,
      String target)
      throws IOException {
    PackedImages.requireWritable(target, spark.sparkContext().hadoopConfiguration());
    Dataset<Row> typed =
        rows.select(
            rows.col("index").cast(DataTypes.LongType),
            rows.col("class").cast(DataTypes.IntegerType),
            rows.col("image").cast(DataTypes.BinaryType));
    if (!typed.filter(typed.col("index").isNull().or(typed.col("image").isNull())).isEmpty()) {
      throw new IOException(
          Text.format(
              "%s has rows without a whole number in the column index, or without a file in the column image; leave these out.",
              source));
    }
    long[] numbers = distinctNumbers(typed, source);
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    Broadcast<long[]> sorted = context.broadcast(numbers);
    Size size = Size.of(shape);
    int classes = classNames.size();
    try {
      JavaPairRDD<Integer, Decoded> decoded =
          typed
              .javaRDD()
              .mapToPair(
                  row ->
                      new Tuple2<>(
                          Arrays.binarySearch(sorted.value(), row.getLong(0)),
                          new Decoded(
                              label(row, classes, source),
                              size.decode(row.getAs(2), "number " + row.getLong(0)))));
      Contents contents = new Contents(numbers.length, shape, classNames, source);
      return write(context, decoded, contents, parts, target);
    } finally {
      Broadcasts.destroy(sorted);
    }
  }

  /** The numbers of all rows, in rising order: the place of an image is that of its number. */
  private static long[] distinctNumbers(Dataset<Row> rows, String source) throws IOException {
    long[] numbers =
        rows.select("index").collectAsList().stream()
            .mapToLong(row -> row.getLong(0))
            .sorted()
            .toArray();
    for (int i = 1; i < numbers.length; i++) {
      if (numbers[i] == numbers[i - 1]) {
        throw new IOException(
            Text.format(
                "%s has two images with the number %d; the column index must tell them apart.",
                source, numbers[i]));
      }
    }
    if (numbers.length == 0) {
      throw new IOException(source + " holds no images; pack a table with some.");
    }
    return numbers;
  }

  private static int label(Row row, int classes, String source) {
    int label = row.isNullAt(1) ? 0 : row.getInt(1);
    if (label < 0 || label >= classes) {
      throw new IllegalArgumentException(
          Text.format(
              "Image %d of %s has the class %d, and there are names of %d; name all classes, from that of 0 on.",
              row.getLong(0), source, label, classes));
    }
    return label;
  }

  private static PackedImages write(
      JavaSparkContext context,
      JavaPairRDD<Integer, Decoded> decoded,
      Contents contents,
      int parts,
      String target)
      throws IOException {
    int images = contents.images();
    Configuration configuration = context.hadoopConfiguration();
    SerializableConfiguration sent = new SerializableConfiguration(configuration);
    try (PackedImages.Writer writer = PackedImages.Writer.begin(target, configuration)) {
      String folder = writer.folder().toString();
      // Of several attempts of a task Spark takes the result of one, which names its file.
      List<Part> written =
          decoded
              .repartitionAndSortWithinPartitions(new Neighbours(images, Math.min(images, parts)))
              .mapPartitions(own -> List.of(writePart(folder, sent.value(), own)).iterator())
              .collect();
      List<Integer> counts = new ArrayList<>();
      int[] labels = new int[images];
      int done = 0;
      for (Part part : written) {
        writer.rename(part.attempt(), PackedImages.pixelFile(part.number()));
        counts.add(part.labels().length);
        System.arraycopy(part.labels(), 0, labels, done, part.labels().length);
        done += part.labels().length;
      }
      writer.removeAttempts();
      return writer.finish(
          contents.shape(), contents.classNames(), contents.source(), counts, labels);
    }
  }

  private static Part writePart(
      String folder, Configuration configuration, Iterator<Tuple2<Integer, Decoded>> images)
      throws IOException {
    TaskContext task = TaskContext.get();
    String attempt =
        Text.format(
            PackedImages.Writer.ATTEMPT + "%d-%d", task.partitionId(), task.taskAttemptId());
    Path file = new Path(folder, attempt);
    List<Integer> labels = new ArrayList<>();
    try (OutputStream out =
        new BufferedOutputStream(file.getFileSystem(configuration).create(file, true))) {
      while (images.hasNext()) {
        Decoded image = images.next()._2();
        out.write(image.pixels());
        labels.add(image.label());
      }
    }
    return new Part(
        task.partitionId(), attempt, labels.stream().mapToInt(Integer::intValue).toArray());
  }
}
