package org.ddpm4j.cuda;

/** What a card or its libraries refused to do, in one sentence. */
public final class CudaException extends RuntimeException {

  private static final long serialVersionUID = 1;

  /** Whether memory ran out. */
  private final boolean outOfMemory;

  CudaException(String sentence) {
    this(sentence, false);
  }

  private CudaException(String sentence, boolean outOfMemory) {
    super(sentence);
    this.outOfMemory = outOfMemory;
  }

  static CudaException outOfMemory(String card, long bytes, long free) {
    return new CudaException(
        "%s has no %.1f MiB of memory left (%.1f MiB are free); use a smaller batch or network, or end other programs on the card."
            .formatted(card, bytes / 1048576.0, free / 1048576.0),
        true);
  }

  /**
   * Whether the card's memory ran out.
   *
   * @return true if a smaller batch could help
   */
  public boolean isOutOfMemory() {
    return outOfMemory;
  }
}
