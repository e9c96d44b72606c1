package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.WeightCache;

/** Copies of a network's weights in the layouts and number formats of its kernels, on the card. */
final class CudaWeightCache implements WeightCache {

  private final CudaDriver driver;
  private final Map<String, Long> addresses = new LinkedHashMap<>();
  private final List<Kernel> packings = new ArrayList<>();

  /** Those that have not run yet. */
  private final List<Kernel> postponed = new ArrayList<>();

  private boolean isPostponing;
  private CudaDriver.CudaGraph graph;
  private long bytes;

  CudaWeightCache(CudaDriver driver) {
    this.driver = driver;
  }

  /** Where a packed weight lies; it is packed soon, and again with every refresh. */
  synchronized long packed(Tensor weight, String kind, long size, LongFunction<Kernel> packing) {
    String key = kind + "@" + weight.address();
    Long existing = addresses.get(key);
    if (existing != null) {
      return existing;
    }
    long address = driver.allocate(size);
    bytes += size;
    addresses.put(key, address);
    Kernel kernel = packing.apply(address);
    packings.add(kernel);
    forgetGraph();
    postponed.add(kernel);
    if (!isPostponing) {
      runPostponed();
    }
    return address;
  }

  /**
   * Packs only after the work what the work asks for: a packing waits for its kernel to be
   * compiled, and meanwhile nobody would ask for the next ones.
   */
  synchronized <T> T packingAfter(Supplier<T> work) {
    boolean before = isPostponing;
    isPostponing = true;
    try {
      return work.get();
    } finally {
      isPostponing = before;
      if (!isPostponing) {
        runPostponed();
      }
    }
  }

  private void runPostponed() {
    List<Kernel> kernels = List.copyOf(postponed);
    postponed.clear();
    kernels.forEach(Kernel::run);
  }

  @Override
  public synchronized void refresh() {
    if (packings.isEmpty()) {
      return;
    }
    if (graph == null) {
      graph = driver.graph(packings);
    }
    graph.run();
  }

  /** The work of {@link #refresh}, for a graph that holds more than that. */
  synchronized List<Kernel> packings() {
    return List.copyOf(packings);
  }

  long bytes() {
    return bytes;
  }

  private void forgetGraph() {
    if (graph != null) {
      graph.close();
      graph = null;
    }
  }

  @Override
  public synchronized void close() {
    forgetGraph();
    addresses.values().forEach(driver::free);
    addresses.clear();
    packings.clear();
    postponed.clear();
  }
}
