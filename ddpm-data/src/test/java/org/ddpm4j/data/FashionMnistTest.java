package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;

/** The bundled subset, all the way from its files to batches. */
class FashionMnistTest {

  private static final int AREA = 28 * 28;

  @TempDir Path empty;

  @Test
  void theBundledSubsetIsBalancedAndComplete() throws IOException {
    for (Split split : Split.values()) {
      int perClass = split == Split.TRAIN ? 700 : 100;
      ImageDataSet data = FashionMnist.load(split, nothing());

      assertThat(data.size()).isEqualTo(10 * perClass);
      assertThat(data.shape()).isEqualTo(new ImageShape(1, 28, 28));
      assertThat(data.classNames()).hasSize(10).startsWith("T-shirt/top").endsWith("Ankle boot");
      assertThat(data.source()).contains(split.adjective()).contains("the bundled subset of");
      int[] counts = new int[10];
      for (int i = 0; i < data.size(); i++) {
        counts[data.label(i)]++;
      }
      assertThat(counts).containsOnly(perClass);
    }
  }

  @Test
  void imagesAndLabelsAreThoseOfTheFiles() throws IOException {
    byte[] images = raw("train-images-idx3-ubyte.gz");
    byte[] labels = raw("train-labels-idx1-ubyte.gz");
    ImageDataSet data = FashionMnist.load(Split.TRAIN, nothing());

    assertThat(images).hasSize(16 + 7000 * AREA);
    assertThat(labels).hasSize(8 + 7000);
    for (int i = 0; i < data.size(); i++) {
      int start = 16 + i * AREA;
      assertThat(data.pixels(i)).isEqualTo(Arrays.copyOfRange(images, start, start + AREA));
      assertThat(data.label(i)).isEqualTo(labels[8 + i]);
    }
    // The published training set begins with an ankle boot.
    assertThat(data.label(0)).isEqualTo(9);
  }

  @Test
  void batchesOfAnEpochSpanExactlyMinusOneToOne() throws IOException {
    byte[] images = raw("t10k-images-idx3-ubyte.gz");
    byte[] labels = raw("t10k-labels-idx1-ubyte.gz");
    ImageDataSetIterator iterator =
        new ImageDataSetIterator(
            FashionMnist.load(Split.TEST, nothing()),
            BatchOptions.of(128, 42).withFlip(HorizontalFlip.RANDOM).withLastBatch(LastBatch.KEEP));

    float least = Float.MAX_VALUE;
    float most = -Float.MAX_VALUE;
    int upright = 0;
    int turned = 0;
    for (long step = 0; step < iterator.stepsPerEpoch(); step++) {
      DataSet batch = iterator.batch(step);
      int[] indices = iterator.indices(step);
      assertThat(batch.getFeatures().dataType()).isEqualTo(DataType.FLOAT);
      assertThat(batch.getFeatures().shape()).containsExactly(indices.length, 1, 28, 28);
      assertThat(batch.getLabels().shape()).containsExactly(indices.length, 10);
      least = Math.min(least, batch.getFeatures().minNumber().floatValue());
      most = Math.max(most, batch.getFeatures().maxNumber().floatValue());
      float[] values = batch.getFeatures().reshape(indices.length * (long) AREA).toFloatVector();
      for (int i = 0; i < indices.length; i++) {
        float[] image = Arrays.copyOfRange(values, i * AREA, (i + 1) * AREA);
        float[] expected = new float[AREA];
        float[] mirror = new float[AREA];
        for (int y = 0; y < 28; y++) {
          for (int x = 0; x < 28; x++) {
            int pixel = images[16 + indices[i] * AREA + 28 * y + x] & 0xff;
            expected[28 * y + x] = (float) (pixel / 127.5 - 1);
            mirror[28 * y + 27 - x] = (float) (pixel / 127.5 - 1);
          }
        }
        assertThat(Arrays.equals(image, expected) || Arrays.equals(image, mirror)).isTrue();
        upright += Arrays.equals(image, expected) ? 1 : 0;
        turned += Arrays.equals(image, mirror) ? 1 : 0;
        assertThat(batch.getLabels().getInt(i, labels[8 + indices[i]])).isEqualTo(1);
      }
      assertThat(batch.getLabels().sumNumber().intValue()).isEqualTo(indices.length);
    }
    assertThat(least).isEqualTo(-1f);
    assertThat(most).isEqualTo(1f);
    assertThat(upright + turned).isEqualTo(1000);
    // Binomial(1000, 1/2), five standard deviations of 15.8.
    assertThat(turned).isBetween(500 - 79, 500 + 79);
  }

  @Test
  void theFingerprintIsWrittenDown() throws IOException {
    // Made with Python's hashlib from the bundled files.
    assertThat(FashionMnist.load(Split.TRAIN, nothing()).fingerprint())
        .isEqualTo("728966bcc4097aca7ba27c22f676b87eba77cd1b7d6de57de90a4bc193615a22");
    assertThat(FashionMnist.load(Split.TEST, nothing()).fingerprint())
        .isEqualTo("c453172c849fb2cdf11201c3e385ce6e7dd9e1e8fa253cbbf22129b9537d34fb");
  }

  @Test
  void theBundledFilesAreSmallAndTheirLicenceIsBesideThem() throws IOException {
    int total = 0;
    for (Split split : Split.values()) {
      for (String name :
          new String[] {
            IdxConventions.MNIST.imagesName(split), IdxConventions.MNIST.labelsName(split)
          }) {
        total += resource(name + ".gz").length;
      }
    }
    assertThat(total).isLessThan(4_000_000);
    assertThat(new String(resource("LICENSE.txt"), StandardCharsets.UTF_8))
        .contains("Copyright (c) 2017 Zalando SE")
        .contains("Permission is hereby granted, free of charge");
  }

  @Test
  void mnistHasNoBundledSubset() {
    assertThatIOException()
        .isThrownBy(() -> Mnist.load(Split.TEST, nothing()))
        .withMessageStartingWith("The test images of MNIST are not on this machine")
        .withMessageContaining("t10k-images-idx3-ubyte.gz")
        .withMessageContaining("https://ossci-datasets.s3.amazonaws.com/mnist/");
  }

  /** No folder, no cache, no package and no network. */
  private DataSources nothing() {
    DataSources host = DataSources.ofHost(Map.of(), empty);
    return new DataSources(
        host.dataFolder(),
        empty.resolve("cache"),
        empty.resolve("system"),
        Network.FORBIDDEN,
        host.mirror(),
        host.connectTimeout(),
        host.stallTimeout());
  }

  private static byte[] raw(String name) throws IOException {
    URL url = FashionMnist.class.getResource("fashion-mnist/" + name);
    try (InputStream stream = new GZIPInputStream(url.openStream())) {
      return stream.readAllBytes();
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream stream = FashionMnist.class.getResourceAsStream("fashion-mnist/" + name)) {
      return stream.readAllBytes();
    }
  }
}
