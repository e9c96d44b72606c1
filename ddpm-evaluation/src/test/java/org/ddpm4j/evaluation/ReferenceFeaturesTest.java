package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What is kept of a data set, with an extractor whose features are the pixels. */
class ReferenceFeaturesTest {

  private static final List<String> CLASSES = List.of("cats, large", "dogs", "none of these");

  @TempDir private Path folder;

  /**
   * Sees D pixels and two classes.
   *
   * @param dimensions D
   */
  private record PixelsThemselves(int dimensions) implements FeatureExtractor {

    @Override
    public String name() {
      return "pixels";
    }

    @Override
    public List<String> classNames() {
      return List.of("dark", "bright");
    }

    @Override
    public Features extract(INDArray pixels) {
      int images = (int) pixels.size(0);
      float[][] values = pixels.reshape(images, dimensions).toFloatMatrix();
      float[][] probabilities = new float[images][];
      for (int i = 0; i < images; i++) {
        float bright = values[i][0] / 65536;
        probabilities[i] = new float[] {1 - bright, bright};
      }
      return new Features(values, probabilities);
    }

    @Override
    public void close() {}
  }

  private static INDArray images(float[]... pixels) {
    return Nd4j.create(pixels).reshape(pixels.length, 1, 1, pixels[0].length);
  }

  /** Of the third class there is no image. */
  private static ReferenceFeatures five() {
    var builder = new ReferenceFeatures.Builder(new PixelsThemselves(2), CLASSES, 5);
    builder.add(images(new float[] {1, 5}, new float[] {2, 9}, new float[] {4, 0}), 0, 1, 0);
    builder.add(images(new float[] {10, 1}, new float[] {6, 4}), 0, 1);
    return builder.build("five images", "f5");
  }

  /** Of 25,000 images 10,000, which are as far apart as they can be, and the class of each. */
  @Test
  void someFeaturesAreEvenlySpread() {
    int size = 25_000;
    var builder = new ReferenceFeatures.Builder(new PixelsThemselves(1), CLASSES, size);
    for (int first = 0; first < size; first += 1000) {
      int begin = first;
      float[] numbers = new float[1000];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = begin + i;
      }
      builder.add(
          Nd4j.createFromArray(numbers).reshape(1000, 1, 1, 1),
          IntStream.range(0, 1000).map(i -> (begin + i) % 3).toArray());
    }
    ReferenceFeatures found = builder.build("numbers", "n");

