package org.ddpm4j.diffusion.diffusers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.VarianceExplodingSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

class PipelineFolderTest {

  @TempDir private Path folder;

  private DiffusersPipeline read(Path path) throws IOException {
    return PipelineFolder.read(path, DataType.FLOAT, Execution.automatic());
  }

  /** diffusers' pipelines fail of such with a TypeError, or draw nothing. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DDIM | | The network has no sample_size, which diffusers' DDIMPipeline draws by",
        "DDPM | | The network has no sample_size, which diffusers' DDPMPipeline draws by",
        "SCORE_SDE | 8x4 | sample_size is 8x4, and diffusers' ScoreSdeVePipeline draws squares",
        "KARRAS_VE | 8x4 | sample_size is 8x4, and diffusers' KarrasVePipeline draws squares",
        "SCORE_SDE | 8x8 | images of 1 channel, and diffusers' ScoreSdeVePipeline draws those of 3",
        "KARRAS_VE | 8x8 | images of 1 channel, and diffusers' KarrasVePipeline draws those of 3"
      })
  void refusesWhatDiffusersCannotDraw(SamplerType type, String size, String part) {
    int[] sizes =
        size == null ? null : Stream.of(size.split("x")).mapToInt(Integer::parseInt).toArray();
    Unet2D network =
        TinyPipeline.network()
            .withSampleSize(sizes == null ? null : new Unet2D.ImageSize(sizes[0], sizes[1]));
    boolean explodes = type == SamplerType.SCORE_SDE || type == SamplerType.KARRAS_VE;
    DiffusersScheduler scheduler =
        new DiffusersScheduler(
            explodes ? VarianceExplodingSchedule.diffusers() : LinearSchedule.paper(),
            1000,
            explodes ? Parameterization.SCORE : Parameterization.EPSILON,
            SamplerConfig.of(type),
            X0Clipping.NONE);
    try (DiffusersPipeline pipeline =
        new DiffusersPipeline(Unet.create(network, DataType.FLOAT, 3), scheduler, List.of())) {
      Path there = folder.resolve("pipeline");
      assertThatThrownBy(() -> PipelineFolder.write(there, pipeline))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(part);
      assertThat(there).doesNotExist();
    }
  }

  @Test
  void readsWhatItWrites() throws IOException {
    DiffusersPipeline written =
        TinyPipeline.of(
            TinyPipeline.network().withClassEmbeddings(3), SamplerType.DDIM, "cat", "dog");
    Path path = folder.resolve("pipeline");
    PipelineFolder.write(path, written);
    assertThat(Files.readString(path.resolve("model_index.json")))
        .contains("DDIMPipeline", "DDIMScheduler", "UNet2DModel");
    DiffusersPipeline again = read(path);
    assertThat(again.scheduler()).isEqualTo(written.scheduler());
    assertThat(again.classNames()).containsExactly("cat", "dog");
    assertThat(again.unet().config()).isEqualTo(written.unet().config());
    assertThat(again.shape()).contains(new ImageShape(1, 8, 4));
    assertThat(again.unet().parameters().toPyTorch())
        .isEqualTo(written.unet().parameters().toPyTorch());
  }

  @Test
  void pipelinesOfTheFirstReleasesHaveTheirFilesInTheFolderItself() throws IOException {
    Path path = folder.resolve("pipeline");
    DiffusersPipeline written = TinyPipeline.of(TinyPipeline.network(), SamplerType.DDIM);
    PipelineFolder.write(path, written);
    for (String part : List.of("unet", "scheduler")) {
      try (Stream<Path> files = Files.list(path.resolve(part))) {
        for (Path file : files.toList()) {
          Files.move(file, path.resolve(file.getFileName()));
        }
      }
      Files.delete(path.resolve(part));
    }
    assertThat(PipelineFolder.isPipeline(path)).isTrue();
    assertThat(PipelineFolder.unet(path)).isEqualTo(path);
    DiffusersPipeline again = read(path);
    assertThat(again.scheduler()).isEqualTo(written.scheduler());
    assertThat(again.unet().parameters().toPyTorch())
        .isEqualTo(written.unet().parameters().toPyTorch());
  }

  @Test
  void aCheckpointOfTheTrainingScriptIsTold() throws IOException {
    Path path = folder.resolve("pipeline");
    PipelineFolder.write(path, TinyPipeline.of(TinyPipeline.network(), SamplerType.DDPM));
    Files.delete(path.resolve("model_index.json"));
    Files.delete(path.resolve("scheduler").resolve("scheduler_config.json"));
    Files.delete(path.resolve("scheduler"));
    assertThatThrownBy(() -> read(path))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("for example " + path.resolve("unet") + ".");
    Files.createDirectory(path.resolve("unet_ema"));
    assertThatThrownBy(() -> read(path))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("for example " + path.resolve("unet_ema") + ".");
  }

  @Test
  void theIndexMayBeMissing() throws IOException {
    Path path = folder.resolve("pipeline");
    PipelineFolder.write(path, TinyPipeline.of(TinyPipeline.network(), SamplerType.UNIPC));
    Files.delete(path.resolve("model_index.json"));
    assertThat(PipelineFolder.isPipeline(path)).isTrue();
    assertThat(read(path).scheduler()).isEqualTo(TinyPipeline.scheduler(SamplerType.UNIPC));
    assertThat(PipelineFolder.readScheduler(path))
        .isEqualTo(TinyPipeline.scheduler(SamplerType.UNIPC));
  }

  /** The keys that EMAModel of diffusers 0.21 writes into unet_ema/config.json. */
  @Test
  void theStateOfAnAverageIsNoPartOfTheNetwork() throws IOException {
    Path path = folder.resolve("pipeline");
    PipelineFolder.write(path, TinyPipeline.of(TinyPipeline.network(), SamplerType.DDPM));
    Path config = path.resolve("unet").resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceFirst(
                "\\{",
                """
                {"decay": 0.9999, "min_decay": 0.0, "inv_gamma": 1.0, "power": 0.75,
                "update_after_step": 0, "optimization_step": 500, "use_ema_warmup": true,
                """));
    assertThat(read(path).unet().config()).isEqualTo(TinyPipeline.network());
  }

  @Test
  void neverOverwrites() throws IOException {
    Files.writeString(folder.resolve("mine"), "");
    assertThatThrownBy(
            () ->
                PipelineFolder.write(
                    folder, TinyPipeline.of(TinyPipeline.network(), SamplerType.DDPM)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not empty");
    assertThat(folder).isDirectoryNotContaining("glob:**/unet");
  }

  @Test
  void aDdimPipelineDrawsByDdimWhateverItsScheduler() throws IOException {
    Path path = folder.resolve("pipeline");
    PipelineFolder.write(path, TinyPipeline.of(TinyPipeline.network(), SamplerType.DDPM));
    Path index = path.resolve("model_index.json");
    Files.writeString(
        index, Files.readString(index).replace("\"DDPMPipeline\"", "\"DDIMPipeline\""));
    assertThat(PipelineFolder.readScheduler(path).sampler().type()).isEqualTo(SamplerType.DDIM);
  }

  @Test
  void anotherSamplerIsMadeOfTheFileAsFromConfigDoes() throws IOException {
    Path path = folder.resolve("pipeline");
    PipelineFolder.write(path, TinyPipeline.of(TinyPipeline.network(), SamplerType.DPM_SOLVER));
    Path file = path.resolve("scheduler").resolve("scheduler_config.json");
    Files.writeString(
        file, Files.readString(file).replace("\"solver_order\" : 2", "\"solver_order\" : 3"));
    DiffusersPipeline pipeline = read(path);
    DiffusersSampler sampler = pipeline.sampler(SamplerType.UNIPC);
    assertThat(sampler.config().type()).isEqualTo(SamplerType.UNIPC);
    assertThat(sampler.config())
        .isInstanceOfSatisfying(
            SamplerConfig.Ordered.class, config -> assertThat(config.order()).isEqualTo(3));
    assertThat(pipeline.sampler(SamplerType.DPM_SOLVER_SDE).config().type())
        .isEqualTo(SamplerType.DPM_SOLVER_SDE);
  }

  @Test
  void codeOfTheFolderIsLeftAlone() throws IOException {
    Path path = folder.resolve("pipeline");
    PipelineFolder.write(path, TinyPipeline.of(TinyPipeline.network(), SamplerType.DDPM));
    Files.writeString(path.resolve("pipeline.py"), "raise SystemExit");
    assertThat(read(path).shape()).isPresent();
  }

  @Test
  void diffusersHasNoOtherNetworks() {
    Unet unet = Unet.create(AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4), DataType.FLOAT, 0);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new DiffusersPipeline(unet, TinyPipeline.scheduler(SamplerType.DDPM), List.of()))
        .withMessageContaining("AnnotatedUnet");
  }
}
