package org.ddpm4j.diffusion.pipeline;

import java.util.concurrent.CancellationException;
import org.ddpm4j.diffusion.Denoiser;

/**
 * Whether a sampling should end before it is done. It is asked in the thread that samples, before
 * every evaluation of the network; {@code flag::get} of an {@link
 * java.util.concurrent.atomic.AtomicBoolean} or {@code future::isCancelled} will do.
 *
 * <p>That the thread is interrupted ends a sampling, too, so that {@link
 * java.util.concurrent.Future#cancel} of what an {@link java.util.concurrent.ExecutorService} runs
 * needs nothing but itself. A {@link java.util.concurrent.CompletableFuture} interrupts nobody.
 */
@FunctionalInterface
public interface Cancellation {

  /** By an interrupt only. */
  Cancellation NONE = () -> false;

  /**
   * Whether the sampling should end. Called often, so it should be quick.
   *
   * @return true from the moment on when nobody wants the images any more
   */
  boolean isRequested();

  /**
   * Ends the caller's work if that is wanted. The interrupt of a thread stays set.
   *
   * @throws CancellationException if the thread is interrupted or the end is requested
   */
  default void check() {
    if (Thread.currentThread().isInterrupted()) {
      throw new CancellationException("Sampling was cancelled: its thread was interrupted.");
    }
    if (isRequested()) {
      throw new CancellationException("Sampling was cancelled.");
    }
  }

  /**
   * A denoiser that can be stopped, and with it every sampler that asks it. {@link
   * org.ddpm4j.diffusion.pipeline.DiffusionPipeline} does this by itself.
   *
   * @param denoiser the model
   * @return the same estimates, or a {@link CancellationException}
   */
  default Denoiser guard(Denoiser denoiser) {
    return (xt, level) -> {
      check();
      return denoiser.denoise(xt, level);
    };
  }
}