    float[][] kept = found.some().values();
    assertThat(kept).hasNumberOfRows(10_000);
    assertThat(kept[0][0]).isZero();
    assertThat(kept[9_999][0]).isBetween(24_996f, 24_999f);
    for (int i = 0; i < kept.length; i++) {
      assertThat(found.labels().get(i)).isEqualTo((int) kept[i][0] % 3);
      assertThat(found.some().probabilities()[i][1]).isEqualTo(kept[i][0] / 65536);
      if (i > 0) {
        assertThat(kept[i][0] - kept[i - 1][0]).isBetween(2f, 3f);
      }
    }
    assertThat(found.statistics().count()).isEqualTo(size);
    assertThat(found.statistics().mean()[0]).isCloseTo((size - 1) / 2.0, within(1e-6));
  }

  @Test
  void ofFewImagesAllAreKept() {
    ReferenceFeatures found = five();

    assertThat(found.some().values())
        .isDeepEqualTo(new float[][] {{1, 5}, {2, 9}, {4, 0}, {10, 1}, {6, 4}});
    assertThat(found.labels()).containsExactly(0, 1, 0, 0, 1);
  }

  /** By hand: cats are (1,5), (4,0) and (10,1), dogs (2,9) and (6,4). */
  @Test
  void statisticsOfAClassAreOfItsImages() {
    ReferenceFeatures found = five();

    FeatureStatistics cats = found.ofClass(0).orElseThrow();
    assertThat(cats.count()).isEqualTo(3);
    assertThat(cats.mean()).containsExactly(new double[] {5, 2}, within(1e-12));
    assertThat(cats.covariance()).containsExactly(new double[] {21, -7.5, -7.5, 7}, within(1e-12));
    FeatureStatistics dogs = found.ofClass(1).orElseThrow();
    assertThat(dogs.mean()).containsExactly(new double[] {4, 6.5}, within(1e-12));
    assertThat(dogs.covariance()).containsExactly(new double[] {8, -10, -10, 12.5}, within(1e-12));
    assertThat(found.ofClass(2)).isEmpty();
    assertThat(found.ofClass(3)).isEmpty();
    assertThat(found.statistics().mean()).containsExactly(new double[] {4.6, 3.8}, within(1e-12));
  }

  @Test
  void aClassOfOneImageHasNoStatistics() {
    var builder = new ReferenceFeatures.Builder(new PixelsThemselves(1), CLASSES, 3);
    builder.add(images(new float[] {1}, new float[] {2}, new float[] {3}), 0, 1, 1);
    ReferenceFeatures found = builder.build("three", "t");

    assertThat(found.ofClass(0)).isEmpty();
    assertThat(found.ofClass(1)).isPresent();
  }

  /** Covariances of longer features would be singular, and those of one class are those of all. */
  @ParameterizedTest
  @CsvSource({"512, 2, 2", "513, 2, 0", "512, 1, 0"})
  void classesHaveStatisticsWhereTheyTellSomething(int dimensions, int classes, int expected) {
    var builder =
        new ReferenceFeatures.Builder(
            new PixelsThemselves(dimensions), CLASSES.subList(0, classes), 2);
    builder.add(images(new float[dimensions], new float[dimensions]), 0, 0);

    assertThat(builder.build("black", "b").byClass()).hasSize(expected);
  }

  @Test
  void isReadAsItWasWritten() throws IOException {
    Path file = folder.resolve("features.safetensors");
    five().withSource("elsewhere").write(file);

    ReferenceFeatures again = ReferenceFeatures.read(file);

    assertThat(again.extractor()).isEqualTo("pixels");
    assertThat(again.source()).isEqualTo("elsewhere");
    assertThat(again.fingerprint()).isEqualTo("f5");
    assertThat(again.classNames()).isEqualTo(CLASSES);
    assertThat(again.labels()).containsExactly(0, 1, 0, 0, 1);
    assertThat(again.some().values()).isDeepEqualTo(five().some().values());
    assertThat(again.some().probabilities()).isDeepEqualTo(five().some().probabilities());
    assertThat(again.byClass()).hasSize(3);
    assertThat(again.byClass().get(2).count()).isZero();
    assertThat(again.ofClass(0).orElseThrow().covariance())
        .containsExactly(new double[] {21, -7.5, -7.5, 7}, within(1e-12));
    assertThat(again.statistics().count()).isEqualTo(5);
    assertThat(again.statistics().mean()).containsExactly(new double[] {4.6, 3.8}, within(1e-12));
    assertThat(again.statistics().covariance()).isEqualTo(five().statistics().covariance());
  }

  @Test
  void withoutClassesAndProbabilitiesItIsReadToo() throws IOException {
    Path file = folder.resolve("features.safetensors");
    Features features = Features.of(new float[][] {{1, 2}, {3, 4}, {5, 7}});
    new ReferenceFeatures(
            "x",
            "three",
            "f",
            FeatureStatistics.of(features),
            List.of(),
            List.of(),
            features,
            List.of(0, 0, 0))
        .write(file);

    ReferenceFeatures again = ReferenceFeatures.read(file);

    assertThat(again.some().values()).isDeepEqualTo(features.values());
    assertThat(again.some().classes()).isZero();
    assertThat(again.classNames()).isEmpty();
    assertThat(again.byClass()).isEmpty();
  }

  /** Each file was right but for one tensor, and its checksum is. */
  @ParameterizedTest
  @ValueSource(
      strings = {"count", "mean", "scatter", "class.1.mean", "features", "probabilities", "labels"})
  void refusesTensorsThatDoNotFit(String name) throws IOException {
    Path file = folder.resolve("features.safetensors");
    five().write(file);
    Map<String, INDArray> tensors;
    Map<String, String> metadata;
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      metadata = reader.metadata();
      tensors = new LinkedHashMap<>(reader.tensors());
    }

    INDArray right = tensors.put(name, Nd4j.zeros(DataType.DOUBLE, 3, 3));
    SafetensorsWriter.writeWithChecksum(file, tensors, metadata);
    assertThatIOException()
        .isThrownBy(() -> ReferenceFeatures.read(file))
        .withMessageContaining("%s holds no statistics of a data set", file)
        .withMessageContaining(name + " is of ");

    if (right.isR()) {
      tensors.put(name, right.dup().putScalar(0, Double.NaN));
      SafetensorsWriter.writeWithChecksum(file, tensors, metadata);
      assertThatIOException()
          .isThrownBy(() -> ReferenceFeatures.read(file))
          .withMessageContaining(name + " has a number that is not finite");
    }
    if (!name.equals("probabilities")) {
      tensors.remove(name);
      SafetensorsWriter.writeWithChecksum(file, tensors, metadata);
      assertThatIOException()
          .isThrownBy(() -> ReferenceFeatures.read(file))
          .withMessageContaining("there is no " + name);
    }
  }

  @Test
  void refusesDamagedFilesAndOthers() throws IOException {
    Path file = folder.resolve("features.safetensors");
    five().write(file);
    byte[] bytes = Files.readAllBytes(file);
    // The last byte is of a number, which stays finite.
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    assertThatIOException()
        .isThrownBy(() -> ReferenceFeatures.read(file))
        .withMessageContaining("CRC-32C");

    SafetensorsWriter.write(file, Map.of("count", Nd4j.zeros(1)), Map.of("source", "me"));
    assertThatIOException()
        .isThrownBy(() -> ReferenceFeatures.read(file))
        .withMessageContaining("has no extractor, source, fingerprint and class_names");
  }

  @Test
  void refusesTooFewImagesAndLabels() {
    var extractor = new PixelsThemselves(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReferenceFeatures.Builder(extractor, CLASSES, 1))
        .withMessageContaining("at least 2");
    var builder = new ReferenceFeatures.Builder(extractor, CLASSES, 2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.add(images(new float[] {1}, new float[] {2}), 0))
        .withMessageContaining("2 images and the classes of 1");
  }
}
