package org.ddpm4j.kernels.cpu;

import org.ddpm4j.kernels.ops.FusedOps;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether plans can run here. */
public final class FusedKernels {

  private static final Logger log = LoggerFactory.getLogger(FusedKernels.class);

  private FusedKernels() {}

  private static final class Availability {
    static final String OBSTACLE = findObstacle();

    private static String findObstacle() {
      BackendLookup.settle();
      if (!Nd4j.getEnvironment().isCPU()) {
        return "ND4J computes on a GPU";
      }
      String obstacle = obstacle("oneDNN does not load", Onednn::engine);
      if (obstacle == null) {
        obstacle = obstacle("OpenMP cannot be called", () -> OpenMp.singleThreaded(() -> {}));
      }
      if (obstacle == null) {
        FusedOps.register();
      } else {
        log.warn("Networks compute with the reference layers, which is much slower: {}", obstacle);
      }
      return obstacle;
    }

    private static String obstacle(String what, Runnable trial) {
      try {
        trial.run();
        return null;
      } catch (LinkageError | RuntimeException e) {
        Throwable root = e;
        while (root.getCause() != null) {
          root = root.getCause();
        }
        return what + ": " + root.getMessage();
      }
    }
  }

  /**
   * Whether plans can run.
   *
   * @return true on a CPU for which oneDNN's library loads
   */
  public static boolean available() {
    return obstacle() == null;
  }

  /**
   * Why plans cannot run.
   *
   * @return the reason, or null if they can
   */
  public static String obstacle() {
    return Availability.OBSTACLE;
  }
}
