package org.ddpm4j.studio.drawing;

import org.ddpm4j.diffusion.editing.DdimInversion;
import org.ddpm4j.diffusion.editing.Interpolation;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Images between two: the noises that DDIM finds for both, on the great circle between them, drawn
 * by DDIM again (Song et al. 2021, section 5.3). Equal to itself alone; its images belong together
 * and need one batch.
 */
public final class InterpolationRecipe implements Recipe {

  private final int steps;
  private final INDArray from;
  private final INDArray to;

  /**
   * A recipe.
   *
   * @param steps of DDIM, there and back
   * @param from {@code [1,C,H,W]}, as the network sees pixels
   * @param to the same of the other end
   */
  public InterpolationRecipe(int steps, INDArray from, INDArray to) {
    this.steps = steps;
    this.from = from;
    this.to = to;
  }

  private DdimInversion ddim(DiffusionModel model) {
    return new DdimInversion(NoiseLevels.of(model.schedule(), TimestepSpacing.LEADING, steps));
  }

  @Override
  public void requireDrawable(DiffusionModel model) {
    model.pipeline(ddim(model).decoder());
  }

  @Override
  public int steps(DiffusionModel model) {
    return steps;
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
    DdimInversion ddim = ddim(model);
    INDArray noises =
        ddim.invert(
            cancellation.guard(model.denoiser().withClasses(labels[0], labels[labels.length - 1])),
            Nd4j.concat(0, from, to),
            (step, x, x0) -> {});
    INDArray between =
        Interpolation.SPHERICAL.path(
            noises.get(NDArrayIndex.interval(0, 1)),
            noises.get(NDArrayIndex.interval(1, 2)),
            labels.length);
    return ddim.decoder()
        .denoise(
            cancellation.guard(model.denoiser().withClasses(labels)), between, noise, observer);
  }
}
