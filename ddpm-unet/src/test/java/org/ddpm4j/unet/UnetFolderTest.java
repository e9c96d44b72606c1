package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.MinimalUnet;
import org.ddpm4j.unet.model.TutorialUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.ddpm4j.unet.model.UnetKind;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Networks on disk, whole and damaged. */
class UnetFolderTest {

  private static final AnnotatedUnet CONFIG =
      AnnotatedUnet.convnext(4, 1, List.of(1, 2)).withAttention(1, 4);

  @TempDir private Path temporary;
  private Path folder;
  private Unet unet;

  @BeforeEach
  void write() throws IOException {
    folder = temporary.resolve("new").resolve("model");
    unet = Unet.create(CONFIG, DataType.FLOAT, 1);
    UnetFolder.write(folder, unet);
  }

  @Test
  void returnsWhatWasWritten() throws IOException {
    Unet read = UnetFolder.read(folder, DataType.FLOAT);
    assertThat(read.config()).isEqualTo(CONFIG);
    assertThat(read.parameters().flat()).isEqualTo(unet.parameters().flat());
    INDArray x = Nd4j.createFromArray(0.5f, -1, 0, 2).reshape(1, 1, 2, 2);
    INDArray t = Nd4j.createFromArray(3f);
    assertThat(read.predict(x, t)).isEqualTo(unet.predict(x, t));

    INDArray inDouble = UnetFolder.read(folder, DataType.DOUBLE).predict(x, t);
    assertThat(inDouble.dataType()).isEqualTo(DataType.DOUBLE);
    assertThat(inDouble.castTo(DataType.FLOAT).equalsWithEps(unet.predict(x, t), 1e-5)).isTrue();
  }

