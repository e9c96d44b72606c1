package org.ddpm4j.diffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.AncestralConfig;
import org.ddpm4j.diffusion.config.DdimConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersSampler;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.TinyPipeline;
import org.ddpm4j.diffusion.diffusers.TrainedBetas;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.diffusion.guidance.ClassifierFreeGuidance;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Equation;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Autoencoder;
import org.ddpm4j.unet.AutoencoderFolder;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class DiffusionModelTest {

  private static final ImageShape SHAPE = new ImageShape(1, 8, 4);
  private static final NoiseSchedule COSINE = NoiseSchedule.of(CosineSchedule.paper(), 20);
  private static final NoiseSchedule LONG = NoiseSchedule.of(CosineSchedule.paper(), 40);

  private static final String AUTOENCODER =
      """
      {"_class_name": "VQModel", "block_out_channels": [4, 4], "norm_num_groups": 2,
       "latent_channels": 2, "num_vq_embeddings": 8, "sample_size": 16,
       "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
       "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]}
      """;

  @TempDir private Path folder;

  private static Unet unet(int classEmbeddings, int outChannels) {
    return Unet.create(
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4)
            .withOutChannels(outChannels)
            .withClassEmbeddings(classEmbeddings),
        DataType.FLOAT,
        0);
  }

  private static ModelDescription description(Unet unet, OptionalInt nullClass) {
    return new ModelDescription(
        unet.config(),
        Parameterization.V,
        new ScheduleConfig(ScheduleType.SIGMOID, 20, 1e-3, 0.3),
        SHAPE,
        new Normalization(List.of(0.4), List.of(0.3)),
        List.of("cat", "dog"),
        nullClass);
  }

  @Test
  void refusesMoreNamesThanClasses() {
    try (DiffusionModel model = DiffusionModel.of(unet(3, 1), COSINE, SHAPE)) {
      assertThat(model.withClassNames(List.of("cat", "dog")).classNames())
          .containsExactly("cat", "dog");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> model.withClassNames(List.of("cat", "dog", "cow", "pig")))
          .withMessage(
              "4 names were given for the 3 rows of the network's class embedding; give one for each class.");
    }
  }

  @Test
  void saysWhatItIs() {
    try (DiffusionModel model = DiffusionModel.of(unet(3, 1), COSINE, SHAPE)) {
      assertThat(model)
          .hasToString(
              "DiffusionModel[AnnotatedUnet of "
                  + model.unet().parameters().count()
                  + " parameters predicts epsilon, images 8x4x1, 20 timesteps, 3 rows of classes]");
    }
  }

  private static DiffusersPipeline pipeline(BetaSchedule betas, int timesteps, SamplerType type) {
    return new DiffusersPipeline(
        Unet.create(TinyPipeline.network(), DataType.FLOAT, 3),
        new DiffusersScheduler(
            betas, timesteps, Parameterization.V, SamplerConfig.of(type), X0Clipping.NONE),
        List.of());
  }

  /** The same as its parts put together by hand. */
  @Test
  void drawsByDpmSolverUnlessToldOtherwise() {
    try (DiffusionModel model = DiffusionModel.of(unet(0, 1), LONG, SHAPE)) {
      DpmSolverSampler byHand =
          new DpmSolverSampler(
              NoiseLevels.between(
                  LONG,
                  LevelSpacing.LAMBDA,
                  NoiseLevel.of(LONG, LONG.timesteps() - 1).rho(),
                  NoiseLevel.of(LONG, 0).rho(),
                  20),
              2,
              Equation.ODE,
              X0Constraint.clip(-1, 1));
      INDArray expected = DiffusionPipeline.of(model.unet(), LONG, byHand, SHAPE).sample(3, 5);
      assertThat(model.defaultSteps()).isEqualTo(20);
      assertThat(model.pipeline().sample(3, 5)).isEqualTo(expected);

      List<BufferedImage> pictures = model.sample(3, 5);
      assertThat(pictures).hasSize(3);
      int[] pixels = pictures.get(2).getRaster().getSamples(0, 0, 4, 8, 0, (int[]) null);
      assertThat(pixels)
          .isEqualTo(
              Images.toPicture(expected.slice(2))
                  .getRaster()
                  .getSamples(0, 0, 4, 8, 0, (int[]) null));
    }
  }

  @Test
  void fromAnImageAStrengthIsAShareOfTimesteps() {
    try (DiffusionModel model = DiffusionModel.of(unet(0, 1), LONG, SHAPE)) {
      assertThat(model.defaultSampler(SamplerType.DPM_SOLVER).config())
          .isEqualTo(model.defaultSampler().config());
      assertThat(model.imageToImageSampler().config())
          .isEqualTo(SamplerConfig.of(SamplerType.DPM_SOLVER));
      assertThat(model.imageToImageSampler(SamplerType.DDIM).config())
          .isEqualTo(DdimConfig.usual());
    }
  }

  @Test
  void aLearnedVarianceIsTaken() {
    try (DiffusionModel model = DiffusionModel.of(unet(0, 2), COSINE, SHAPE)) {
      assertThat(model.defaultSampler().config())
          .isEqualTo(AncestralConfig.usual().withVariance(ReverseVariance.LEARNED));
      assertThat(model.defaultSampler(SamplerType.DDIM).config()).isEqualTo(DdimConfig.usual());
      assertThat(model.pipeline(SamplerType.DDIM, 4).sample(2, 0).shape())
          .containsExactly(2, 1, 8, 4);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DiffusionModel.of(unet(0, 3), COSINE, SHAPE))
        .withMessageContaining("answers images of 1 channel with 3");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DiffusionModel.of(unet(0, 1), COSINE, new ImageShape(3, 8, 4)))
        .withMessageContaining("takes images of 1 channel");
  }

  @Test
  void classesTakeTurnsAndAreGuided() {
    Unet unet = unet(3, 1);
    try (DiffusionModel plain = DiffusionModel.of(unet, description(unet, OptionalInt.empty()))) {
      DiffusionModel model = plain.withNullClass(2);
      PathSampler sampler = model.defaultSampler(SamplerType.DDIM).create(model.schedule(), 5);
      int[] inTurn = {0, 1, 0};
      INDArray expected =
          new DiffusionPipeline(
                  ClassConditionalDenoiser.of(unet, Parameterization.V, model.schedule()),
                  sampler,
                  SHAPE)
              .sample(inTurn, 1);
      assertThat(model.pipeline(sampler).sample(3, 1)).isEqualTo(expected);
      assertThat(model.pipeline(sampler).withClassOf(i -> 1).sample(3, 1))
          .isEqualTo(model.pipeline(sampler).sample(new int[] {1, 1, 1}, 1))
          .isNotEqualTo(expected);

      INDArray guided =
          new DiffusionPipeline(
                  ClassifierFreeGuidance.of(
                      unet, Parameterization.V, model.schedule(), 2, Guidance.of(3)),
                  sampler,
                  SHAPE)
              .sample(inTurn, 1);
      assertThat(model.pipeline(sampler, Guidance.of(3)).sample(3, 1)).isEqualTo(guided);
      PathSampler ofType = model.defaultSampler(SamplerType.DDIM).create(model.schedule(), 3);
      assertThat(model.pipeline(SamplerType.DDIM, 3, Guidance.of(3)).sample(3, 1))
          .isEqualTo(model.pipeline(ofType, Guidance.of(3)).sample(3, 1))
          .isNotEqualTo(model.pipeline(SamplerType.DDIM, 3).sample(3, 1));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> plain.pipeline(sampler, Guidance.of(3)))
          .withMessageContaining("withNullClass");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> plain.withNullClass(3))
          .withMessageContaining("The null class cannot be 3");
    }
  }

  @Test
  void withoutNamesTheNullClassDoesNotTakeItsTurn() {
    Unet unet = unet(4, 1);
    try (DiffusionModel model = DiffusionModel.of(unet, COSINE, SHAPE)) {
      assertThat(model.pipeline().classOf().applyAsInt(7)).isEqualTo(3);
      assertThat(model.withNullClass(0).pipeline().classOf().applyAsInt(3)).isEqualTo(1);
      assertThat(model.withClassNames(List.of("a", "b")).pipeline().classOf().applyAsInt(3))
          .isEqualTo(1);
    }
  }

  @Test
  void savesWhatItIs() throws IOException {
    Unet unet = unet(3, 1);
    Path run = folder.resolve("run");
    try (DiffusionModel model = DiffusionModel.of(unet, description(unet, OptionalInt.of(2)))) {
      model.save(run);
      try (DiffusionModel again = DiffusionModel.ofRun(run)) {
        assertThat(again.description()).isEqualTo(model.description());
        assertThat(again.schedule()).isEqualTo(model.schedule());
        assertThat(again.pipeline().sample(2, 4)).isEqualTo(model.pipeline().sample(2, 4));
      }
      assertThatThrownBy(() -> model.save(run))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("not empty");
      assertThatThrownBy(() -> RunFolder.open(run).readConfigToResume())
          .isInstanceOf(IOException.class)
          .hasMessageContaining("was not trained here");
    }
  }

  @Test
  void anotherNetworkInARunIsRefused() throws IOException {
    Path run = folder.resolve("run");
    Unet own = unet(0, 1);
    DiffusionModel.of(own, COSINE, SHAPE).save(run);
    Unet other = unet(3, 1);
    UnetFolder.write(RunFolder.open(run).unet(), other);
    assertThatThrownBy(() -> DiffusionModel.ofRun(run))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(run.toString())
        .hasMessageContaining("take the two that belong together");
    own.close();
    other.close();
  }

  @Test
  void schedulesAreSavedIfTheyHaveANameAndOtherwiseRefused() {
    Unet unet = unet(0, 1);
    for (BetaSchedule betas :
        List.of(LinearSchedule.paper(), CosineSchedule.paper(), new LinearSchedule(0.01, 0.07))) {
      NoiseSchedule schedule = NoiseSchedule.of(betas, 50);
      assertThat(DiffusionModel.of(unet, schedule, SHAPE).description().schedule().create())
          .isEqualTo(schedule);
    }
    DiffusionModel odd = DiffusionModel.of(unet, NoiseSchedule.of(0.1, 0.3, 0.2), SHAPE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> odd.save(folder.resolve("odd")))
        .withMessageContaining("none of the noise schedules");
    assertThat(folder.resolve("odd")).doesNotExist();
    unet.close();
  }

  @Test
  void aPipelineDrawsAsItsFilesSay() throws IOException {
    Path path = folder.resolve("pipeline");
    PipelineFolder.write(path, pipeline(LinearSchedule.paper(), 100, SamplerType.DPM_SOLVER));
    Path file = path.resolve("scheduler/scheduler_config.json");
    Files.writeString(
        file, Files.readString(file).replace("\"solver_order\" : 2", "\"solver_order\" : 3"));
    try (DiffusionModel model = DiffusionModel.ofPipeline(path)) {
      assertThat(model.shape()).isEqualTo(SHAPE);
      assertThat(model.parameterization()).isEqualTo(Parameterization.V);
      assertThat(model.defaultSampler().config().type()).isEqualTo(SamplerType.DPM_SOLVER);
      assertThat(model.defaultSampler().x0Constraint()).isEqualTo(X0Constraint.NONE);
      assertThat(model.defaultSampler(SamplerType.UNIPC).config())
          .isInstanceOfSatisfying(
              SamplerConfig.Ordered.class, config -> assertThat(config.order()).isEqualTo(3));
      DiffusersScheduler own = PipelineFolder.readScheduler(path);
      assertThat(model.pipeline(SamplerType.DPM_SOLVER, 6).sample(2, 1))
          .isEqualTo(model.pipeline(own.create(6)).sample(2, 1));
    }
    Path unet = path.resolve("unet/config.json");
    Files.writeString(unet, Files.readString(unet).replace("[ 8, 4 ]", "null"));
    assertThatThrownBy(() -> DiffusionModel.ofPipeline(path))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("sample_size");
  }

  @Test
  void aPipelineIsARunOfImagesThatNobodySaw() throws IOException {
    DiffusersPipeline pipeline = pipeline(LinearSchedule.paper(), 1000, SamplerType.EULER);
    DiffusionModel model = DiffusionModel.of(pipeline, SHAPE);
    DataDescription data = DataDescription.unseen(DataDescription.UNKNOWN, "elsewhere");
    RunConfig config = RunConfig.untrained("1", model.description(), data);
    RunFolder run = RunFolder.create(folder.resolve("run"), config, pipeline.unet());
    assertThat(run.readConfig()).isEqualTo(config);
    assertThat(config.model().schedule().create()).isEqualTo(pipeline.scheduler().schedule());
    DiffusersSampler euler =
        new DiffusersSampler(SamplerConfig.of(SamplerType.EULER), X0Clipping.NONE);
    try (DiffusionModel back = DiffusionModel.ofRun(run.path())) {
      assertThat(back.toPipeline(euler).scheduler()).isEqualTo(pipeline.scheduler());
    }
    assertThat(model.toPipeline(euler).scheduler()).isEqualTo(pipeline.scheduler());
    model.close();
  }

  /** Whoever closes first: the other goes on. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aModelOfLatentsAndItsPipelineAreClosedEachOfItsOwn(boolean modelFirst) throws IOException {
    Unet2D network =
        Unet2D.of(2, List.of(new Unet2D.Level(8, Unet2D.Block.PLAIN, Unet2D.Block.PLAIN)), 2);
    DiffusersPipeline source =
        new DiffusersPipeline(
            Unet.create(network, DataType.FLOAT, 3),
            Optional.of(
                Autoencoder.create(
                    AutoencoderFolder.configFromJson(AUTOENCODER, "test"),
                    DataType.FLOAT,
                    3,
                    Execution.automatic())),
            new DiffusersScheduler(
                LinearSchedule.paper(),
                20,
                Parameterization.V,
                SamplerConfig.of(SamplerType.DDIM),
                X0Clipping.NONE),
            List.of());
    DiffusionModel model = DiffusionModel.of(source, new ImageShape(3, 16, 16));
    DiffusersPipeline pipeline =
        model.toPipeline(new DiffusersSampler(SamplerConfig.of(SamplerType.DDIM), X0Clipping.NONE));
    INDArray before = model.pipeline(SamplerType.DDIM, 2).sample(1, 5);
    assertThat(before.shape()).containsExactly(1, 3, 16, 16);
    if (modelFirst) {
      model.close();
      try (DiffusionModel other = DiffusionModel.of(pipeline, model.shape())) {
        assertThat(other.pipeline(SamplerType.DDIM, 2).sample(1, 5)).isEqualTo(before);
      }
    } else {
      pipeline.close();
      assertThat(model.pipeline(SamplerType.DDIM, 2).sample(1, 5)).isEqualTo(before);
      model.close();
    }
    for (Autoencoder closed :
        List.of(model.autoencoder().orElseThrow(), pipeline.autoencoder().orElseThrow())) {
      assertThatThrownBy(() -> closed.encode(before)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void betasWithoutANameStayInPipelines() {
    DiffusersPipeline pipeline =
        pipeline(new TrainedBetas(List.of(0.1, 0.3, 0.2)), 3, SamplerType.DDIM);
    try (DiffusionModel model = DiffusionModel.of(pipeline, SHAPE)) {
      assertThat(model.sample(1, 0)).hasSize(1);
      assertThatIllegalArgumentException()
          .isThrownBy(model::description)
          .withMessageContaining("trained_betas");
      DiffusersSampler ddim =
          new DiffusersSampler(SamplerConfig.of(SamplerType.DDIM), X0Clipping.NONE);
      assertThat(model.toPipeline(ddim).scheduler()).isEqualTo(pipeline.scheduler());
    }
  }

  @Test
  void diffusersHasNoOtherNetworksAndNormalizations() {
    DiffusersSampler ddim =
        new DiffusersSampler(SamplerConfig.of(SamplerType.DDIM), X0Clipping.NONE);
    Unet unet = unet(3, 1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DiffusionModel.of(unet, COSINE, SHAPE).toPipeline(ddim))
        .withMessageContaining("AnnotatedUnet");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> DiffusionModel.of(unet, description(unet, OptionalInt.empty())).toPipeline(ddim))
        .withMessageContaining("[-1,1]");
  }

  @Test
  void withoutDdpmModelsNoModelIsBundled() {
    assertThatThrownBy(DiffusionModel::bundled)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("org.ddpm4j:ddpm-models");
  }

  @Test
  void manyThreadsDrawWithOneModel() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (DiffusionModel model = DiffusionModel.of(unet(0, 1), COSINE, SHAPE)) {
      List<Future<INDArray>> drawn = new ArrayList<>();
      for (int seed = 0; seed < 8; seed++) {
        long seedOfThread = seed;
        drawn.add(threads.submit(() -> model.pipeline().sample(3, seedOfThread)));
      }
      for (int seed = 0; seed < 8; seed++) {
        assertThat(drawn.get(seed).get().equalsWithEps(model.pipeline().sample(3, seed), 1e-4))
            .as("seed %d", seed)
            .isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aClosedModelDrawsNoMore() {
    DiffusionModel model = DiffusionModel.of(unet(0, 1), COSINE, SHAPE);
    model.close();
    assertThatThrownBy(() -> model.sample(1, 0)).isInstanceOf(IllegalStateException.class);
  }
}
