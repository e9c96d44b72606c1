package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import onnx.Onnx;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.unet.Autoencoder;
import org.ddpm4j.unet.AutoencoderFolder;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.Unet2D;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Pipelines whose network denoises latents. */
class LatentPipelineTest {

  private static final String AUTOENCODER =
      """
      {"_class_name": "VQModel", "block_out_channels": [4, 4], "norm_num_groups": 2,
       "latent_channels": 2, "num_vq_embeddings": 8, "sample_size": 16,
       "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
       "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]}
      """;

  @TempDir private Path folder;
  private Path pipeline;

  @BeforeEach
  void writePipeline() throws IOException {
    pipeline = folder.resolve("pipeline");
    Unet2D network =
        Unet2D.of(2, List.of(new Unet2D.Level(8, Unet2D.Block.PLAIN, Unet2D.Block.PLAIN)), 2)
            .withSampleSize(new Unet2D.ImageSize(8, 8));
    DiffusersScheduler scheduler =
        new DiffusersScheduler(
            new LinearSchedule(0.01, 0.2),
            20,
            Parameterization.V,
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
          pipeline, new DiffusersPipeline(unet, Optional.of(autoencoder), scheduler, List.of()));
    }
  }

  @Test
  void drawsAnimatesEditsAndDescribes() throws IOException {
    Path grid = folder.resolve("grid.png");
    Cli.run(
            "sample",
            "--model",
            pipeline,
            "--steps",
            2,
            "--count",
            4,
            "--scale",
            1,
            "--output",
            grid)
        .isOk();
    BufferedImage picture = ImageIO.read(grid.toFile());
    assertThat(picture.getWidth()).isBetween(32, 36);
    Path larger = folder.resolve("larger.png");
    Cli.run(
            "sample",
            "--model",
            pipeline,
            "--steps",
            2,
            "--count",
            1,
            "--scale",
            1,
            "--size",
            "24x32",
            "--output",
            larger)
        .isOk();
    assertThat(ImageIO.read(larger.toFile()).getWidth()).isBetween(32, 34);
    Path gif = folder.resolve("x.gif");
    Cli.run(
            "sample",
            "--model",
            pipeline,
            "--steps",
            2,
            "--count",
            1,
            "--format",
            "gif",
            "--output",
            gif)
        .isOk();
    assertThat(gif).isNotEmptyFile();
    Path single = folder.resolve("single");
    Cli.run(
            "sample",
            "--model",
            pipeline,
            "--steps",
            2,
            "--count",
            1,
            "--format",
            "png",
            "--output",
            single)
        .isOk();
    Cli.run(
            "image-to-image",
            "--model",
            pipeline,
            "--image",
            single.resolve("0000.png"),
            "--count",
            1,
            "--strength",
            "0.5",
            "--output",
            folder.resolve("edited.png"))
        .isOk();
    assertThat(Cli.run("info", pipeline).isOk().out())
        .contains("autoencoder", "VQModel", "2 by 2 pixels", "one of 8", "16x16x3");
  }

  @Test
  void convertsToItself() throws IOException {
    Path again = folder.resolve("again");
    Cli.run("convert", "--model", pipeline, "--to", "diffusers", "--output", again).isOk();
    for (String file : List.of("model_index.json", "vqvae/config.json", "unet/config.json")) {
      assertThat(again.resolve(file)).hasSameTextualContentAs(pipeline.resolve(file));
    }
    String weights = "vqvae/diffusion_pytorch_model.safetensors";
    assertThat(again.resolve(weights)).hasSameBinaryContentAs(pipeline.resolve(weights));
    Cli.run("convert", "--model", pipeline, "--to", "run", "--output", folder.resolve("run"))
        .isBadInput("no place for an autoencoder");
    Cli.run("train", "--from", pipeline, "--run", folder.resolve("trained"))
        .isBadInput("denoises latents");
  }

  /** OnnxFileTest asks ONNX Runtime what is in them. */
  @Test
  void itsHalvesBecomeGraphs() throws IOException {
    assertThat(graph("decoder")).isEqualTo(List.of(2L, 8L, 8L, 3L, 16L, 16L));
    assertThat(graph("encoder", "--size", "8x12")).isEqualTo(List.of(3L, 8L, 12L, 2L, 4L, 6L));
    Path file = folder.resolve("x.onnx");
    Object[] convert = {"convert", "--to", "onnx", "--output", file, "--part", "decoder"};
    Cli.run(with(convert, "--model", pipeline, "--size", "9x16"))
        .isBadInput("makes no images of 9x16", "multiples of 2");
    Cli.run(with(convert, "--model", pipeline.resolve("unet")))
        .isBadInput("has no autoencoder", "leave out --part");
    assertThat(file).doesNotExist();
  }

  /** Shapes of an image of what goes in and of what comes out. */
  private List<Long> graph(String part, Object... options) throws IOException {
    Path file = folder.resolve(part + ".onnx");
    Object[] convert = {
      "convert", "--model", pipeline, "--to", "onnx", "--part", part, "--output", file
    };
    Cli.run(with(convert, options)).isOk();
    try (InputStream stream = Files.newInputStream(file)) {
      Onnx.GraphProto graph = Onnx.ModelProto.parseFrom(stream).getGraph();
      assertThat(graph.getInputList())
          .extracting(Onnx.ValueInfoProto::getName)
          .containsExactly("x");
      return Stream.of(graph.getInput(0), graph.getOutput(0))
          .flatMap(
              value -> value.getType().getTensorType().getShape().getDimList().stream().skip(1))
          .map(Onnx.TensorShapeProto.Dimension::getDimValue)
          .toList();
    }
  }

  private static Object[] with(Object[] args, Object... more) {
    return Stream.concat(Arrays.stream(args), Arrays.stream(more)).toArray();
  }

  @ParameterizedTest
  @ValueSource(strings = {"inpaint", "interpolate", "invert"})
  void whatWorksOnPixelsIsRefused(String command) throws IOException {
    Path image = folder.resolve("image.png");
    ImageIO.write(new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB), "png", image.toFile());
    String[] images = {"--image", image.toString()};
    Object[] args =
        command.equals("interpolate")
            ? new Object[] {command, "--model", pipeline, "--from", image, "--to", image}
            : new Object[] {command, "--model", pipeline, images[0], images[1]};
    if (command.equals("inpaint")) {
      args = Stream.concat(Arrays.stream(args), Stream.of("--mask-box", "2,2,4,4")).toArray();
    }
    Cli.run(args).isBadInput("denoises latents");
  }

  @ParameterizedTest
  @CsvSource({
    "model_index.json, VQModel, AutoencoderTiny, 'vqvae is'",
    "vqvae/config.json, '\"latent_channels\" : 2', '\"latent_channels\" : 2, \"norm_type\" : \"spatial\"', ''",
    "vqvae/config.json, '\"vq_embed_dim\" : null', '\"vq_embed_dim\" : 3', 'has the shape'",
    "vqvae/config.json, UpDecoderBlock2D, UpBlock2D, 'up_block_types has an entry that is \"UpBlock2D\"'",
    "unet/config.json, '\"in_channels\" : 2', '\"in_channels\" : 3', 'has the shape'",
  })
  void whatDoesNotFitIsTold(String file, String text, String by, String message)
      throws IOException {
    Path path = pipeline.resolve(file);
    String before = Files.readString(path);
    assertThat(before).contains(text);
    Files.writeString(path, before.replace(text, by));
    Cli.run("sample", "--model", pipeline, "--output", folder.resolve("x.png")).isBadInput(message);
  }

  @Test
  void aMissingAutoencoderIsTold() throws IOException {
    Files.delete(pipeline.resolve("vqvae/config.json"));
    Cli.run("sample", "--model", pipeline).isBadInput("names an autoencoder", "vqvae");
  }

  @Test
  void imagesOfAnotherSizeThanLatentsMakeAreRefused() {
    Cli.run("sample", "--model", pipeline, "--size", "15x16")
        .isBadInput("makes no images of 15x16x3", "multiples of 2");
  }
}
