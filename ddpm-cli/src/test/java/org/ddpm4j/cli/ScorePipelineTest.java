package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Pipelines whose network predicts the score of images with noise upon them. */
class ScorePipelineTest {

  private static final String NETWORK =
      """
      {"_class_name": "UNet2DModel", "sample_size": 8, "in_channels": 3, "out_channels": 3,
       "center_input_sample": true, "time_embedding_type": "fourier", "block_out_channels": [4, 8],
       "down_block_types": ["SkipDownBlock2D", "SkipDownBlock2D"],
       "up_block_types": ["SkipUpBlock2D", "SkipUpBlock2D"], "layers_per_block": 1,
       "mid_block_type": null, "attention_head_dim": null, "norm_num_groups": null}
      """;

  private static final String SCHEDULER =
      """
      {"_class_name": "ScoreSdeVeScheduler", "num_train_timesteps": 50, "sigma_min": 0.02,
       "sigma_max": 5}
      """;

  @TempDir private Path folder;
  private Path pipeline;

  @BeforeEach
  void writePipeline() throws IOException {
    pipeline = folder.resolve("pipeline");
    try (Unet unet = Unet.create(UnetFolder.configFromJson(NETWORK, "test"), DataType.FLOAT, 4)) {
      DiffusersScheduler scheduler = DiffusersScheduler.fromJson(SCHEDULER, "test");
      PipelineFolder.write(pipeline, new DiffusersPipeline(unet, scheduler, List.of()));
    }
  }

  private Path draw(String from, Path model) {
    Path images = folder.resolve(model.getFileName() + ".safetensors");
    Cli.run(
            "sample",
            from,
            model,
            "--count",
            2,
            "--steps",
            3,
            "--sampler",
            "score-sde",
            "--clip",
            "none",
            "--format",
            "safetensors",
            "--output",
            images)
        .isOk();
    return images;
  }

  @Test
  void aTrainingChoosesTheEndsOfItsNoise() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 1);
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 1, "--schedule", "variance-exploding", "--sigma-max", 20))
        .isOk();
    assertThat(Cli.run("info", run).isOk().out())
        .contains("variance-exploding, T = 6, sigma to 20.0");
    assertThat(RunFolder.open(run).readConfig().model().schedule().create().snr(5))
        .isCloseTo(1.0 / 400, withinPercentage(1e-6));
  }

  @Test
  void becomesARunAndAPipelineAgain() throws IOException {
    assertThat(Cli.run("info", pipeline).isOk().out())
        .contains("variance-exploding, T = 50, sigma from 0.02 to 5.0", "score");
    Path run = folder.resolve("run");
    Cli.run("convert", "--model", pipeline, "--to", "run", "--output", run).isOk();
    assertThat(Cli.run("info", run).isOk().out())
        .contains("variance-exploding, T = 50, sigma from 0.02 to 5.0");
    assertThat(draw("--run", run)).hasSameBinaryContentAs(draw("--model", pipeline));

    Path again = folder.resolve("again");
    Cli.run("convert", "--run", run, "--to", "diffusers", "--clip", "none", "--output", again)
        .isOk();
    for (String file :
        List.of("model_index.json", "scheduler/scheduler_config.json", "unet/config.json")) {
      assertThat(Files.readString(again.resolve(file)))
          .isEqualTo(Files.readString(pipeline.resolve(file)));
    }
  }
}
