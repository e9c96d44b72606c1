package org.ddpm4j.studio.drawing;

import java.time.Duration;
import org.ddpm4j.io.Text;

/**
 * What a queue takes on.
 *
 * @param workers batches that are drawn at one time, at least 1
 * @param batchImages images of a batch, at least 1
 * @param waitingImages images that may wait, all drawings together, at least those of a batch
 * @param timeout of a drawing, from its submission
 */
public record QueueLimits(int workers, int batchImages, int waitingImages, Duration timeout) {

  /** Batches at one time unless told otherwise: while one is made pictures of, the other draws. */
  public static final int DEFAULT_WORKERS = 2;

  /** Images of a batch unless told otherwise. */
  public static final int DEFAULT_BATCH_IMAGES = 32;

  /** Images that may wait unless told otherwise. */
  public static final int DEFAULT_WAITING_IMAGES = 512;

  /** Seconds that a drawing may take unless told otherwise. */
  public static final int DEFAULT_TIMEOUT_SECONDS = 300;

  /** All of these. */
  public static final QueueLimits DEFAULT =
      new QueueLimits(
          DEFAULT_WORKERS,
          DEFAULT_BATCH_IMAGES,
          DEFAULT_WAITING_IMAGES,
          Duration.ofSeconds(DEFAULT_TIMEOUT_SECONDS));

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if nothing could be drawn
   */
  public QueueLimits {
    require(
        workers >= 1, "%d batches at one time draw nothing; there must be at least 1.", workers);
    require(
        batchImages >= 1,
        "Batches of %d images draw nothing; they must have at least 1.",
        batchImages);
    require(
        waitingImages >= batchImages,
        "There is room for %d waiting image(s), and a batch has %d; at least those of a batch must be able to wait.",
        waitingImages,
        batchImages);
    require(
        !timeout.isNegative() && !timeout.isZero(),
        "A drawing may take %s seconds; it must have some time.",
        timeout.toNanos() / 1e9);
  }

  private static void require(boolean condition, String sentence, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(Text.format(sentence, values));
    }
  }
}
