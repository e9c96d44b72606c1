package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.unet.Autoencoder;
import org.ddpm4j.unet.AutoencoderFolder;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.DiffusionTransformer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Pipelines whose network is a transformer of classes. */
class TransformerPipelineTest {

  private static final String AUTOENCODER =
      """
      {"_class_name": "AutoencoderKL", "block_out_channels": [4], "norm_num_groups": 2,
       "latent_channels": 2}
      """;

  @TempDir private Path folder;
  private Path pipeline;

  @BeforeEach
  void writePipeline() throws IOException {
    pipeline = folder.resolve("pipeline");
    DiffusionTransformer network =
        new DiffusionTransformer(
            new DiffusionTransformer.Images(8, 2, 4, 2),
            new DiffusionTransformer.Blocks(1, 2, 4, Activation.GELU_TANH, 1e-5, 0),
            2);
    DiffusersScheduler scheduler =
        new DiffusersScheduler(
            new LinearSchedule(0.01, 0.2),
            20,
            Parameterization.EPSILON,
            SamplerConfig.of(SamplerType.DDIM),
            X0Clipping.NONE);
    try (Autoencoder autoencoder =
            Autoencoder.create(
                AutoencoderFolder.configFromJson(AUTOENCODER, "test"),
                DataType.FLOAT,
                3,
                Execution.automatic());
        Unet unet = Unet.create(network, DataType.FLOAT, 0)) {
      PipelineFolder.write(
          pipeline,
          new DiffusersPipeline(unet, Optional.of(autoencoder), scheduler, List.of("cat", "dog")));
    }
  }

  @Test
  void drawsAClassWithGuidanceAndConvertsToItself() throws IOException {
    assertThat(Files.readString(pipeline.resolve("model_index.json")))
        .contains("DiTPipeline", "\"transformer\"", "\"vae\"");
    Path grid = folder.resolve("grid.png");
    Cli.run(
            "sample",
            "--model",
            pipeline,
            "--steps",
            2,
            "--count",
            2,
            "--class",
            "dog",
            "--guidance",
            4,
            "--output",
            grid)
        .isOk();
    assertThat(grid).isNotEmptyFile();
    assertThat(Cli.run("info", pipeline).isOk().out())
        .contains("DiTTransformer2DModel", "1 block of 2 heads of 4", "AutoencoderKL", "cat, dog");
    Path again = folder.resolve("again");
    Cli.run("convert", "--model", pipeline, "--to", "diffusers", "--output", again).isOk();
    for (String file : List.of("model_index.json", "transformer/config.json", "vae/config.json")) {
      assertThat(again.resolve(file)).hasSameTextualContentAs(pipeline.resolve(file));
    }
    String weights = "transformer/diffusion_pytorch_model.safetensors";
    assertThat(again.resolve(weights)).hasSameBinaryContentAs(pipeline.resolve(weights));
  }

  /** As facebook/DiT-XL-2-256 has them. */
  @Test
  void theIndexMayNameClasses() throws IOException {
    Files.delete(pipeline.resolve("class_names.json"));
    Path index = pipeline.resolve("model_index.json");
    String before = Files.readString(index);
    Files.writeString(
        index,
        before.replaceFirst(
            "\\{", "{\"id2label\": {\"0\": \"tench, Tinca tinca\", \"1\": \"goldfish\"},"));
    assertThat(Cli.run("info", pipeline).isOk().out()).contains("tench, goldfish");
    Files.writeString(index, before.replaceFirst("\\{", "{\"id2label\": {\"1\": \"goldfish\"},"));
    Cli.run("info", pipeline).isBadInputAtEnd("id2label has 1 entry, but none for class 0");
    Files.writeString(index, before.replace("DiTTransformer2DModel", "PixArtTransformer2DModel"));
    Cli.run("info", pipeline).isBadInputAtEnd("transformer is", "\"DiTTransformer2DModel\"");
  }
}
