package org.ddpm4j.cuda;

import java.util.List;
import java.util.function.Supplier;
import org.ddpm4j.kernels.plan.Kernel;

/** Kernels as a CUDA graph, recorded when they first run and again when they have changed. */
final class RecordedGraph implements AutoCloseable {

  private final CudaDriver driver;
  private CudaDriver.CudaGraph graph;
  private int version;

  RecordedGraph(CudaDriver driver) {
    this.driver = driver;
  }

  /**
   * Enqueues the graph.
   *
   * @param wanted another number whenever the kernels have changed
   * @param kernels what is recorded, asked for where it was not yet
   */
  void run(int wanted, Supplier<List<Kernel>> kernels) {
    if (graph == null || version != wanted) {
      close();
      graph = driver.graph(kernels.get());
      version = wanted;
    }
    graph.run();
  }

  /** Forgets what was recorded. */
  @Override
  public void close() {
    if (graph != null) {
      graph.close();
      graph = null;
    }
  }
}
