package org.ddpm4j.evaluation;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.ddpm4j.io.SafetensorsReader;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Features of two sets, and what NumPy finds between them: {@code make_distances.py}. */
final class DistancesFixture {

  private DistancesFixture() {}

  static Features real() {
    return Features.of(tensor("real").toFloatMatrix());
  }

  static Features generated() {
    return new Features(
        tensor("generated").toFloatMatrix(), tensor("probabilities").toFloatMatrix());
  }

  static double[] expected(String name) {
    return tensor(name).dup('c').data().asDouble();
  }

  private static INDArray tensor(String name) {
    try (SafetensorsReader reader =
        SafetensorsReader.open(
            Path.of(DistancesFixture.class.getResource("distances.safetensors").toURI()))) {
      return reader.tensor(name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
