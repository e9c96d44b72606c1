package org.ddpm4j.diffusion.pipeline;

import java.util.Objects;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Watches a pipeline at work, as a {@link SamplingObserver} watches a sampler, and knows which of
 * all images it sees.
 */
@FunctionalInterface
public interface SamplingListener {

  /** Does nothing. */
  SamplingListener NONE = (progress, x, x0) -> {};

  /**
   * Called after every step of every batch, in the thread that samples. What it throws ends the
   * sampling and reaches the caller.
   *
   * @param progress which images these are, and how far they are
   * @param x the state after the step, {@code [end-first,C,H,W]}; not to be modified
   * @param x0 the estimate of the images that the step was made with, same shape; not to be
   *     modified
   */
  void onStep(SamplingProgress progress, INDArray x, INDArray x0);

  /**
   * One that does not mind which images it sees.
   *
   * @param observer of single batches
   * @return a listener that tells the observer the steps
   */
  static SamplingListener of(SamplingObserver observer) {
    Objects.requireNonNull(observer, "observer");
    return (progress, x, x0) -> observer.onStep(progress.step(), x, x0);
  }

  /**
   * Two listeners.
   *
   * @param next told after this one
   * @return both
   */
  default SamplingListener and(SamplingListener next) {
    return (progress, x, x0) -> {
      onStep(progress, x, x0);
      next.onStep(progress, x, x0);
    };
  }
}
