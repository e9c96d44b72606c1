package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class InceptionFeaturesTest {

  @TempDir private Path folder;

  /** As bench/make_inception_fixture.py has it. */
  private static double[] uniform(String name, int count) {
    long seed = 0;
    for (byte letter : name.getBytes(StandardCharsets.US_ASCII)) {
      seed = seed * 31 + letter & 0xFFFFFFFFL;
    }
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      long x = i * 2654435761L + seed & 0xFFFFFFFFL;
      for (int round = 0; round < 2; round++) {
        x ^= x >>> 16;
        x = x * 0x45D9F3B & 0xFFFFFFFFL;
      }
      x ^= x >>> 16;
      values[i] = x / 0x1p31 - 1;
    }
    return values;
  }

  private static INDArray weight(String name, long... shape) {
    int count = 1;
    for (long side : shape) {
      count *= (int) side;
    }
    double[] values = uniform(name, count);
    double scale =
        name.endsWith(".conv.weight")
            ? Math.sqrt(6 / (double) (shape[1] * shape[2] * shape[3]))
            : name.endsWith("running_var") ? 0.5 : 0.1;
    double shift = name.endsWith("bn.weight") || name.endsWith("running_var") ? 1 : 0;
    float[] result = new float[count];
    for (int i = 0; i < count; i++) {
      result[i] = (float) (shift + scale * values[i]);
    }
    return Nd4j.create(result, shape, 'c');
  }

  /**
   * Those of PyTorch, in double precision, of two images of 20x24 and weights made alike; the
   * probabilities are the softmax of W·features, without a bias.
   */
  @Test
  void featuresAreThoseOfPyTorch() throws Exception {
    Path golden = Path.of(InceptionFeaturesTest.class.getResource("inception.safetensors").toURI());
    try (SafetensorsReader reader = SafetensorsReader.open(golden);
        InceptionFeatures extractor = InceptionFeatures.of(InceptionFeaturesTest::weight)) {
      Features found = extractor.extract(reader.tensor("images"), 1);
      assertThat(found.values()).hasDimensions(2, extractor.dimensions()).hasDimensions(2, 2048);
      INDArray features = Nd4j.create(found.values());
      INDArray expected = reader.tensor("features");
      double error = features.distance2(expected) / expected.norm2Number().doubleValue();
      assertThat(error).isLessThan(1e-4);
      assertThat(features.getRow(0).distance2(features.getRow(1))).isGreaterThan(1);

      assertThat(found.probabilities()).hasDimensions(2, 1008);
      INDArray last = weight("fc.weight", 1008, 2048);
      for (int n = 0; n < 2; n++) {
        double[] powers = new double[1008];
        for (int k = 0; k < powers.length; k++) {
          for (int j = 0; j < 2048; j++) {
            powers[k] += last.getDouble(k, j) * found.values()[n][j];
          }
          powers[k] = Math.exp(powers[k]);
        }
        double sum = Arrays.stream(powers).sum();
        for (int k = 0; k < powers.length; k++) {
          assertThat((double) found.probabilities()[n][k])
              .isCloseTo(powers[k] / sum, Percentage.withPercentage(0.1));
        }
      }
      // Eight digits of a checksum of the weights.
      assertThat(extractor.name()).matches("inception-v3-[0-9a-f]{8}").doesNotEndWith("00000000");
      assertThatThrownBy(() -> extractor.extract(Nd4j.zeros(1, 2, 20, 24)))
          .hasMessageContaining("not 2 channels");
    }
  }

  /** A picture of two pixels: between them in proportion, behind the last one as it is. */
  @Test
  void resizingBeginsAtTheCorner() {
    INDArray resized = InceptionFeatures.resize(Nd4j.createFromArray(0f, 255f).reshape(1, 1, 1, 2));
    assertThat(resized.shape()).containsExactly(1, 3, 299, 299);
    assertThat(resized.getFloat(0, 2, 7, 0)).isEqualTo(-1);
    float x = 100 * 2 / 299f;
    assertThat(resized.getFloat(0, 1, 50, 100)).isCloseTo((255 * x - 128) / 128, within());
    assertThat(resized.getFloat(0, 0, 298, 200)).isEqualTo(127 / 128f);

    // Two of three colours, of a pixel each.
    INDArray two = Nd4j.createFromArray(0f, 1f, 2f, 3f, 4f, 5f).reshape(2, 3, 1, 1);
    INDArray both = InceptionFeatures.resize(two);
    for (int i = 0; i < 6; i++) {
      assertThat(both.getFloat(i / 3, i % 3, 7, 9)).isEqualTo((i - 128) / 128f);
    }
  }

  private static org.assertj.core.data.Offset<Float> within() {
    return org.assertj.core.data.Offset.offset(1e-5f);
  }

  @Test
  void otherWeightsAreRefused() throws IOException {
    Path file = folder.resolve("other.safetensors");
    SafetensorsWriter.write(
        file, Map.of("conv.weight", Nd4j.zeros(DataType.FLOAT, 3)), Map.of("format", "pt"));
    assertThatThrownBy(() -> InceptionFeatures.read(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("There is no fc.weight.")
        .hasMessageContaining("pt_inception-2015-12-05-6726825d.pth");
    assertThat(Files.exists(file)).isTrue();
  }
}
