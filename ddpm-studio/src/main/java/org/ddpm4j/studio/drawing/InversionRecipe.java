package org.ddpm4j.studio.drawing;

import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.editing.DdimInversion;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The noise of which DDIM draws an image, and the image that it draws of it again, as {@code ddpm
 * invert} finds them. The observer sees the way up to the noise and the way down again. Equal to
 * itself alone.
 */
public final class InversionRecipe implements Recipe {

  /** Images that it draws: the noise, and the image again. */
  public static final int IMAGES = 2;

  private final int steps;
  private final int iterations;
  private final INDArray image;

  /**
   * A recipe.
   *
   * @param steps of DDIM, up and again down
   * @param iterations of the network for each step up
   * @param image {@code [1,C,H,W]}, as the network sees pixels
   */
  public InversionRecipe(int steps, int iterations, INDArray image) {
    this.steps = steps;
    this.iterations = iterations;
    this.image = image;
  }

  private DdimInversion ddim(DiffusionModel model) {
    return new DdimInversion(
        NoiseLevels.of(model.schedule(), TimestepSpacing.LEADING, steps), iterations);
  }

  @Override
  public void requireDrawable(DiffusionModel model) {
    model.pipeline(ddim(model).decoder());
  }

  @Override
  public int steps(DiffusionModel model) {
    return 2 * steps;
  }

  @Override
  public boolean needsOneBatch() {
    return true;
  }

  @Override
  public INDArray draw(
      DiffusionModel model,
      int[] labels,
      NoiseSource noise,
      Cancellation cancellation,
      SamplingObserver observer) {
    if (labels.length != IMAGES) {
      throw new IllegalArgumentException(
          Text.format("An inversion draws %d image(s), not %d.", IMAGES, labels.length));
    }
    DdimInversion ddim = ddim(model);
    Denoiser denoiser = cancellation.guard(model.denoiser().withClasses(labels[0]));
    INDArray found =
        ddim.invert(
            denoiser,
            image,
            (step, x, x0) -> {
              INDArray both = Nd4j.concat(0, x, x);
              observer.onStep(step, both, both);
            });
    INDArray again =
        ddim.decoder()
            .denoise(
                denoiser,
                found,
                noise,
                (step, x, x0) -> {
                  INDArray both = Nd4j.concat(0, found, x);
                  observer.onStep(steps + step, both, both);
                });
    return Nd4j.concat(0, found, again);
  }
}
