package org.ddpm4j.diffusion.pipeline;

import java.util.Objects;
import org.ddpm4j.io.Text;

/**
 * How a pipeline goes about its work. None of it changes an image.
 *
 * @param batchSize images in one go, at least 1; the memory of a sampling grows with it
 * @param listener sees every step of every batch
 * @param cancellation may end the work
 */
public record SamplingOptions(int batchSize, SamplingListener listener, Cancellation cancellation) {

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if the batch size is less than 1
   */
  public SamplingOptions {
    if (batchSize < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "Images cannot be drawn in batches of %d; it must be at least 1.", batchSize));
    }
    Objects.requireNonNull(listener, "listener");
    Objects.requireNonNull(cancellation, "cancellation");
  }

  /**
   * Batches of {@link DiffusionPipeline#DEFAULT_BATCH_SIZE}, nobody who watches, and an end by an
   * interrupt only.
   *
   * @return the options
   */
  public static SamplingOptions defaults() {
    return new SamplingOptions(
        DiffusionPipeline.DEFAULT_BATCH_SIZE, SamplingListener.NONE, Cancellation.NONE);
  }

  /**
   * In other batches.
   *
   * @param newBatchSize images in one go, at least 1
   * @return new options
   */
  public SamplingOptions withBatchSize(int newBatchSize) {
    return new SamplingOptions(newBatchSize, listener, cancellation);
  }

  /**
   * Watched by another.
   *
   * @param newListener sees every step of every batch
   * @return new options
   */
  public SamplingOptions withListener(SamplingListener newListener) {
    return new SamplingOptions(batchSize, newListener, cancellation);
  }

  /**
   * Ended by another.
   *
   * @param newCancellation may end the work
   * @return new options
   */
  public SamplingOptions withCancellation(Cancellation newCancellation) {
    return new SamplingOptions(batchSize, listener, newCancellation);
  }
}
