package org.ddpm4j.spark.app;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.data.Cifar10;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Kmnist;
import org.ddpm4j.data.Mnist;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.Text;
import org.ddpm4j.spark.data.ImagePacking;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.spark.files.RemotePaths;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Decodes training images once. */
@Command(
    name = "pack",
    description = "Decode training images once, and store them as bytes that executors read.",
    mixinStandardHelpOptions = true)
final class PackCommand implements Callable<Integer> {

  private static final int USUAL_SIZE = 64;

  /** Data sets that one machine reads. */
  enum Known {
    /** Zalando's clothes. */
    FASHION_MNIST(FashionMnist::load),
    /** Handwritten digits. */
    MNIST(Mnist::load),
    /** Hiragana. */
    KMNIST(Kmnist::load),
    /** Small photographs. */
    CIFAR10(Cifar10::load);

    private final Reader reader;

    Known(Reader reader) {
      this.reader = reader;
    }
  }

  private interface Reader {
    ImageDataSet load(Split split, DataSources sources) throws IOException;
  }

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Source source;

  private static final class Source {
    @Option(
        names = "--dataset",
        paramLabel = "NAME",
        description = "A data set: ${COMPLETION-CANDIDATES}, with --data where it is not found.")
    private Known dataset;

    @Option(
        names = "--folder",
        paramLabel = "FOLDER",
        description = "Image files in sub-folders named by class, of any Hadoop file system.")
    private String folder;

    @Option(
        names = "--parquet",
        paramLabel = "FOLDER",
        description =
            "Parquet files with the columns index, class and image, which sample writes, for instance.")
    private String parquet;
  }

  @Option(names = "--data", paramLabel = "DIR", description = "Where the files of --dataset are.")
  private java.nio.file.Path data;

  @Option(
      names = "--size",
      paramLabel = "N",
      description =
          "Height and width that images of --folder and --parquet are scaled and cut to (default: "
              + USUAL_SIZE
              + ").")
  private Integer size;

  @Option(
      names = "--gray",
      description = "Images of --folder and --parquet become grey (default: in colour).")
  private boolean gray;

  @Option(
      names = "--classes",
      paramLabel = "NAME",
      split = ",",
      description = "Names of the classes of --parquet, with commas (default: images).")
  private List<String> classes;

  @Option(
      names = "--parts",
      paramLabel = "N",
      description =
          "Files to write of --folder and --parquet, by as many tasks (default: four for each core).")
  private Integer parts;

  @Option(
      names = "--output",
      paramLabel = "FOLDER",
      required = true,
      description = "Folder of any Hadoop file system, which must not exist.")
  private String output;

  /** Set by picocli. */
  PackCommand() {}

  @Override
  public Integer call() throws IOException {
    checkOptions();
    try (SparkSession spark = SparkApplication.session()) {
      PackedImages packed = pack(spark);
      System.out.printf(
          Locale.ROOT,
          "%s: %d images of %s%n",
          packed.folder(),
          packed.contents().size(),
          packed.contents().shape());
      return 0;
    }
  }

  /** Before a session begins. */
  private void checkOptions() {
    String given =
        source.dataset != null ? "--dataset" : source.folder != null ? "--folder" : "--parquet";
    if (source.dataset == null && data != null) {
      throw SparkApplication.withoutEffect("--data", "'--dataset'", given);
    }
    if (source.parquet == null && classes != null) {
      throw SparkApplication.withoutEffect("--classes", "'--parquet'", given);
    }
    if (source.dataset != null) {
      String pictures = "'--folder' or '--parquet'";
      if (size != null) {
        throw SparkApplication.withoutEffect("--size", pictures, given);
      }
      if (gray) {
        throw SparkApplication.withoutEffect("--gray", pictures, given);
      }
      if (parts != null) {
        throw SparkApplication.withoutEffect("--parts", pictures, given);
      }
    }
    SparkApplication.requirePartitions("--parts", parts);
    shape();
  }

  private ImageShape shape() {
    int side = size == null ? USUAL_SIZE : size;
    return new ImageShape(gray ? 1 : 3, side, side);
  }

  private PackedImages pack(SparkSession spark) throws IOException {
    Configuration configuration = spark.sparkContext().hadoopConfiguration();
    if (source.dataset != null) {
      PackedImages.requireWritable(output, configuration);
      DataSources found = DataSources.ofHost();
      return PackedImages.write(
          source.dataset.reader.load(
              Split.TRAIN, data == null ? found : found.withDataFolder(data)),
          output,
          configuration);
    }
    ImageShape shape = shape();
    int files = SparkApplication.partitions(spark, "--parts", parts);
    if (source.folder != null) {
      return ImagePacking.ofImageFiles(spark, source.folder, shape, files, output);
    }
    Path table = RemotePaths.path(source.parquet);
    FileStatus[] found = RemotePaths.fileSystem(table, configuration).globStatus(table);
    if (found == null || found.length == 0) {
      throw new IOException(
          Text.format(
              "%s does not exist; name a folder of Parquet files by --parquet.", source.parquet));
    }
    Dataset<Row> rows = spark.read().parquet(source.parquet);
    return ImagePacking.ofRows(
        spark,
        rows,
        classes == null ? List.of("images") : classes,
        shape,
        "images of " + source.parquet,
        files,
        output);
  }
}