  /** As of resources on the class path. */
  @Test
  void readsFilesThatAreInMemory() throws IOException {
    UnetConfig config =
        UnetFolder.configFromJson(Files.readString(folder.resolve("config.json")), "a resource");
    byte[] weights = Files.readAllBytes(folder.resolve("diffusion_pytorch_model.safetensors"));
    try (SafetensorsReader reader = SafetensorsReader.of(weights, Path.of("weights"));
        Unet read = UnetFolder.read(config, reader, DataType.FLOAT, Execution.automatic())) {
      assertThat(read.config()).isEqualTo(CONFIG);
      assertThat(read.parameters().flat()).isEqualTo(unet.parameters().flat());

      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  UnetFolder.read(MinimalUnet.of(4), reader, DataType.FLOAT, Execution.automatic()))
          .withMessageContaining("tensor");
    }
  }

  /** A network that no {@link org.ddpm4j.unet.model.UnetKind} names. */
  private record Nameless(int inChannels, int outChannels, int sizeDivisor) implements UnetConfig {
    @Override
    public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
      return modules.conv2d("out", x, outChannels, Convolution.same(3));
    }
  }

  @Test
  void refusesToWriteWhatCouldNotBeReadAgain() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> UnetFolder.configToJson(new Nameless(1, 1, 1)))
        .withMessage(
            "No UnetKind names org.ddpm4j.unet.UnetFolderTest$Nameless, so that it could not be read again; write one and name it in META-INF/services/org.ddpm4j.unet.model.UnetKind.");
  }

  /** What an application in a container, or one that is restarted, has beside the library. */
  public static final class OfApplication implements UnetKind {

    @Override
    public String model() {
      return "of-application";
    }

    @Override
    public Class<Nameless> type() {
      return Nameless.class;
    }
  }

  @Test
  void networksOfAnApplicationWithAClassLoaderOfItsOwnAreKnown() throws IOException {
    Path service = temporary.resolve("META-INF/services").resolve(UnetKind.class.getName());
    Files.createDirectories(service.getParent());
    Files.writeString(service, OfApplication.class.getName());
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try (URLClassLoader application =
        new URLClassLoader(new URL[] {temporary.toUri().toURL()}, before)) {
      thread.setContextClassLoader(application);
      String json = UnetFolder.configToJson(new Nameless(1, 1, 1));
      assertThat(json).contains("\"_model\" : \"of-application\"");
      assertThat(UnetFolder.configFromJson(json, "config.json")).isEqualTo(new Nameless(1, 1, 1));

      thread.setContextClassLoader(ClassLoader.getPlatformClassLoader());
      assertThat(UnetKind.all()).containsKey("annotated").doesNotContainKey("of-application");
      thread.setContextClassLoader(null);
      assertThat(UnetKind.all()).containsKey("annotated");
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Test
  void writesTheTwoFilesOfDiffusersAndNothingElse() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("config.json", "diffusion_pytorch_model.safetensors");
    }
    assertThat(Files.readString(folder.resolve("config.json")))
        .containsSubsequence(
            "\"_model\" : \"annotated\"",
            "\"dim\" : 4",
            "\"channels\" : 1",
            "\"dim_mults\" : [ 1, 2 ]",
            "\"use_convnext\" : true")
        .endsWith("}\n");
    try (SafetensorsReader reader =
        SafetensorsReader.open(folder.resolve("diffusion_pytorch_model.safetensors"))) {
      assertThat(reader.metadata()).containsEntry("format", "pt");
      assertThat(reader.shape("init_conv.weight")).containsExactly(2, 1, 7, 7);
      assertThat(reader.shape("ups.0.3.weight")).containsExactly(4, 4, 4, 4);
    }
  }

  @Test
  void knowsTheDefaultsOfTheTutorials() throws IOException {
    assertThat(UnetFolder.configFromJson("{\"_model\": \"annotated\", \"dim\": 64}", "test"))
        .isEqualTo(AnnotatedUnet.convnext(64, 3, List.of(1, 2, 4, 8)));
    AnnotatedUnet resnet = AnnotatedUnet.resnet(64, 1, List.of(1, 2), 4).withAttention(3, 16);
    assertThat(UnetFolder.configFromJson(UnetFolder.configToJson(resnet), "test"))
        .isEqualTo(resnet);
  }

  static Stream<UnetConfig> everyArchitecture() {
    return Stream.of(
        CONFIG,
        AnnotatedUnet.resnet(4, 2, List.of(1, 2), 2).withOutChannels(4).withClassEmbeddings(11),
        TutorialUnet.of(1, 600).withDim(2),
        TutorialUnet.of(3, 1000).withDim(2).withClassEmbeddings(4),
        new MinimalUnet(2, 1, 1, 4),
        new MinimalUnet(2, 3, 6, 4),
        UnetExamples.plain(),
        UnetExamples.attentive(),
        UnetExamples.resampledByResnets());
  }

  @ParameterizedTest
  @MethodSource("everyArchitecture")
  void keepsEveryArchitecture(UnetConfig config) throws IOException {
    assertThat(UnetFolder.configFromJson(UnetFolder.configToJson(config), "test"))
        .isEqualTo(config);
    Unet written = Unet.create(config, DataType.FLOAT, 2);
    Path other = temporary.resolve("other");
    UnetFolder.write(other, written);
    Unet read = UnetFolder.read(other, DataType.FLOAT);
    assertThat(read.config()).isEqualTo(config);
    assertThat(read.parameters().flat()).isEqualTo(written.parameters().flat());
  }

  @Test
  void knowsTheDefaultsOfTheOtherArchitectures() throws IOException {
    assertThat(UnetFolder.configFromJson("{\"_model\": \"tutorial\"}", "test"))
        .isEqualTo(new TutorialUnet(32, 1, 1000, 0));
    assertThat(UnetFolder.configFromJson("{\"_model\": \"minimal\"}", "test"))
        .isEqualTo(new MinimalUnet(64, 1, 1, 256));
    assertThat(UnetFolder.configFromJson("{\"_model\": \"minimal\", \"channels\": 3}", "test"))
        .isEqualTo(MinimalUnet.of(3));
  }

  /** Files of networks without them are the same as ever. */
  @Test
  void writesClassesAndChannelsOfTheOutputOnlyWhereTheyAre() {
    assertThat(UnetFolder.configToJson(CONFIG))
        .isEqualTo(
            """
            {
              "_model" : "annotated",
              "dim" : 4,
              "channels" : 1,
              "dim_mults" : [ 1, 2 ],
              "use_convnext" : true,
              "resnet_block_groups" : 8,
              "convnext_mult" : 2,
              "attention_heads" : 1,
              "attention_head_dim" : 4
            }""");
    assertThat(UnetFolder.configToJson(CONFIG.withOutChannels(2).withClassEmbeddings(10)))
        .contains("\"out_dim\" : 2", "\"num_class_embeds\" : 10");
  }

  @Test
  void aByteOrderMarkIsNoPartOfTheConfiguration() throws IOException {
    Path config = folder.resolve("config.json");
    UnetConfig written = UnetFolder.readConfig(config);
    Files.writeString(config, "\ufeff" + Files.readString(config));
    assertThat(UnetFolder.readConfig(config)).isEqualTo(written);
  }

  @Test
  void namesTheMissingFile() throws IOException {
    Path config = folder.resolve("config.json");
    Path weights = folder.resolve("diffusion_pytorch_model.safetensors");
    Files.delete(weights);
    assertReading().hasMessage("The file %s does not exist; check its path.".formatted(weights));
    Files.delete(config);
    assertReading()
        .hasMessage(
            "%s is missing; a model folder holds config.json and diffusion_pytorch_model.safetensors, so copy or download all of it."
                .formatted(config));
    Files.createDirectory(config);
    assertReading()
        .hasMessage(
            "%s is a folder where a file is expected; a model folder holds config.json and diffusion_pytorch_model.safetensors, so copy or download all of it."
                .formatted(config));
  }

  @Test
  void refusesAParameterUnderTwoNames() throws IOException {
    try (Unet attentive = Unet.create(UnetExamples.attentive(), DataType.FLOAT, 1)) {
      UnetFolder.write(folder, attentive);
      Map<String, INDArray> tensors = new LinkedHashMap<>(attentive.parameters().toPyTorch());
      String today = "mid_block.attentions.0.to_q.bias";
      String former = "mid_block.attentions.0.query.bias";
      tensors.put(former, tensors.get(today));
      Path weights = folder.resolve("diffusion_pytorch_model.safetensors");
      SafetensorsWriter.write(weights, tensors, Map.of());
      assertReading()
          .satisfies(
              e ->
                  assertThat(e.getMessage())
                      .startsWith(weights + " does not fit the config.json beside it: The tensors ")
                      .contains(today, former)
                      .endsWith(" are the same parameter, once by its former name; remove one."));
      tensors.remove(today);
      SafetensorsWriter.write(weights, tensors, Map.of());
      try (Unet read = UnetFolder.read(folder, DataType.FLOAT)) {
        assertThat(read.parameters().flat()).isEqualTo(attentive.parameters().flat());
      }
    }
  }

  @Test
  void refusesConfigurationsThatItDoesNotUnderstand() throws IOException {
    refusesConfig(
        "{\"_model\": \"annotated\", \"dim\": 4, \"dims\": 5}",
        " has the field dims, which this U-Net does not know; the fields are [");
    refusesConfig(
        "{\"dim\": 4}",
        " describes no U-Net known here: _model is missing and must be one of \"annotated\", \"lucidrains\", \"minimal\", \"tutorial\", or _class_name must be \"UNet2DModel\".");
    refusesConfig(
        "{\"_model\": \"UNet3D\"}",
        " describes no U-Net known here: _model is \"UNet3D\" and must be one of \"annotated\", \"lucidrains\", \"minimal\", \"tutorial\", or _class_name must be \"UNet2DModel\".");
    refusesConfig("[1, 2]", " describes no U-Net known here: _model is missing");
    refusesConfig("", " describes no U-Net known here: _model is missing");
    String notAUnet = " is not the JSON of a U-Net: ";
    refusesConfig("{\"_model\": \"annotated\"}", notAUnet);
    refusesConfig("{\"_model\": \"annotated\", \"dim\": \"wide\"}", notAUnet);
    refusesConfig("{\"_model\": \"annotated\", \"dim\": 4.5}", notAUnet);
    refusesConfig("{\"_model\": \"annotated\", \"dim\": null}", notAUnet);
    refusesConfig("{\"_model\": \"annotated\", \"dim\": 99999999999}", notAUnet);
    refusesConfig("{\"_model\": \"annotated\", \"dim\": 4, \"dim_mults\": 2}", notAUnet);
    refusesConfig("{\"_model\": \"annotated\", \"dim\": 4, \"dim\": 6}", notAUnet);
    refusesConfig("{\"_model\": \"annotated\", \"dim\": 4} {}", notAUnet);
    refusesConfig("{\"_model\": \"annotated\", \"dim\": 4", notAUnet);
    refusesConfig("not JSON", notAUnet);
    refusesConfig("[".repeat(100_000), notAUnet);
    refusesConfig(
        "{\"_model\": \"annotated\", \"dim\": 5}",
        ": This U-Net cannot be built: dim is 5; it must be even and at least 4.");
    refusesConfig(
        "{\"_model\": \"annotated\", \"dim\": 4, \"dim_mults\": [1, null]}",
        ": This U-Net cannot be built: dim_mults is [1, null]; every multiple must be a number.");
    refusesConfig(
        "{\"_model\": \"tutorial\", \"timesteps\": 0}",
        ": This U-Net cannot be built: timesteps is 0; it must be at least 1.");
    refusesConfig(
        "{\"_model\": \"minimal\", \"timesteps\": 5}",
        " has the field timesteps, which this U-Net does not know; the fields are [");
    refusesConfig(
        "{\"model\": {\"_model\": \"minimal\"}, \"training\": {}}",
        " is the configuration of a run and not of a network;");
    refusesConfig(
        "{\"_model\": \"minimal\", \"dim\": NaN}",
        " is not the JSON of a U-Net: Non-standard token 'NaN'.");
    refusesConfig(" ".repeat((1 << 20) + 1), " has more than 1048576 bytes");
    Files.write(folder.resolve("config.json"), new byte[] {'{', (byte) 0xff, '}'});
    assertReading()
        .hasMessage(
            "%s is not a text file in UTF-8; a model folder holds config.json and diffusion_pytorch_model.safetensors, so copy or download all of it.",
            folder.resolve("config.json"));
  }

  private void refusesConfig(String json, String message) throws IOException {
    Path config = folder.resolve("config.json");
    Files.writeString(config, json);
    assertReading()
        .satisfies(
            e ->
                assertThat(e.getMessage())
                    .startsWith(config + message)
                    .endsWith(".")
                    .hasLineCount(1));
  }

  @Test
  void refusesWeightsOfAnotherNetwork() throws IOException {
    Path weights = folder.resolve("diffusion_pytorch_model.safetensors");
    String start = "%s does not fit the config.json beside it: The tensor ".formatted(weights);

    Map<String, INDArray> missing = new LinkedHashMap<>(unet.parameters().toPyTorch());
    missing.remove("init_conv.bias");
    SafetensorsWriter.write(weights, missing, Map.of());
    assertReading()
        .hasMessage(start + "init_conv.bias [2] is missing, which the network has as a parameter.");

    Map<String, INDArray> unknown = new LinkedHashMap<>(unet.parameters().toPyTorch());
    unknown.put("extra", Nd4j.zeros(DataType.FLOAT, 1));
    SafetensorsWriter.write(weights, unknown, Map.of());
    assertReading().hasMessage(start + "extra is none of the network's parameters.");

    Map<String, INDArray> misshapen = new LinkedHashMap<>(unet.parameters().toPyTorch());
    misshapen.put("init_conv.bias", Nd4j.zeros(DataType.FLOAT, 3));
    SafetensorsWriter.write(weights, misshapen, Map.of());
    assertReading()
        .hasMessage(start + "init_conv.bias has the shape [3] where the network has [2].");

    Files.write(weights, new byte[] {1, 2, 3});
    assertReading().hasMessageContaining(weights.toString());
  }

  /** Its parameters would take terabytes; the weights beside it are small. */
  @Test
  void takesNoMemoryForAnArchitectureThatTheWeightsDoNotHave() throws IOException {
    Files.writeString(
        folder.resolve("config.json"), "{\"_model\": \"annotated\", \"dim\": 131072}");
    assertReading().hasMessageContaining("does not fit the config.json beside it");
  }

  @Test
  void refusesOtherTypes() {
    assertThatThrownBy(() -> UnetFolder.read(folder, DataType.BFLOAT16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A U-Net cannot compute in BFLOAT16; choose FLOAT or DOUBLE.");
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertReading() {
    return assertThatThrownBy(() -> UnetFolder.read(folder, DataType.FLOAT))
        .isInstanceOf(IOException.class);
  }
}
