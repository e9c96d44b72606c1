package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One network in all layouts of weights; those of PyTorch were written by torch.save. */
class WeightsLayoutsTest {

  private static final String FORMER = "unet2d_former_names/";
  private static final String PLAIN = "diffusion_pytorch_model.safetensors";

  @TempDir private Path folder;
  private Map<String, INDArray> tensors;
  private INDArray expected;

  @BeforeEach
  void begin() throws IOException {
    copy(FORMER + "config.json", "config.json");
    copy(FORMER + PLAIN, PLAIN);
    tensors = new LinkedHashMap<>();
    try (SafetensorsReader reader = SafetensorsReader.open(folder.resolve(PLAIN))) {
      for (String name : reader.names()) {
        tensors.put(name, reader.tensor(name));
      }
    }
    expected = parameters(Optional.empty());
    Files.delete(folder.resolve(PLAIN));
  }

  private void copy(String resource, String name) throws IOException {
    try (InputStream in = WeightsLayoutsTest.class.getResourceAsStream(resource)) {
      Files.copy(in, folder.resolve(name));
    }
  }

  private INDArray parameters(Optional<String> variant) throws IOException {
    try (Unet unet = UnetFolder.read(folder, variant, DataType.FLOAT, Execution.automatic())) {
      return unet.parameters().flat().dup();
    }
  }

  private void write(String name, Map<String, INDArray> some) throws IOException {
    SafetensorsWriter.write(folder.resolve(name), some, Map.of());
  }

  private Map<String, INDArray> as(DataType type) {
    Map<String, INDArray> cast = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> cast.put(name, tensor.castTo(type)));
    return cast;
  }

  @ParameterizedTest
  @ValueSource(strings = {"diffusion_pytorch_model.bin", "checkpoint.pt"})
  void readsPyTorchFiles(String name) throws IOException {
    copy("layouts/" + name, name);
    assertThat(parameters(Optional.empty())).isEqualTo(expected);
  }

  @Test
  void prefersSafetensors() throws IOException {
    Files.write(folder.resolve("diffusion_pytorch_model.bin"), new byte[] {1});
    write(PLAIN, tensors);
    assertThat(parameters(Optional.empty())).isEqualTo(expected);
  }

  @Test
  void readsNumbersOfOtherTypes() throws IOException {
    write(PLAIN, as(DataType.DOUBLE));
    assertThat(parameters(Optional.empty())).isEqualTo(expected);
    for (DataType type : List.of(DataType.FLOAT16, DataType.BFLOAT16)) {
      write(PLAIN, as(type));
      INDArray read = parameters(Optional.empty());
      assertThat(read.dataType()).isEqualTo(DataType.FLOAT);
      assertThat(read.castTo(type)).isEqualTo(expected.castTo(type));
    }
  }

  @Test
  void readsVariants() throws IOException {
    write("diffusion_pytorch_model.fp16.safetensors", as(DataType.FLOAT16));
    INDArray half = expected.castTo(DataType.FLOAT16).castTo(DataType.FLOAT);
    // The only one there is.
    assertThat(parameters(Optional.empty())).isEqualTo(half);
    write(PLAIN, tensors);
    assertThat(parameters(Optional.empty())).isEqualTo(expected);
    assertThat(parameters(Optional.of("fp16"))).isEqualTo(half);
    assertThatIOException()
        .isThrownBy(() -> parameters(Optional.of("ema")))
        .withMessage(folder + ": there are no weights of the variant ema; choose one of fp16.");
    Files.delete(folder.resolve(PLAIN));
    write("diffusion_pytorch_model.ema.safetensors", tensors);
    assertThatIOException()
        .isThrownBy(() -> parameters(Optional.empty()))
        .withMessage(folder + ": its weights are of several variants; choose one of ema, fp16.");
  }

  private void shard(String index, String first, String second) throws IOException {
    Map<String, INDArray> one = new LinkedHashMap<>();
    Map<String, INDArray> other = new LinkedHashMap<>();
    List<String> map = new ArrayList<>();
    for (Map.Entry<String, INDArray> tensor : tensors.entrySet()) {
      boolean isFirst = map.size() % 3 == 0;
      (isFirst ? one : other).put(tensor.getKey(), tensor.getValue());
      map.add("\"%s\": \"%s\"".formatted(tensor.getKey(), isFirst ? first : second));
    }
    write(first, one);
    write(second, other);
    Files.writeString(
        folder.resolve(index),
        "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {" + String.join(",", map) + "}}");
  }

  @Test
  void readsShards() throws IOException {
    String second = "diffusion_pytorch_model-00002-of-00002.safetensors";
    shard(
        "diffusion_pytorch_model.safetensors.index.json",
        "diffusion_pytorch_model-00001-of-00002.safetensors",
        second);
    assertThat(parameters(Optional.empty())).isEqualTo(expected);

    write(second, Map.of());
    assertThatIOException()
        .isThrownBy(() -> parameters(Optional.empty()))
        .withMessageContaining(second + " has no tensor '");
    Files.delete(folder.resolve(second));
    assertThatIOException()
        .isThrownBy(() -> parameters(Optional.empty()))
        .withMessageContaining(
            second + " is missing, which diffusion_pytorch_model.safetensors.index.json names");
  }

  @Test
  void readsShardsOfAVariant() throws IOException {
    shard(
        "diffusion_pytorch_model.safetensors.index.fp16.json",
        "diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
        "diffusion_pytorch_model.fp16-00002-of-00002.safetensors");
    assertThat(parameters(Optional.of("fp16"))).isEqualTo(expected);
    assertThat(parameters(Optional.empty())).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"weight_map\": {\"w\": \"../../secret.safetensors\"}}",
        "{\"weight_map\": {\"w\": \"/etc/passwd\"}}",
        "{\"weight_map\": {\"w\": 3}}",
        "{\"weight_map\": {}}",
        "{}",
        "[",
        ""
      })
  void refusesOtherIndexes(String json) throws IOException {
    Path index = folder.resolve("diffusion_pytorch_model.safetensors.index.json");
    Files.writeString(index, json);
    assertThatIOException()
        .isThrownBy(() -> parameters(Optional.empty()))
        .withMessageStartingWith(index.toString())
        .withMessageContaining("copy or download")
        .withMessageEndingWith(".");
  }
}
