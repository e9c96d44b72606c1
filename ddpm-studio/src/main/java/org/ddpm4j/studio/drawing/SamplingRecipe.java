package org.ddpm4j.studio.drawing;

import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.model.DefaultSampler;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Images of noise, as {@code ddpm sample} draws them.
 *
 * @param sampler which one, or empty for the model's own
 * @param steps of the sampler
 * @param guidance towards the class; none if {@link Guidance#NONE}
 */
public record SamplingRecipe(Optional<SamplerType> sampler, int steps, Guidance guidance)
    implements Recipe {

  /** Checks that nothing is missing. */
  public SamplingRecipe {
    Objects.requireNonNull(sampler, "sampler");
    Objects.requireNonNull(guidance, "guidance");
  }

  @Override
  public void requireDrawable(DiffusionModel model) {
    pipeline(model);
  }

  @Override
  public int steps(DiffusionModel model) {
    return steps;
  }

  private PathSampler path(DiffusionModel model) {
    DefaultSampler chosen = sampler.map(model::defaultSampler).orElseGet(model::defaultSampler);
    return chosen.create(model.schedule(), steps);
  }

  private DiffusionPipeline pipeline(DiffusionModel model) {
    return model.pipeline(path(model), guidance);
  }

  @Override
  public INDArray draw(
      DiffusionModel model,
      int[] labels,
      NoiseSource noise,
      Cancellation cancellation,
      SamplingObserver observer) {
    DiffusionPipeline pipeline = pipeline(model);
    Denoiser denoiser = cancellation.guard(pipeline.denoiser().withClasses(labels));
    return pipeline
        .sampler()
        .sample(denoiser, noise, observer, model.shape().ofBatch(labels.length));
  }
}
