package org.ddpm4j.io.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Files that PyTorch 2.11 wrote, and what it says is in them: see state-dicts.py. */
class PyTorchReaderTest {

  static Path resource(String name) {
    try {
      return Path.of(PyTorchReaderTest.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(name, e);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dtypes.pt",
        "dtypes-legacy.pt",
        "views.pt",
        "views-legacy.pt",
        "checkpoint.pt",
        "checkpoint-legacy.pt",
        "checkpoint-protocol-4.pt"
      })
  void readsWhatPyTorchWrote(String file) throws IOException {
    JsonNode expected = new ObjectMapper().readTree(resource("expected.json").toFile()).get(file);
    List<String> names = new ArrayList<>();
    expected.fieldNames().forEachRemaining(names::add);

    try (PyTorchReader reader = PyTorchReader.open(resource(file))) {
      assertThat(reader.names()).containsExactlyElementsOf(names);
      for (String name : names) {
        JsonNode tensor = expected.get(name);
        DataType dataType =
            TorchDtype.named(tensor.get("dtype").textValue()).orElseThrow().dataType();
        long[] shape = numbers(tensor.get("shape")).mapToLong(number -> (long) number).toArray();
        INDArray array = reader.tensor(name);

        assertThat(reader.shape(name)).as(name).isEqualTo(shape);
        assertThat(reader.dataType(name)).as(name).isEqualTo(dataType);
        assertThat(array.shape()).as(name).isEqualTo(shape);
        assertThat(array.dataType()).as(name).isEqualTo(dataType);
        assertThat(array.ordering()).as(name).isEqualTo('c');
        if (!array.isEmpty()) {
          assertThat(array.castTo(DataType.DOUBLE).reshape(-1).toDoubleVector())
              .as(name)
              .isEqualTo(numbers(tensor.get("values")).toArray());
        }
      }
    }
  }

  private static DoubleStream numbers(JsonNode array) {
    List<Double> numbers = new ArrayList<>();
    array.forEach(number -> numbers.add(number.doubleValue()));
    return numbers.stream().mapToDouble(Double::doubleValue);
  }

  @Test
  void namesWhatItDoesNotRead() {
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(resource("module.pt")))
        .withMessageContaining("asks for 'torch.nn.modules.container.Sequential'")
        .withMessageEndingWith(".");
    assertThatIOException()
        .isThrownBy(() -> PyTorchReader.open(resource("complex.pt")))
        .withMessageContaining("asks for 'torch.ComplexFloatStorage'");
  }

  @Test
  void namesATensorThatIsMissing() throws IOException {
    try (PyTorchReader reader = PyTorchReader.open(resource("views.pt"))) {
      assertThatIOException()
          .isThrownBy(() -> reader.tensor("conv.weight"))
          .withMessageContaining("has no tensor 'conv.weight' among its 11");
    }
  }

  @Test
  void tellsPyTorchFromOthers() {
    assertThat(PyTorchReader.isPyTorch(resource("views.pt"))).isTrue();
    assertThat(PyTorchReader.isPyTorch(resource("views-legacy.pt"))).isTrue();
    assertThat(PyTorchReader.isPyTorch(resource("expected.json"))).isFalse();
    assertThat(PyTorchReader.isPyTorch(Path.of("nowhere.pt"))).isFalse();
  }
}
