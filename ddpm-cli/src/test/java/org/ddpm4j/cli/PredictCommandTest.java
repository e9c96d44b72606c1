package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.kernels.cpu.Onednn;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Against the PyTorch model of which ddpm-unet keeps weights, outputs and gradients. */
class PredictCommandTest {

  private static final Path NETWORKS = Path.of("../ddpm-unet/src/test/resources/org/ddpm4j/unet");
  private static final Path GOLDEN = NETWORKS.resolve("annotated_resnet");
  private static final double TOLERANCE = 1e-4;

  /** bfloat16 has 8 bits of precision, and errors of many layers add up. */
  private static final double BFLOAT16_TOLERANCE = 3e-2;

  @TempDir private Path folder;
  private Path model;
  private Path output;

  @BeforeEach
  void copyModel() throws IOException {
    model = Files.createDirectory(folder.resolve("model"));
    copyModel(GOLDEN);
    output = folder.resolve("out.safetensors");
  }

  private void copyModel(Path golden) throws IOException {
    for (String file :
        new String[] {"config.json", "diffusion_pytorch_model.safetensors", "io.safetensors"}) {
      Files.copy(golden.resolve(file), model.resolve(file), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private Cli.Result predict(Object... more) {
    Object[] args = new Object[7 + more.length];
    System.arraycopy(
        new Object[] {
          "predict",
          "--model",
          model,
          "--input",
          model.resolve("io.safetensors"),
          "--output",
          output
        },
        0,
        args,
        0,
        7);
    System.arraycopy(more, 0, args, 7, more.length);
    return Cli.run(args);
  }

  private INDArray resultFor(String name, String... more) throws IOException {
    predict((Object[]) more).isOk();
    try (SafetensorsReader reader = SafetensorsReader.open(output)) {
      return reader.tensor(name);
    }
  }

  /** Made by diffusers. */
  @ParameterizedTest
  @CsvSource({"auto, float32", "reference, double"})
  void reproducesDiffusers(String layers, String precision) throws IOException {
    Path golden = NETWORKS.resolve("unet2d_small");
    copyModel(golden);
    predict("--gradients", "--layers", layers, "--precision", precision).isOk();
    try (SafetensorsReader actual = SafetensorsReader.open(output);
        SafetensorsReader io = SafetensorsReader.open(golden.resolve("io.safetensors"));
        SafetensorsReader grads = SafetensorsReader.open(golden.resolve("grads.safetensors"))) {
      assertThat(error(actual.tensor("y"), io.tensor("y"), 0)).isLessThan(TOLERANCE);
      assertThat(actual.names()).hasSize(grads.names().size() + 1);
      for (String name : grads.names()) {
        assertThat(error(actual.tensor("grad." + name), grads.tensor(name), 1e-4))
            .as(name)
            .isLessThan(TOLERANCE);
      }
    }
  }

  /** The frequencies of its embedding are drawn once; PyTorch has no gradient of them. */
  @Test
  void whatIsNotTrainedHasNoGradient() throws IOException {
    Path golden = NETWORKS.resolve("unet2d_ncsnpp");
    copyModel(golden);
    predict("--gradients").isOk();
    try (SafetensorsReader actual = SafetensorsReader.open(output);
        SafetensorsReader grads = SafetensorsReader.open(golden.resolve("grads.safetensors"))) {
      List<String> trained =
          grads.names().stream().filter(name -> !name.equals("time_proj.weight")).toList();
      assertThat(actual.names())
          .containsExactlyInAnyOrderElementsOf(
              Stream.concat(Stream.of("y"), trained.stream().map(name -> "grad." + name)).toList());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"unet2d_padding_classes", "unet2d_mixed"})
  void givesClassLabelsToANetworkThatKnowsClasses(String network) throws IOException {
    Path golden = NETWORKS.resolve(network);
    copyModel(golden);
    INDArray y = resultFor("y");
    try (SafetensorsReader io = SafetensorsReader.open(golden.resolve("io.safetensors"))) {
      assertThat(error(y, io.tensor("y"), 0)).isLessThan(TOLERANCE);
    }
    replaceTensor("class_labels", Nd4j.createFromArray(1L, 1, 1));
    assertThat(error(resultFor("y"), y, 0)).isGreaterThan(0.01);
    replaceTensor("class_labels", Nd4j.createFromArray(0, 1));
    predict().isBadInput("tensor class_labels", "[2]", "[3], a label for each image of x");
    replaceTensor("class_labels", Nd4j.createFromArray(0, 0.5, 1));
    predict().isBadInput("class_labels", "0.5 for image 1", "whole numbers from 0 to");
    replaceTensor("class_labels", Nd4j.createFromArray(0, 1, -1));
    predict().isBadInput("class_labels", "-1.0 for image 2");
    replaceTensor("class_labels", null);
    predict().isBadInput("io.safetensors", "'class_labels'");
  }

  @Test
  void refusesClassLabelsForANetworkWithoutClasses() throws IOException {
    replaceTensor("class_labels", Nd4j.createFromArray(0L, 1));
    predict().isBadInput("io.safetensors has class_labels", "knows no classes");
  }

  /** The network takes two channels and gives one. */
  @Test
  void takesTheFirstChannelsOfGsThatHaveThoseOfX() throws IOException {
    copyModel(NETWORKS.resolve("unet2d_one_level"));
    replaceTensor("g", Nd4j.rand(DataType.FLOAT, 3, 1, 5, 4));
    INDArray expected = resultFor("grad.conv_in.weight", "--gradients");
    INDArray g;
    try (SafetensorsReader io = SafetensorsReader.open(model.resolve("io.safetensors"))) {
      g = io.tensor("g");
    }
    replaceTensor("g", Nd4j.concat(1, g, g.mul(-3)));
    assertThat(resultFor("grad.conv_in.weight", "--gradients")).isEqualTo(expected);
    replaceTensor("g", Nd4j.concat(1, g, g, g));
    predict("--gradients").isBadInput("tensor g", "[3, 3, 5, 4]");
  }

  @Test
  void weightsOfPyTorchAreReadAndDescribed() throws IOException {
    copyModel(NETWORKS.resolve("unet2d_former_names"));
    INDArray expected = resultFor("y");
    Files.delete(model.resolve("diffusion_pytorch_model.safetensors"));
    Path weights = model.resolve("diffusion_pytorch_model.bin");
    Files.copy(NETWORKS.resolve("layouts").resolve("diffusion_pytorch_model.bin"), weights);
    assertThat(resultFor("y")).isEqualTo(expected);
    assertThat(Cli.run("info", model).isOk().out())
        .contains("UNet2DModel", "file         " + weights, "mid_block.attentions.0.query.weight");
    assertThat(Cli.run("info", NETWORKS.resolve("layouts").resolve("checkpoint.pt")).isOk().out())
        .contains("ema.ema_model.conv_in.weight", "model.conv_in.bias");
    predict("--variant", "fp16").isBadInput("no weights of the variant fp16");
  }

  @Test
  void aPickleThatIsNoStateDictIsNotOpened() throws IOException {
    Files.delete(model.resolve("diffusion_pytorch_model.safetensors"));
    Files.write(
        model.resolve("diffusion_pytorch_model.bin"), new byte[] {(byte) 0x80, 2, '}', '.'});
    predict().isBadInput("diffusion_pytorch_model.bin", "a pickle, but none that PyTorch wrote");
  }

  @Test
  void theModelIsDescribed() throws IOException {
    copyModel(NETWORKS.resolve("unet2d_mixed"));
    assertThat(Cli.run("info", model).isOk().out())
        .contains(
            "UNet2DModel",
            "8 with attention, 12",
            "image sizes  multiples of 4",
            "mid_block.attentions.0");
  }

  @ParameterizedTest
  @CsvSource({
    "auto, float32, FLOAT",
    "auto, float, FLOAT",
    "fused, float32, FLOAT",
    "reference, float32, FLOAT",
    "reference, double, DOUBLE",
    "auto, double, DOUBLE",
  })
  void reproducesPyTorch(String layers, String precision, String dataType) throws IOException {
    assertThat(predict("--gradients", "--layers", layers, "--precision", precision).isOk().out())
        .isEqualTo(output + "\n");
    try (SafetensorsReader actual = SafetensorsReader.open(output);
        SafetensorsReader io = SafetensorsReader.open(GOLDEN.resolve("io.safetensors"));
        SafetensorsReader grads = SafetensorsReader.open(GOLDEN.resolve("grads.safetensors"))) {
      assertThat(actual.dataType("y").name()).isEqualTo(dataType);
      assertThat(actual.names()).hasSize(grads.names().size() + 1);
      assertThat(error(actual.tensor("y"), io.tensor("y"), 0)).isLessThan(TOLERANCE);
      double scale = 0;
      for (String name : grads.names()) {
        scale = Math.max(scale, norm(grads.tensor(name)));
      }
      for (String name : grads.names()) {
        // Gradients that are zero but for rounding are compared with the largest.
        assertThat(error(actual.tensor("grad." + name), grads.tensor(name), 1e-4 * scale))
            .as(name)
            .isLessThan(TOLERANCE);
      }
    }
  }

  @Test
  void withoutGradientsOnlyYIsWritten() throws IOException {
    predict().isOk();
    try (SafetensorsReader actual = SafetensorsReader.open(output)) {
      assertThat(actual.names()).containsExactly("y");
    }
  }

  @Test
  void bfloat16IsCloseWhereTheProcessorHasItAndRefusedElsewhere() throws IOException {
    Cli.Result result = predict("--precision", "bfloat16");
    if (!Onednn.hasBfloat16()) {
      result.isBadInput("bfloat16", "AVX512-BF16", "float32");
      return;
    }
    result.isOk();
    try (SafetensorsReader actual = SafetensorsReader.open(output);
        SafetensorsReader io = SafetensorsReader.open(GOLDEN.resolve("io.safetensors"))) {
      assertThat(error(actual.tensor("y"), io.tensor("y"), 0))
          .isLessThan(BFLOAT16_TOLERANCE)
          .isGreaterThan(TOLERANCE);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "fused, double, 'FLOAT, not in DOUBLE'",
    "reference, bfloat16, cannot compute in bfloat16",
    "fused, half, 'float32, bfloat16, double'",
    "none, double, 'auto, fused, reference'",
  })
  void whatDoesNotGoTogetherIsRefused(String layers, String precision, String part) {
    predict("--layers", layers, "--precision", precision).isBadInput(part);
  }

  @Test
  void theNumberOfThreadsIsOfTheFusedLayers() {
    predict("--threads", 3).isOk();
    predict("--threads", 3, "--precision", "double").isBadInput("--threads", "OMP_NUM_THREADS");
    predict("--threads", 3, "--layers", "reference").isBadInput("--threads", "OMP_NUM_THREADS");
  }

  private static double error(INDArray actual, INDArray expected, double leastNorm) {
    INDArray difference = actual.castTo(DataType.DOUBLE).sub(expected.castTo(DataType.DOUBLE));
    return norm(difference) / Math.max(norm(expected), leastNorm);
  }

  private static double norm(INDArray a) {
    return a.castTo(DataType.DOUBLE).norm2Number().doubleValue();
  }

  private void replaceTensor(String name, INDArray tensor) throws IOException {
    Path file = model.resolve("io.safetensors");
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      for (String existing : reader.names()) {
        tensors.put(existing, reader.tensor(existing));
      }
    }
    tensors.remove(name);
    if (tensor != null) {
      tensors.put(name, tensor);
    }
    SafetensorsWriter.write(file, tensors, Map.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "t", "g"})
  void aMissingTensorIsNamed(String name) throws IOException {
    replaceTensor(name, null);
    predict("--gradients").isBadInput("io.safetensors", "'" + name + "'");
    assertThat(output).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"x", "t", "g"})
  void aTensorOfAnotherShapeIsNamed(String name) throws IOException {
    replaceTensor(name, Nd4j.zeros(DataType.FLOAT, 2, 9));
    predict("--gradients").isBadInput("io.safetensors", "tensor " + name, "[2, 9]");
  }

  @Test
  void aSizeThatDoesNotDivideIsRefused() throws IOException {
    int channels;
    try (SafetensorsReader io = SafetensorsReader.open(GOLDEN.resolve("io.safetensors"))) {
      channels = (int) io.shape("x")[1];
    }
    replaceTensor("x", Nd4j.zeros(DataType.FLOAT, 2, channels, 15, 16));
    replaceTensor("t", Nd4j.zeros(DataType.FLOAT, 2));
    predict().isBadInput("15x16", "multiples of");
  }

  @Test
  void aTruncatedInputIsRefused() throws IOException {
    truncate(model.resolve("io.safetensors"));
    predict().isBadInput("io.safetensors");
  }

  @Test
  void truncatedWeightsAreRefused() throws IOException {
    truncate(model.resolve("diffusion_pytorch_model.safetensors"));
    predict().isBadInput("diffusion_pytorch_model.safetensors");
  }

  @Test
  void anInputThatIsNoSafetensorsFileIsRefused() throws IOException {
    Files.writeString(model.resolve("io.safetensors"), "PK and so on, longer than eight bytes");
    predict().isBadInput("io.safetensors");
  }

  @Test
  void aMissingFileIsNamed() throws IOException {
    Files.delete(model.resolve("config.json"));
    predict().isBadInput("config.json", "missing");
  }

  @Test
  void groupsThatDoNotDivideAreRefused() throws IOException {
    Path config = model.resolve("config.json");
    String text = Files.readString(config);
    Files.writeString(
        config, text.replaceAll("\"resnet_block_groups\": *\\d+", "\"resnet_block_groups\": 7"));
    assertThat(Files.readString(config)).isNotEqualTo(text);
    predict().isBadInput("config.json", "resnet_block_groups is 7");
  }

  @Test
  void configThatIsNoJsonIsRefused() throws IOException {
    Files.writeString(model.resolve("config.json"), "{\"dim\": ");
    predict().isBadInput("config.json");
  }

  @Test
  void aMissingOptionIsNamed() {
    Cli.run("predict", "--model", model).isBadInput("--input", "ddpm predict --help");
  }

  @Test
  void whatWasThereBeforeAFailureStays() throws IOException {
    Files.writeString(output, "before");
    truncate(model.resolve("io.safetensors"));
    predict().isBadInput("io.safetensors");
    assertThat(output).hasContent("before");
  }

  private static void truncate(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 5));
  }
}
