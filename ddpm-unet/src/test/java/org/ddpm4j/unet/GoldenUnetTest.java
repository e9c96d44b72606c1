package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.ddpm4j.io.SafetensorsReader;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Outputs and gradients of PyTorch's models, and of diffusers' {@code UNet2DModel}. */
class GoldenUnetTest {

  private static final double TOLERANCE = 1e-4;

  @ParameterizedTest
  @CsvSource({
    "annotated_resnet, FLOAT",
    "annotated_resnet, DOUBLE",
    "annotated_convnext, FLOAT",
    "annotated_convnext, DOUBLE",
    "unet2d_small, FLOAT",
    "unet2d_small, DOUBLE"
  })
  void reproducesPyTorch(String name, DataType dataType) throws Exception {
    Path folder = resource(name);
    Unet unet = UnetFolder.read(folder, dataType);
    try (SafetensorsReader io = SafetensorsReader.open(folder.resolve("io.safetensors"));
        SafetensorsReader expected = SafetensorsReader.open(folder.resolve("grads.safetensors"))) {
      INDArray x = io.tensor("x");
      INDArray t = io.tensor("t");

      assertThat(relativeError(unet.predict(x, t), io.tensor("y"))).isLessThan(TOLERANCE);

      Parameters gradient = unet.parameters().zerosLike();
      INDArray g = io.tensor("g");
      unet.vectorJacobianProduct(UnetInput.of(x, t), g.div(g.length()), gradient);
      Map<String, INDArray> actual = gradient.toPyTorch();
      assertThat(actual.keySet()).containsExactlyInAnyOrderElementsOf(expected.names());
      List<String> wrong = new ArrayList<>();
      double scale = largestNorm(expected);
      for (String parameter : expected.names()) {
        INDArray wanted = expected.tensor(parameter);
        // A bias before a normalisation over all channels has a gradient of exactly zero, of which
        // PyTorch's single precision leaves rounding errors; those are compared with the largest.
        double error = norm(actual.get(parameter), wanted);
        if (error > TOLERANCE * Math.max(norm(wanted), 1e-4 * scale)) {
          wrong.add(parameter + " differs by " + error + " of " + norm(wanted));
        }
      }
      assertThat(wrong).isEmpty();
    }
  }

  private static double largestNorm(SafetensorsReader tensors) throws IOException {
    double largest = 0;
    for (String name : tensors.names()) {
      largest = Math.max(largest, norm(tensors.tensor(name)));
    }
    return largest;
  }

  private static double relativeError(INDArray actual, INDArray expected) {
    return norm(actual, expected) / norm(expected);
  }

  private static double norm(INDArray a, INDArray b) {
    return norm(a.castTo(DataType.DOUBLE).sub(b.castTo(DataType.DOUBLE)));
  }

  private static double norm(INDArray a) {
    return a.castTo(DataType.DOUBLE).norm2Number().doubleValue();
  }

  private static Path resource(String name) throws URISyntaxException {
    return Path.of(GoldenUnetTest.class.getResource(name).toURI());
  }
}
