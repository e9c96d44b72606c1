package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Graphs of all architectures, loaded again, and by a program without this library, against outputs
 * of PyTorch.
 */
class SameDiffFileTest {

  private static final double TOLERANCE = 1e-4;

  private static final long MINUTES = 5;

  /** Surefire runs tests in the module's folder. */
  private static final Path DOCUMENTATION = Path.of("../docs/formats.md");

  private static final Pattern PROGRAM =
      Pattern.compile("```java\n(?<source>.*?class (?<name>\\w+) .*?)```", Pattern.DOTALL);

  @TempDir Path folder;

  static List<String> models() {
    return List.of(
        "annotated_resnet",
        "annotated_convnext",
        "annotated_classes",
        "annotated_out_dim",
        "tutorial",
        "tutorial_classes",
        "minimal",
        "unet2d_small",
        "unet2d_one_level",
        "unet2d_mixed",
        "unet2d_padding_classes",
        "unet2d_former_names");
  }

  /** What a network was given in PyTorch, by the names of placeholders, and what it said. */
  private record Golden(Path folder, Map<String, INDArray> inputs, INDArray y) {

    static Golden read(String model) throws IOException, URISyntaxException {
      Path folder = Path.of(SameDiffFileTest.class.getResource(model).toURI());
      try (SafetensorsReader io = SafetensorsReader.open(folder.resolve("io.safetensors"))) {
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        inputs.put("x", io.tensor("x"));
        inputs.put("t", io.tensor("t"));
        for (String name : List.of("labels", "class_labels")) {
          if (io.names().contains(name)) {
            inputs.put("labels", io.tensor(name));
          }
        }
        return new Golden(folder, inputs, io.tensor("y"));
      }
    }

    /** The first image, all images, and all of them twice. */
    List<Golden> batches() {
      return List.of(
          mapped(array -> array.get(NDArrayIndex.interval(0, 1)).dup()),
          this,
          mapped(array -> Nd4j.concat(0, array, array)));
    }

    private Golden mapped(UnaryOperator<INDArray> function) {
      Map<String, INDArray> mapped = new LinkedHashMap<>();
      inputs.forEach((name, array) -> mapped.put(name, function.apply(array)));
      return new Golden(folder, mapped, function.apply(y));
    }

    Unet unet(DataType dataType, Execution execution) throws IOException {
      return UnetFolder.read(folder, dataType, execution);
    }

    int height() {
      return (int) inputs.get("x").size(2);
    }

    int width() {
      return (int) inputs.get("x").size(3);
    }
  }

  private Path write(Golden golden) throws IOException {
    return write(golden, folder.resolve("unet.fb"));
  }

  private static Path write(Golden golden, Path file) throws IOException {
    try (Unet unet = golden.unet(DataType.FLOAT, Execution.reference())) {
      SameDiffFile.write(file, unet, golden.height(), golden.width());
    }
    return file;
  }

  @ParameterizedTest
  @MethodSource("models")
  void saysWhatPyTorchSaysForAnyNumberOfImages(String model) throws Exception {
    Golden golden = Golden.read(model);
    SameDiff graph = SameDiff.load(write(golden).toFile(), false);
    for (Golden batch : golden.batches()) {
      INDArray y = graph.output(batch.inputs(), "y").get("y");
      assertThat(y.dataType()).isEqualTo(DataType.FLOAT);
      assertSame(y, batch.y());
    }
  }

