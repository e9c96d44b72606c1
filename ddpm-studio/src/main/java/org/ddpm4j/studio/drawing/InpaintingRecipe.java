package org.ddpm4j.studio.drawing;

import org.ddpm4j.diffusion.editing.RepaintSampler;
import org.ddpm4j.diffusion.editing.Resampling;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Draws what a mask leaves open, as {@code ddpm inpaint}. Equal to itself alone. */
public final class InpaintingRecipe implements Recipe {

  private final int steps;
  private final Resampling resampling;
  private final INDArray image;
  private final INDArray mask;

  /**
   * A recipe.
   *
   * @param steps of the chain
   * @param resampling how it goes back
   * @param image {@code [1,C,H,W]}, as the network sees pixels
   * @param mask {@code [1,1,H,W]}, 1 where a pixel is kept and 0 where it is drawn
   */
  public InpaintingRecipe(int steps, Resampling resampling, INDArray image, INDArray mask) {
    this.steps = steps;
    this.resampling = resampling;
    this.image = image;
    this.mask = mask;
  }

  private RepaintSampler sampler(DiffusionModel model) {
    return new RepaintSampler(
        new AncestralSampler(
            model.schedule().respace(steps),
            model.unet().config().learnsVariance()
                ? ReverseVariance.LEARNED
                : ReverseVariance.POSTERIOR,
            X0Constraint.clip(model.normalization())),
        resampling,
        image,
        mask);
  }

  @Override
  public void requireDrawable(DiffusionModel model) {
    model.pipeline(sampler(model).chain());
  }

  @Override
  public int steps(DiffusionModel model) {
    return sampler(model).steps();
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
