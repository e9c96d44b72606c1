package org.ddpm4j.cuda;

import java.util.Locale;
import org.ddpm4j.kernels.plan.DeviceMemoryException;

/** What a card or its libraries refused to do, in one sentence. */
public final class CudaException extends RuntimeException {

  private static final long serialVersionUID = 1;

  CudaException(String sentence) {
    super(sentence);
  }

  /** That a card has not so much memory. */
  static DeviceMemoryException outOfMemory(String card, long bytes, long free) {
    return new DeviceMemoryException(
        String.format(
            Locale.ROOT,
            "%s has no %.1f MiB of memory left (%.1f MiB are free); use a smaller batch or network, or end other programs on the card.",
            card,
            bytes / 1048576.0,
            free / 1048576.0));
  }
}
