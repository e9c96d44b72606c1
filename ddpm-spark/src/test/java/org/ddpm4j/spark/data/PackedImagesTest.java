package org.ddpm4j.spark.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.ColorMode;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.data.ImageFileOptions;
import org.ddpm4j.data.ImageFolder;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.spark.TestSpark;
import org.ddpm4j.spark.sampling.SparkSampler;
import org.ddpm4j.spark.training.TinyImages;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.DataSet;

/** Packed images are those that were packed, and batches of them the same. */
class PackedImagesTest {

  private static final int COUNT = 23;
  private static final ImageShape SHAPE = new ImageShape(1, 8, 8);

  @TempDir private Path folder;

  private final Configuration configuration = new Configuration();

  private static void assertSame(ImageDataSet found, ImageDataSet expected) {
    assertThat(found.fingerprint()).isEqualTo(expected.fingerprint());
    BatchOptions options = BatchOptions.forTraining(5, 3).withFlip(HorizontalFlip.RANDOM);
    DataSet batch = new ImageDataSetIterator(found, options).batch(7);
    DataSet same = new ImageDataSetIterator(expected, options).batch(7);
    assertThat(batch.getFeatures()).isEqualTo(same.getFeatures());
    assertThat(batch.getLabels()).isEqualTo(same.getLabels());
  }

  @Test
  void aDataSet() throws IOException {
    ImageDataSet images = TinyImages.of(COUNT);
    String target = folder.resolve("packed").toString();
    PackedImages.write(images, target, configuration);

    assertSame(PackedImages.open(target, configuration).dataSet(configuration), images);
    assertThatIOException()
        .isThrownBy(() -> PackedImages.write(images, target, configuration))
        .withMessageContaining("exists");
    assertThatIOException()
        .isThrownBy(() -> PackedImages.open(folder.toString(), configuration))
        .withMessageContaining("images.json");
  }

  @Test
  void imageFilesAndRows() throws IOException {
    ImageDataSet images = TinyImages.of(COUNT);
    Path files = folder.resolve("files");
    for (int i = 0; i < COUNT; i++) {
      Path file =
          files.resolve(
              String.format(Locale.ROOT, "%s/%03d.png", images.classNames().get(i % 2), i));
      Files.createDirectories(file.getParent());
      Files.write(file, png(images, i));
    }
    Files.writeString(files.resolve("notes.txt"), "no image");
    ImageDataSet expected =
        ImageFolder.read(files, ImageFileOptions.of(8, 8).withColors(ColorMode.GRAYSCALE)).images();
    SparkSession spark = TestSpark.local(2);
    try {
      String packed = folder.resolve("packed").toString();
      PackedImages found = ImagePacking.ofImageFiles(spark, files.toString(), SHAPE, 3, packed);
      assertThat(found.contents().counts()).hasSize(3);
      assertSame(found.dataSet(configuration), expected);
      try (Stream<Path> all = Files.list(Path.of(packed))) {
        assertThat(all.map(file -> file.getFileName().toString()).filter(n -> !n.startsWith(".")))
            .containsExactlyInAnyOrder(
                "images.json", "labels", "pixels-00000", "pixels-00001", "pixels-00002");
      }

      List<Row> rows =
          java.util.stream.IntStream.range(0, COUNT)
              .mapToObj(i -> COUNT - 1 - i)
              .map(i -> RowFactory.create(10L * i, i % 2, png(images, i)))
              .toList();
      PackedImages fromRows =
          ImagePacking.ofRows(
              spark,
              spark.createDataFrame(rows, SparkSampler.SCHEMA),
              images.classNames(),
              SHAPE,
              "rows",
              2,
              folder.resolve("rows").toString());
      assertSame(fromRows.dataSet(configuration), images);

      // Other programs write other types of whole numbers.
      Dataset<Row> table = spark.createDataFrame(rows, SparkSampler.SCHEMA);
      Dataset<Row> swapped =
          table
              .withColumn("index", table.col("index").cast(DataTypes.IntegerType))
              .withColumn("class", table.col("class").cast(DataTypes.LongType));
      Path target = folder.resolve("swapped");
      assertSame(
          ImagePacking.ofRows(
                  spark, swapped, images.classNames(), SHAPE, "rows", 2, target.toString())
              .dataSet(configuration),
          images);

      // Whoever packs millions of images learns at once that their place is taken.
      Path none = Files.createDirectory(folder.resolve("none"));
      assertThatIOException()
          .isThrownBy(() -> ImagePacking.ofImageFiles(spark, none.toString(), SHAPE, 3, packed))
          .withMessageContaining("packed exists, and images are packed into new folders alone");
      Dataset<Row> nothing = table.filter(functions.lit(false));
      assertThatIOException()
          .isThrownBy(
              () ->
                  ImagePacking.ofRows(
                      spark, nothing, images.classNames(), SHAPE, "a table", 1, packed))
          .withMessageContaining("packed exists, and images are packed into new folders alone");
      PackedImages.requireWritable(folder.resolve("new").toString(), configuration);
      assertThat(folder.resolve("new")).doesNotExist();

      Path unnamed = folder.resolve("unnamed");
      assertThatThrownBy(
              () ->
                  ImagePacking.ofRows(
                      spark, table, List.of("one"), SHAPE, "a table", 1, unnamed.toString()))
          .rootCause()
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageMatching(
              "Image \\d+0 of a table has the class 1, and there are names of 1; .*");
      Dataset<Row> unnumbered =
          table.withColumn("index", functions.lit(null).cast(DataTypes.LongType));
      assertThatIOException()
          .isThrownBy(
              () ->
                  ImagePacking.ofRows(
                      spark, unnumbered, images.classNames(), SHAPE, "a table", 1, "unused"))
          .withMessageStartingWith("a table has rows without a whole number in the column index");
      assertThat(unnamed).doesNotExist();
    } finally {
      spark.stop();
    }
  }

  private static byte[] png(ImageDataSet images, int index) {
    return Images.png(
        Images.toPicture(images.batch(index).getFeatures().slice(0), Normalization.SYMMETRIC));
  }
}
