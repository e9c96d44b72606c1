package org.ddpm4j.studio.drawing;

import java.util.Optional;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.editing.ImageToImageSampler;
import org.ddpm4j.diffusion.model.DefaultSampler;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Images of a noisy image, as {@code ddpm image-to-image} draws them. Equal to itself alone. */
public final class ImageToImageRecipe implements Recipe {

  private final Optional<SamplerType> type;
  private final SamplerConfig.Part part;
  private final INDArray image;

  /**
   * A recipe.
   *
   * @param type which sampler, or empty for the model's own
   * @param steps of the whole run
   * @param strength how much of the run is made, in (0,1]
   * @param image {@code [1,C,H,W]}, as the network sees pixels
   * @throws IllegalArgumentException if no step is left
   */
  public ImageToImageRecipe(
      Optional<SamplerType> type, int steps, double strength, INDArray image) {
    this.type = type;
    part = SamplerConfig.Part.ofStrength(steps, strength);
    this.image = image;
  }

  private ImageToImageSampler sampler(DiffusionModel model) {
    DefaultSampler chosen =
        type.map(model::imageToImageSampler).orElseGet(model::imageToImageSampler);
    return new ImageToImageSampler(chosen.create(model.schedule(), part), image);
  }

  @Override
  public void requireDrawable(DiffusionModel model) {
    model.pipeline(sampler(model).sampler());
  }

  @Override
  public int steps(DiffusionModel model) {
    return part.last();
  }

  @Override
  public INDArray draw(
      DiffusionModel model,
      int[] labels,
      NoiseSource noise,
      Cancellation cancellation,
      SamplingObserver observer) {
    return sampler(model)
        .sample(
            cancellation.guard(model.denoiser().withClasses(labels)),
            noise,
            observer,
            model.shape().ofBatch(labels.length));
  }
}
