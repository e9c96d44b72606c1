package org.ddpm4j.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.WeightCache;

/**
 * Copies of a network's weights in the layouts and number formats of its kernels, on the card. One
 * launch for each kind makes all of them anew: most are small, and there are some hundred.
 */
final class CudaWeightCache implements WeightCache {

  private final CudaDriver driver;
  private final Map<String, Long> addresses = new LinkedHashMap<>();
  private final List<WeightPacking> packings = new ArrayList<>();

  private boolean isPostponing;

  /** Of all packings, or null where there have been more since. */
  private Table table;

  private final RecordedGraph graph;
  private int version;
  private long bytes;

  CudaWeightCache(CudaDriver driver) {
    this.driver = driver;
    graph = new RecordedGraph(driver);
  }

  /** Packings in the card's memory, and what runs them. */
  private record Table(long address, List<Kernel> kernels) {}

  /** Where a packed weight lies; it is packed soon, and again with every refresh. */
  synchronized long packed(
      Tensor weight, String kind, long size, LongFunction<WeightPacking> packing) {
    String key = kind + "@" + weight.address();
    Long existing = addresses.get(key);
    if (existing != null) {
      return existing;
    }
    long address = driver.allocate(size);
    bytes += size;
    addresses.put(key, address);
    WeightPacking made = packing.apply(address);
    // Its kernel is compiled while others are asked for.
    driver.function(made.file(), made.kernel(), made.defines());
    packings.add(made);
    forgetTable();
    if (!isPostponing) {
      pack();
    }
    return address;
  }

  /**
   * Packs only after the work what the work asks for: a packing waits for its kernel to be
   * compiled, and meanwhile nobody would ask for the next ones.
   */
  synchronized <T> T packingAfter(Supplier<T> work) {
    boolean before = isPostponing;
    int versionBefore = version;
    isPostponing = true;
    try {
      return work.get();
    } finally {
      isPostponing = before;
      if (!isPostponing && version != versionBefore) {
        pack();
      }
    }
  }

  private void pack() {
    packings().forEach(Kernel::run);
  }

  private Table table(List<WeightPacking> rows) {
    Map<WeightPacking.Kind, List<WeightPacking>> kinds =
        rows.stream()
            .collect(
                Collectors.groupingBy(
                    WeightPacking::kind, LinkedHashMap::new, Collectors.toList()));
    int rowBytes = WeightPacking.ROW * Long.BYTES;
    ByteBuffer content =
        ByteBuffer.allocateDirect(rows.size() * rowBytes).order(ByteOrder.nativeOrder());
    long address = driver.allocate(content.capacity());
    List<Kernel> kernels = new ArrayList<>();
    kinds.forEach(
        (kind, ofKind) -> {
          CudaArguments start = new CudaArguments(address + content.position());
          for (WeightPacking packing : ofKind) {
            int next = content.position() + rowBytes;
            packing.row().forEach(number -> content.putLong(number.longValue()));
            content.position(next);
          }
          CudaFunction function = driver.function(kind.file(), kind.kernel(), kind.defines());
          Launch launch = WeightPacking.launch(ofKind);
          kernels.add(() -> driver.launch(function, launch, start));
        });
    driver.upload(content.flip(), address);
    return new Table(address, kernels);
  }

  @Override
  public synchronized void refresh() {
    if (packings.isEmpty()) {
      return;
    }
    graph.run(version, this::packings);
  }

  /** Another number whenever {@link #packings} has changed. */
  synchronized int version() {
    return version;
  }

  /**
   * The work of {@link #refresh}, for a graph that holds more than that. Once there are more
   * weights, the kernels of before must no longer run.
   */
  synchronized List<Kernel> packings() {
    if (table == null) {
      table = packings.isEmpty() ? new Table(0, List.of()) : table(packings);
    }
    return table.kernels();
  }

  long bytes() {
    return bytes;
  }

  private void forgetTable() {
    version++;
    graph.close();
    if (table != null) {
      if (table.address() != 0) {
        driver.free(table.address());
      }
      table = null;
    }
  }

  @Override
  public synchronized void close() {
    forgetTable();
    addresses.values().forEach(driver::free);
    addresses.clear();
    packings.clear();
  }
}
