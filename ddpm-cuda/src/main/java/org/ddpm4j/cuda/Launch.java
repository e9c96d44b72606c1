package org.ddpm4j.cuda;

import java.util.Locale;

/**
 * How many threads run a kernel.
 *
 * @param gridX blocks along the first axis
 * @param gridY blocks along the second axis
 * @param gridZ blocks along the third axis
 * @param threads of a block
 * @param sharedBytes dynamic shared memory of a block
 */
record Launch(int gridX, int gridY, int gridZ, int threads, int sharedBytes) {

  /** What a grid may have along its second and third axis. */
  private static final int LARGEST_SHORT_AXIS = 65535;

  Launch {
    if (gridX < 1
        || gridY < 1
        || gridZ < 1
        || gridY > LARGEST_SHORT_AXIS
        || gridZ > LARGEST_SHORT_AXIS
        || threads < 1
        || threads > 1024
        || sharedBytes < 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "No card launches %dx%dx%d blocks of %d threads with %d bytes of shared memory.",
              gridX,
              gridY,
              gridZ,
              threads,
              sharedBytes));
    }
  }

  static Launch of(int blocks, int threads) {
    return new Launch(blocks, 1, 1, threads, 0);
  }

  static Launch of(int gridX, int gridY, int threads) {
    return new Launch(gridX, gridY, 1, threads, 0);
  }

  Launch withShared(int bytes) {
    return new Launch(gridX, gridY, gridZ, threads, bytes);
  }

  /** As many blocks as it takes for one thread each; kernels loop where there are fewer. */
  static Launch forElements(long elements, int threads) {
    long blocks = (elements + threads - 1) / threads;
    return of((int) Math.max(1, Math.min(blocks, Integer.MAX_VALUE)), threads);
  }
}
