package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.WeightCache;

/** Copies of a network's weights in the layouts and number formats of its kernels, on the card. */
final class CudaWeightCache implements WeightCache {

  private final CudaDriver driver;
  private final Map<String, Long> addresses = new LinkedHashMap<>();
  private final List<Kernel> packings = new ArrayList<>();
  private CudaDriver.CudaGraph graph;
  private long bytes;

  CudaWeightCache(CudaDriver driver) {
    this.driver = driver;
  }

  /** Where a packed weight lies; it is packed at once, and again with every refresh. */
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
    kernel.run();
    packings.add(kernel);
    forgetGraph();
    return address;
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
  }
}
