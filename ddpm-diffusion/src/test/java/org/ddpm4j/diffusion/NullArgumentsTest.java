package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.editing.Interpolation;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.DdimSampler;
import org.ddpm4j.diffusion.sampling.InitialNoise;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PndmSampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.diffusion.training.BatchSource;
import org.ddpm4j.diffusion.training.CheckpointFolder;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.RespacedSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What most programs call names an argument that is missing, at once and not steps later. */
class NullArgumentsTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(CosineSchedule.paper(), 10);
  private static final ImageShape SHAPE = new ImageShape(1, 4, 4);
  private static final TrainingConfig CONFIG = TrainingConfig.defaults(1);
  private static final BatchSource DATA = step -> null;
  private static final SamplingOptions DEFAULTS = SamplingOptions.defaults();
  private static final int[] T = {1};

  private static Arguments missing(String name, ThrowingCallable call) {
    return Arguments.of(name, call);
  }

  static Stream<Arguments> calls() {
    INDArray image = Nd4j.zeros(DataType.FLOAT, 1, 1, 4, 4);
    Unet unet = Unet.create(AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4), DataType.FLOAT, 0);
    DiffusionModel model = DiffusionModel.of(unet, SCHEDULE, SHAPE);
    DiffusionPipeline pipeline = model.pipeline(SamplerType.DDIM, 2);
    ForwardProcess forward = new ForwardProcess(SCHEDULE);
    Trainer trainer = new Trainer(unet, SCHEDULE, CONFIG, DATA);
    return Stream.of(
        missing("schedule", () -> NoiseSchedule.of((BetaSchedule) null, 3)),
        missing("betas", () -> NoiseSchedule.of(timesteps -> null, 3)),
        missing("betas", () -> NoiseSchedule.of((double[]) null)),
        missing("kept", () -> SCHEDULE.respace(null)),
        missing("timesteps", () -> new RespacedSchedule(SCHEDULE, null)),
        missing("wanted", () -> ClassNames.of(List.of("cat")).find(null)),
        missing("names", () -> ClassNames.of(null)),
        missing("levels", () -> new DdimSampler(null, 0, X0Constraint.NONE)),
        missing("path", () -> new DdimSampler(null, 0, InitialNoise.STANDARD, X0Constraint.NONE)),
        missing("levels", () -> new NoiseLevels(null, InitialNoise.STANDARD)),
        missing("levels", () -> PndmSampler.plms(null, X0Constraint.NONE)),
        missing("type", () -> SamplerConfig.of(null)),
        missing("mean", () -> new Normalization(null, List.of(1.0))),
        missing("images", () -> Images.toPictures(null, Normalization.UNIT)),
        missing("normalization", () -> Images.grid(image, 1, 1, null)),
        missing("iterator", () -> BatchSource.of(null)),
        missing("unet", () -> DiffusionPipeline.of(null, SCHEDULE, null, SHAPE)),
        missing("pipeline", () -> PipelineFolder.write(Path.of("nowhere"), null)),
        missing("terms", () -> BatchArithmetic.combine(new double[] {1}, null)),
        missing("factors", () -> BatchArithmetic.combine(null, List.of(image))),
        missing("y", () -> BatchArithmetic.combine(1, image, 1, null)),
        missing("b", () -> BatchArithmetic.combinePerImage(new double[1], image, null, image)),
        missing("x", () -> BatchArithmetic.scale(2, null)),
        missing("to", () -> BatchArithmetic.towards(image, null, 1)),
        missing("y", () -> BatchArithmetic.addScaled(image, 1, null)),
        missing("factors", () -> BatchArithmetic.scalePerImage(image, (double[]) null)),
        missing("x", () -> BatchArithmetic.standardDeviations(null)),
        missing("x", () -> BatchArithmetic.clip(null, 0, 1)),
        missing("x", () -> BatchArithmetic.twice(null)),
        missing("x", () -> BatchArithmetic.isFinite(null)),
        missing("x", () -> BatchArithmetic.floats(null)),
        missing("dimMults", () -> AnnotatedUnet.resnet(8, 1, null, 4)),
        missing("config", () -> Unet.create(null, DataType.FLOAT, 0)),
        missing("folder", () -> DiffusionModel.ofPipeline(null)),
        missing("path", () -> DiffusionModel.ofRun(null)),
        missing("folder", () -> model.save(null)),
        missing("sampler", () -> model.toPipeline(null)),
        missing("names", () -> model.withClassNames(null)),
        missing("type", () -> model.pipeline(null, 5)),
        missing("guidance", () -> model.denoiser((Guidance) null)),
        missing(
            "normalization",
            () -> DiffusionModel.of(unet, Parameterization.V, SCHEDULE, SHAPE, null)),
        missing("classes", () -> pipeline.sample((int[]) null, 1)),
        missing("classes", () -> pipeline.sample(null, 1, 1, SamplingObserver.NONE)),
        missing("options", () -> pipeline.sample(1, 1, null)),
        missing("options", () -> pipeline.sample(T, 1, null)),
        missing("options", () -> pipeline.pictures(1, 1, null)),
        missing("options", () -> pipeline.sampleFrom(image, 1, null)),
        missing("observer", () -> pipeline.sample(1, 1, 1, null)),
        missing("noise", () -> pipeline.sampleFrom(null, 1, DEFAULTS)),
        missing("initial", () -> NoiseSource.startingFrom(null, NoiseSource.seeded(1, 0))),
        missing("schedule", () -> new ForwardProcess(null)),
        missing("images", () -> forward.qSample(null, T, image)),
        missing("t", () -> forward.qSample(image, (int[]) null, image)),
        missing("noise or prediction", () -> forward.qSample(image, T, null)),
        missing("schedule", () -> NoiseLevels.of(null, TimestepSpacing.LEADING, 2)),
        missing("spacing", () -> NoiseLevels.of(SCHEDULE, null, 2)),
        missing("a", () -> Interpolation.LINEAR.path(null, image, 2)),
        missing("b", () -> Interpolation.LINEAR.path(image, null, 2)),
        missing("image", () -> Images.toPicture(null)),
        missing("images", () -> Images.grid(null, 1, 1)),
        missing("unet", () -> new Trainer(null, SCHEDULE, CONFIG, DATA)),
        missing("schedule", () -> new Trainer(unet, (NoiseSchedule) null, CONFIG, DATA)),
        missing("objective", () -> new Trainer(unet, (Objective) null, CONFIG, DATA)),
        missing("config", () -> new Trainer(unet, SCHEDULE, null, DATA)),
        missing("data", () -> new Trainer(unet, SCHEDULE, CONFIG, (BatchSource) null)),
        missing("listener", () -> trainer.withListener(null)),
        missing("images", () -> trainer.withValidation(null)),
        missing("checkpoint", () -> trainer.resume(null)),
        missing("path", () -> new CheckpointFolder(null, 1)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void namesWhatIsMissing(String name, ThrowingCallable call) {
    assertThatNullPointerException().isThrownBy(call).withMessage(name);
  }
}
