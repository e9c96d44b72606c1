package org.ddpm4j.kernels.cpu;

import org.ddpm4j.kernels.ops.FusedOps;
import org.nd4j.linalg.factory.Nd4j;

/** Whether plans can run here. */
public final class FusedKernels {

  private FusedKernels() {}

  private static final class Availability {
    static final String OBSTACLE = findObstacle();

    private static String findObstacle() {
      if (!Nd4j.getEnvironment().isCPU()) {
        return "ND4J computes on a GPU";
      }
      try {
        Onednn.engine();
        OpenMp.singleThreaded(() -> {});
        FusedOps.register();
        return null;
      } catch (LinkageError | RuntimeException e) {
        return "oneDNN does not load: " + e.getMessage();
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
