package org.ddpm4j.diffusion.diffusers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.io.hub.Hub;
import org.ddpm4j.io.hub.HubListener;
import org.ddpm4j.io.hub.HubName;
import org.ddpm4j.io.hub.HubSettings;
import org.ddpm4j.unet.Execution;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PipelineFilesTest {

  private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir private Path folder;
  private Path snapshot;

  /** The cache of the hub as it is when the descriptions have been downloaded. */
  @BeforeEach
  void writePipeline() throws IOException {
    snapshot = folder.resolve("models--google--cat").resolve("snapshots").resolve(COMMIT);
    PipelineFolder.write(snapshot, TinyPipeline.of(TinyPipeline.network(), SamplerType.DDPM));
  }

  private List<String> choose(String... names) throws IOException {
    return choose(Optional.empty(), names);
  }

  private List<String> choose(Optional<String> variant, String... names) throws IOException {
    return new PipelineFiles("google/cat", variant).choose(List.of(names), snapshot);
  }

  private static String[] pipelineWith(String... others) {
    return Stream.concat(
            Stream.of("model_index.json", "scheduler/scheduler_config.json", "unet/config.json"),
            Stream.of(others))
        .toArray(String[]::new);
  }

  @Test
  void descriptionsComeFirst() throws IOException {
    Files.delete(snapshot.resolve("unet").resolve("config.json"));
    assertThat(choose(pipelineWith("README.md", "pipeline.py", "unet/" + WEIGHTS)))
        .containsExactlyInAnyOrder(pipelineWith());
  }

  @Test
  void thenTheWeightsThatAreBest() throws IOException {
    String[] names =
        pipelineWith(
            "unet/diffusion_pytorch_model.bin",
            "unet/" + WEIGHTS,
            "unet/diffusion_pytorch_model.fp16.safetensors",
            "unet_ema/" + WEIGHTS,
            WEIGHTS);
    assertThat(choose(names)).containsExactlyInAnyOrder(pipelineWith("unet/" + WEIGHTS));
    assertThat(choose(Optional.of("fp16"), names))
        .containsExactlyInAnyOrder(pipelineWith("unet/diffusion_pytorch_model.fp16.safetensors"));
    assertThatIOException()
        .isThrownBy(() -> choose(Optional.of("bf16"), names))
        .withMessage(
            "The model google/cat: there are no weights of the variant bf16; choose one of fp16.");
  }

  @Test
  void thenTheFilesThatAnIndexNames() throws IOException {
    String index = "unet/diffusion_pytorch_model.safetensors.index.json";
    String one = "unet/diffusion_pytorch_model-00001-of-00002.safetensors";
    String two = "unet/diffusion_pytorch_model-00002-of-00002.safetensors";
    assertThat(choose(pipelineWith(index, one, two)))
        .containsExactlyInAnyOrder(pipelineWith(index));
    Files.writeString(
        snapshot.resolve(index),
        "{\"weight_map\": {\"a\": \"%s\", \"b\": \"%s\", \"c\": \"%s\"}}"
            .formatted(one.substring(5), two.substring(5), one.substring(5)));
    assertThat(choose(pipelineWith(index, one, two)))
        .containsExactlyInAnyOrder(pipelineWith(index, one, two));
    assertThatIOException()
        .isThrownBy(() -> choose(pipelineWith(index, one)))
        .withMessageContaining("has no file " + two);
  }

  @Test
  void theFilesOfTheFirstReleasesLieInTheRoot() throws IOException {
    Files.move(
        snapshot.resolve("scheduler/scheduler_config.json"),
        snapshot.resolve("scheduler_config.json"));
    Files.delete(snapshot.resolve("scheduler"));
    for (String file : List.of("config.json", WEIGHTS)) {
      Files.move(snapshot.resolve("unet").resolve(file), snapshot.resolve(file));
    }
    Files.delete(snapshot.resolve("unet"));
    String[] files = {"model_index.json", "scheduler_config.json", "config.json", WEIGHTS};
    assertThat(choose(files)).containsExactlyInAnyOrder(files);
  }

  @Test
  void modelsOfOtherKindsAreRefusedBeforeTheirWeights() throws IOException {
    assertThatIOException()
        .isThrownBy(() -> choose("pytorch_model.bin", "README.md"))
        .withMessageContaining("google/cat has neither config.json nor unet/config.json");
    assertThatIOException()
        .isThrownBy(() -> choose(pipelineWith("unet/flax_model.msgpack")))
        .withMessageContaining("google/cat has no weights beside its unet/config.json");
    Path index = snapshot.resolve("model_index.json");
    Files.writeString(
        index, Files.readString(index).replaceFirst("\\{", "{\"text_encoder\": [\"x\", \"Y\"],"));
    assertThatIOException()
        .isThrownBy(() -> choose(pipelineWith("unet/" + WEIGHTS)))
        .withMessageContaining("text_encoder");
  }

  @Test
  void aModelOfTheCacheDraws() throws IOException {
    Path refs = Files.createDirectories(folder.resolve("models--google--cat").resolve("refs"));
    Files.writeString(refs.resolve("main"), COMMIT);
    HubSettings offline =
        HubSettings.of(Map.of("HF_HUB_CACHE", folder.toString(), "HF_HUB_OFFLINE", "1"), folder);
    try (DiffusionModel model =
        DiffusionModel.ofHub(
            HubName.parse("google/cat"),
            Optional.empty(),
            new Hub(offline, HubListener.NONE),
            Execution.automatic())) {
      assertThat(model.shape().height()).isEqualTo(8);
    }
  }

  @ParameterizedTest
  @CsvSource({"ldm_vq, unet, vqvae", "dit, transformer, vae"})
  void anAutoencodersFilesAreChosen(String pipeline, String network, String between)
      throws IOException {
    Path latent = GoldenPipelinesTest.fixture(pipeline).resolve("pipeline");
    List<String> files =
        List.of(
            "model_index.json",
            "scheduler/scheduler_config.json",
            network + "/config.json",
            network + "/" + WEIGHTS,
            between + "/config.json",
            between + "/" + WEIGHTS);
    List<String> more =
        Stream.concat(files.stream(), Stream.of(between + "/diffusion_pytorch_model.bin")).toList();
    PipelineFiles selection = new PipelineFiles("owner/name", Optional.empty());
    assertThat(selection.choose(more, latent)).containsExactlyInAnyOrderElementsOf(files);
  }
}
