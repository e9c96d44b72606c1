package org.ddpm4j.diffusion.diffusers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.unet.Autoencoder;
import org.ddpm4j.unet.Execution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Pipelines that diffusers saved, and what its own pipelines drew of a noise, from {@code
 * bench/make_pipeline_fixtures.py}.
 */
class GoldenPipelinesTest {

  private static final int STEPS = 5;

  /** Of networks that know classes. */
  private static final int CLASS = 2;

  @TempDir private Path folder;

  static Stream<String> pipelines() {
    return Stream.of("ldm_vq", "ldm_kl", "score_sde", "karras_ve", "dit");
  }

  static Path fixture(String name) {
    return Path.of(GoldenPipelinesTest.class.getResource(name + "/io.safetensors").getPath())
        .getParent();
  }

  private static void assertDrawsAsDiffusers(String name, Path pipeline) throws IOException {
    try (DiffusionModel model =
            DiffusionModel.ofPipeline(pipeline, Optional.empty(), Execution.automatic());
        SafetensorsReader io = SafetensorsReader.open(fixture(name).resolve("io.safetensors"))) {
      DiffusionPipeline drawing =
          model.pipeline(
              model.defaultSampler().create(model.schedule(), STEPS),
              model.isClassConditional() ? Guidance.of(3) : Guidance.NONE);
      INDArray noise = io.tensor("noise");
      INDArray images =
          Nd4j.concat(0, draw(drawing, noise.slice(0)), draw(drawing, noise.slice(1)));
      assertThat(images.shape()).isEqualTo(model.shape().ofBatch(2));
      boolean isSymmetric = model.normalization().equals(Normalization.SYMMETRIC);
      INDArray shown = isSymmetric ? images.mul(0.5).add(0.5) : images;
      INDArray expected = io.tensor("pixels");
      double deviation = expected.stdNumber().doubleValue();
      assertThat(deviation).isGreaterThan(0.05);
      double largest = Transforms.abs(shown.sub(expected)).maxNumber().doubleValue();
      assertThat(largest).isLessThan(1e-4 * deviation);
    }
  }

  /** All noise but the first is the first backwards. */
  private static INDArray draw(DiffusionPipeline pipeline, INDArray noise) {
    INDArray first = noise.reshape(1, noise.size(0), noise.size(1), noise.size(2)).dup();
    INDArray states =
        pipeline
            .sampler()
            .sample(
                pipeline.denoiser().withClasses(CLASS),
                (step, shape) -> step == 0 ? first.dup() : flipped(first),
                SamplingObserver.NONE,
                first.shape());
    return pipeline.decoder().map(decoder -> decoder.decode(states)).orElse(states);
  }

  private static INDArray flipped(INDArray images) {
    INDArray flipped = images.dup();
    long width = images.size(3);
    for (long i = 0; i < width; i++) {
      INDArray column =
          images.get(
              NDArrayIndex.all(),
              NDArrayIndex.all(),
              NDArrayIndex.all(),
              NDArrayIndex.point(width - 1 - i));
      flipped
          .get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(i))
          .assign(column);
    }
    return flipped;
  }

  @ParameterizedTest
  @MethodSource("pipelines")
  void drawsAsDiffusers(String name) throws IOException {
    assertDrawsAsDiffusers(name, fixture(name).resolve("pipeline"));
  }

  @ParameterizedTest
  @MethodSource("pipelines")
  void drawsTheSameOfWhatItWrites(String name) throws IOException {
    try (DiffusersPipeline pipeline =
        PipelineFolder.read(
            fixture(name).resolve("pipeline"), DataType.FLOAT, Execution.automatic())) {
      PipelineFolder.write(folder.resolve("again"), pipeline);
    }
    assertDrawsAsDiffusers(name, folder.resolve("again"));
  }

  @Test
  void theIndexOfATransformerNamesClasses() throws IOException {
    try (DiffusionModel model = DiffusionModel.ofPipeline(fixture("dit").resolve("pipeline"))) {
      assertThat(model.nullClass()).hasValue(1000);
    }
  }

  /** The mean of a Gaussian, which is scaled on the way in and out. */
  @Test
  void aModelOfLatentsEncodesAndDecodes() throws IOException {
    try (DiffusionModel model = DiffusionModel.ofPipeline(fixture("ldm_kl").resolve("pipeline"))) {
      assertThat(model.isLatent()).isTrue();
      assertThat(model.shape()).hasToString("8x8x3");
      assertThat(model.stateShape()).hasToString("4x4x2");
      INDArray images = Nd4j.linspace(DataType.FLOAT, -1, 1.0 / 96, 192).reshape(1, 3, 8, 8);
      INDArray latents = model.encode(images);
      assertThat(latents.shape()).containsExactly(1, 2, 4, 4);
      Autoencoder autoencoder = model.autoencoder().orElseThrow();
      INDArray moments =
          autoencoder.encoder().predict(images, Nd4j.zeros(DataType.FLOAT, 1)).mul(1.3);
      assertThat(latents.getDouble(0, 1, 2, 3)).isEqualTo(moments.getDouble(0, 1, 2, 3));
      assertThat(model.decode(latents).shape()).containsExactly(1, 3, 8, 8);
    }
  }
}
