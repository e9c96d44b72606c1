package org.ddpm4j.studio.drawing;

import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.Cancellation;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How images are drawn, whatever their seeds and classes. Drawings of one model whose recipes are
 * equal are drawn together.
 */
public interface Recipe {

  /**
   * Checks that the model can be drawn with in this way.
   *
   * @param model that is to draw
   * @throws IllegalArgumentException if it cannot, with a sentence for the client
   */
  void requireDrawable(DiffusionModel model);

  /**
   * Steps that the observer will be told of.
   *
   * @param model that is to draw
   * @return at least 1
   */
  int steps(DiffusionModel model);

  /**
   * Whether all images of a drawing must be drawn at once, because each depends on the others.
   *
   * @return true if a drawing is never divided, whatever the size of batches
   */
  default boolean needsOneBatch() {
    return false;
  }

  /**
   * Draws a batch.
   *
   * @param model that draws
   * @param labels of the images: rows of the class embedding
   * @param noise of the images
   * @param cancellation asked before each evaluation of the network
   * @param observer told of every step
   * @return {@code [labels,C,H,W]}
   * @throws java.util.concurrent.CancellationException if it was ended early
   */
  INDArray draw(
      DiffusionModel model,
      int[] labels,
      NoiseSource noise,
      Cancellation cancellation,
      SamplingObserver observer);
}
