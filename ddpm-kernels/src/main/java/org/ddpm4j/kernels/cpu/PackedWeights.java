package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;
import org.ddpm4j.kernels.plan.WeightCache;

/**
 * Copies of weights in the layouts that convolutions want, shared by all plans of one network. They
 * are made anew when the weights have changed, never in between.
 *
 * <p>Thread-safe, but nobody may run a plan while {@link #refresh} works.
 */
final class PackedWeights implements WeightCache {

  /** Into how many tasks the packing is cut. */
  private static final int SHARES = 64;

  private final Map<String, Derived> derived = new LinkedHashMap<>();
  private final List<Entry> entries = new ArrayList<>();

  /** One weight in one layout. */
  private record Entry(
      long address, memory.desc layout, memory source, memory packed, reorder reorder) {

    void pack(stream stream) {
      reorder.execute(stream, source, packed);
    }
  }

  private final Workers workers;

  /**
   * No weights yet.
   *
   * @param workers who share the packing
   */
  PackedWeights(Workers workers) {
    this.workers = workers;
  }

  /** Who share the packing, and run plans with these weights. */
  Workers workers() {
    return workers;
  }

  /** The weight in a layout, made when first asked for. */
  synchronized memory get(CpuTensor weight, memory.desc plain, memory.desc layout) {
    long address = weight.pointer().address();
    for (Entry entry : entries) {
      if (entry.address == address && entry.layout.equals(layout)) {
        return entry.packed;
      }
    }
    memory source = new memory(plain, Onednn.engine(), weight.pointer());
    memory packed = new memory(layout, Onednn.engine());
    Entry entry = new Entry(address, layout, source, packed, new reorder(source, packed));
    try (stream stream = new stream(Onednn.engine())) {
      entry.pack(stream);
    }
    // Not before it is packed, which memory may not suffice for.
    List.of(entry.layout, entry.source, entry.packed, entry.reorder).forEach(this::keep);
    entries.add(entry);
    return packed;
  }

  /** Numbers that are computed from a weight, made when first asked for. */
  synchronized CpuTensor derived(
      CpuTensor weight, String kind, long length, BiConsumer<CpuTensor, CpuTensor> computation) {
    String key = kind + "@" + weight.pointer().address();
    Derived existing = derived.get(key);
    if (existing == null) {
      existing = new Derived(weight, new FloatMemory(length), length, computation);
      try {
        existing.compute();
      } catch (RuntimeException | Error e) {
        existing.memory.close();
        throw e;
      }
      derived.put(key, existing);
    }
    return existing.tensor();
  }

  private record Derived(
      CpuTensor weight,
      FloatMemory memory,
      long length,
      BiConsumer<CpuTensor, CpuTensor> computation) {

    CpuTensor tensor() {
      return memory.tensor(0, length);
    }

    void compute() {
      computation.accept(weight, tensor());
    }
  }

  /** Outlives the plan that is being compiled. */
  private void keep(Pointer pointer) {
    pointer.retainReference();
  }

  @Override
  public synchronized void refresh() {
    List<Derived> computations = List.copyOf(derived.values());
    workers.forEach(computations.size(), i -> computations.get(i).compute());
    workers.forEach(SHARES, share -> OpenMp.singleThreaded(() -> packShare(share)));
  }

  private void packShare(int share) {
    try (stream stream = new stream(Onednn.engine())) {
      for (int i = share; i < entries.size(); i += SHARES) {
        entries.get(i).pack(stream);
      }
    }
  }

  @Override
  public synchronized void close() {
    for (Entry entry : entries) {
      List.of(entry.reorder, entry.packed, entry.source, entry.layout)
          .forEach(Pointer::releaseReference);
    }
    entries.clear();
    derived.values().forEach(d -> d.memory.close());
    derived.clear();
  }
}