  /** Whoever loads the file has neither our operations nor our names. */
  @ParameterizedTest
  @MethodSource("models")
  void isAPlainPrediction(String model) throws Exception {
    Golden golden = Golden.read(model);
    SameDiff graph = SameDiff.load(write(golden).toFile(), false);

    assertThat(graph.inputs()).containsExactlyInAnyOrderElementsOf(golden.inputs().keySet());
    graph
        .getOps()
        .forEach(
            (name, op) ->
                assertThat(op.getOp().getClass().getName()).as(name).startsWith("org.nd4j."));
    List<String> unused =
        graph.variables().stream()
            .filter(variable -> graph.getVariables().get(variable.name()).getInputsForOp() == null)
            .map(SDVariable::name)
            .toList();
    assertThat(unused).containsExactly("y");
    assertThat(graph.getLossVariables()).isEmpty();
    assertThat(graph.getTrainingConfig()).isNull();
    List<String> weights =
        graph.variables().stream()
            .filter(variable -> variable.getVariableType() == VariableType.VARIABLE)
            .map(SDVariable::name)
            .toList();
    UnetConfig config = UnetFolder.readConfig(golden.folder().resolve(UnetFolder.CONFIG));
    assertThat(weights)
        .containsExactlyInAnyOrderElementsOf(
            Unet.declarations(config, DataType.FLOAT).stream().map(Parameter::name).toList());
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void isTheSameHoweverTheNetworkComputes(DataType dataType) throws Exception {
    Golden golden = Golden.read("unet2d_mixed");
    byte[] expected = Files.readAllBytes(write(golden));
    Path file = folder.resolve("other.fb");
    try (Unet unet = golden.unet(dataType, Execution.automatic())) {
      SameDiffFile.write(file, unet, golden.height(), golden.width());
    }
    assertThat(file).hasBinaryContent(expected);
  }

  @Test
  void holdsTheWeightsOfTheMomentThatItWasWritten() throws Exception {
    Golden golden = Golden.read("tutorial");
    Path file = folder.resolve("unet.fb");
    try (Unet unet = golden.unet(DataType.FLOAT, Execution.reference())) {
      unet.parameters().flat().muli(0);
      SameDiffFile.write(file, unet, golden.height(), golden.width());
    }
    INDArray y = SameDiff.load(file.toFile(), false).output(golden.inputs(), "y").get("y");
    assertThat(y).isEqualTo(Nd4j.zeros(DataType.FLOAT, golden.y().shape()));
  }

  /**
   * The program of docs/formats.md, as it stands there, on ND4J's own libraries; once for each
   * network, but in one process, which takes seconds to begin.
   */
  @Tag("slow")
  @Test
  void runsWithoutThisLibrary() throws Exception {
    List<String> models =
        List.of(
            "annotated_resnet",
            "annotated_convnext",
            "tutorial_classes",
            "minimal",
            "unet2d_mixed",
            "unet2d_padding_classes");
    List<List<String>> calls = new ArrayList<>();
    for (String model : models) {
      Golden golden = Golden.read(model);
      Path place = Files.createDirectory(folder.resolve(model));
      List<String> arguments =
          new ArrayList<>(List.of(write(golden, place.resolve("unet.fb")).toString()));
      List<Golden> batches = golden.batches();
      for (int i = 0; i < batches.size(); i++) {
        Path batch = Files.createDirectory(place.resolve("batch-" + i));
        for (Map.Entry<String, INDArray> input : batches.get(i).inputs().entrySet()) {
          Nd4j.writeAsNumpy(input.getValue(), batch.resolve(input.getKey() + ".npy").toFile());
        }
        arguments.add(batch.toString());
      }
      calls.add(arguments);
    }

    runProgram(calls);

    for (int k = 0; k < models.size(); k++) {
      List<Golden> batches = Golden.read(models.get(k)).batches();
      for (int i = 0; i < batches.size(); i++) {
        assertSame(
            Nd4j.createFromNpyFile(new File(calls.get(k).get(i + 1), "y.npy")), batches.get(i).y());
      }
    }
  }

  /** Compiles the program and one that calls its main method with the words of each line. */
  private void runProgram(List<List<String>> calls) throws Exception {
    Matcher program = PROGRAM.matcher(Files.readString(DOCUMENTATION));
    assertThat(program.find()).as("a program in %s", DOCUMENTATION).isTrue();
    String name = program.group("name");
    Path source = folder.resolve(name + ".java");
    Files.writeString(source, program.group("source"));
    Path several = folder.resolve("Several.java");
    Files.writeString(
        several,
        """
        class Several {
          public static void main(String[] calls) throws Exception {
            for (String call : calls) {
              %s.main(call.split("\\n"));
            }
          }
        }
        """
            .formatted(name));
    String others = classPathOfOthers();
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    int code =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                messages,
                messages,
                "-proc:none",
                "-cp",
                others,
                "-d",
                folder.toString(),
                source.toString(),
                several.toString());
    assertThat(code).as("%s", messages).isZero();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx512m", "-cp", others + File.pathSeparator + folder, "Several"));
    calls.forEach(call -> command.add(String.join("\n", call)));
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).as("ends").isTrue();
      assertThat(process.exitValue()).as("%s", Files.readString(log)).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  private static String classPathOfOthers() throws IOException {
    List<String> ours = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      (holdsOurClasses(Path.of(entry)) ? ours : others).add(entry);
    }
    assertThat(ours).as("tests, ddpm-unet and ddpm-kernels").hasSizeGreaterThanOrEqualTo(3);
    return String.join(File.pathSeparator, others);
  }

  private static boolean holdsOurClasses(Path entry) throws IOException {
    if (!Files.isRegularFile(entry)) {
      return Files.isDirectory(entry.resolve("org/ddpm4j"));
    }
    try (JarFile jar = new JarFile(entry.toFile())) {
      return jar.stream().anyMatch(file -> file.getName().startsWith("org/ddpm4j/"));
    }
  }

  @Test
  void refusesImagesThatDoNotGoThrough() throws Exception {
    try (Unet unet = Golden.read("tutorial").unet(DataType.FLOAT, Execution.reference())) {
      Path file = folder.resolve("unet.fb");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> SameDiffFile.write(file, unet, 8, 10))
          .withMessageContaining("8x10")
          .withMessageContaining("multiples of 4");
      assertThat(file).doesNotExist();
    }
  }

  @Test
  void aFileThatCannotBeWrittenIsToldInASentence() throws Exception {
    try (Unet unet = Golden.read("tutorial").unet(DataType.FLOAT, Execution.reference())) {
      Path file = folder.resolve("missing").resolve("unet.fb");
      assertThatIOException()
          .isThrownBy(() -> SameDiffFile.write(file, unet, 8, 8))
          .withMessageContaining("could not be written because its folder");
    }
  }

  /** SameDiff itself would end in an AssertionError, minutes later. */
  @Test
  void refusesNetworksThatSameDiffCannotWrite() {
    SameDiffFile.checkSize(1, 1 << 30);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SameDiffFile.checkSize(300_000_000, (1 << 30) + 1))
        .withMessageContaining("300000000 parameters")
        .withMessageContaining("1024 MB");
  }

  private static void assertSame(INDArray actual, INDArray expected) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    INDArray wanted = expected.castTo(DataType.DOUBLE);
    double error = actual.castTo(DataType.DOUBLE).sub(wanted).norm2Number().doubleValue();
    assertThat(error).isLessThan(TOLERANCE * wanted.norm2Number().doubleValue());
  }
}
