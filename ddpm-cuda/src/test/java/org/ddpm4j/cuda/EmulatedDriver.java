package org.ddpm4j.cuda;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * Runs the kernels of our CUDA sources on a CPU, thread by thread, and looks at what they do: at
 * the number and kind of their arguments, whether pointers lie in allocated memory, and whether
 * anything beside allocations was written. Everything is done when a method returns.
 */
final class EmulatedDriver implements CudaDriver {

  /** As on Hopper. */
  private static final int MULTIPROCESSORS = 132;

  private static final int SHARED_BYTES = 227 * 1024;

  /** Libraries have state of their own: one launch at a time. */
  private static final Object MACHINE = new Object();

  /** By path, for a library stays open until the process ends. */
  private static final Map<Path, Long> LIBRARIES = new HashMap<>();

  private final NavigableMap<Long, Long> allocations = new TreeMap<>();
  private final Map<ByteBuffer, Boolean> hostMemory = new IdentityHashMap<>();
  private final Map<String, CudaFunction> functions = new HashMap<>();
  private long launches;
  private long uploaded;
  private long downloaded;
  private long graphRuns;
  private int forgotten;
  private long peak;

  /** A kernel in a library. */
  private record Emulated(long address, String signature) {}

  private final int sharedBytes;

  EmulatedDriver() {
    this(SHARED_BYTES);
  }

  /** Like a card with other memory of the blocks. */
  EmulatedDriver(int sharedBytes) {
    this.sharedBytes = sharedBytes;
    if (obstacle() != null) {
      throw new IllegalStateException(obstacle() + ".");
    }
    Machine.load();
  }

  /** Why there can be no such driver here, or null. */
  static String obstacle() {
    return EmulatedKernels.obstacle();
  }

  /** Loaded once. */
  private static final class Machine {
    static {
      System.load(EmulatedKernels.machine().toString());
    }

    private Machine() {}

    static void load() {
      // The initialiser did.
    }
  }

  /** How many kernels ran. */
  long launches() {
    return launches;
  }

  /** Bytes that came from the host. */
  long uploaded() {
    return uploaded;
  }

  /** Bytes that went to the host. */
  long downloaded() {
    return downloaded;
  }

  /** How many graphs ran. */
  long graphRuns() {
    return graphRuns;
  }

  /** How many allocations, on the card and of the host's pinned memory, nobody freed. */
  int allocations() {
    return allocations.size() + hostMemory.size();
  }

  /** How many nobody had freed when the driver was closed; 0 before that. */
  int forgotten() {
    return forgotten;
  }

  @Override
  public String name() {
    return "cuda:emulated";
  }

  @Override
  public String description() {
    return "CUDA kernels on a CPU";
  }

  @Override
  public int multiprocessors() {
    return MULTIPROCESSORS;
  }

  @Override
  public int sharedMemoryPerBlock() {
    return sharedBytes;
  }

  @Override
  public long freeMemory() {
    return Long.MAX_VALUE;
  }

  @Override
  public synchronized long allocate(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("There is no memory of %d bytes.".formatted(bytes));
    }
    long address = EmulatedMachine.allocate(bytes);
    if (address == 0) {
      throw CudaException.outOfMemory(name(), bytes, 0);
    }
    allocations.put(address, bytes);
    peak = Math.max(peak, allocations.values().stream().mapToLong(Long::longValue).sum());
    return address;
  }

  @Override
  public synchronized long peakBytes() {
    return peak;
  }

  @Override
  public synchronized void free(long address) {
    Long bytes = allocations.remove(address);
    if (bytes == null) {
      throw new IllegalArgumentException("Nobody allocated 0x%x.".formatted(address));
    }
    EmulatedMachine.release(address, bytes);
  }

  @Override
  public ByteBuffer allocateHost(int bytes) {
    ByteBuffer memory = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    hostMemory.put(memory, true);
    return memory;
  }

  @Override
  public void freeHost(ByteBuffer memory) {
    if (hostMemory.remove(memory) == null) {
      throw new IllegalArgumentException("Nobody allocated this memory of the host.");
    }
  }

  @Override
  public void upload(ByteBuffer from, long to) {
    requireAllocated(to, from.remaining(), "An upload");
    uploaded += from.remaining();
    EmulatedMachine.copy(addressOf(from), to, from.remaining());
  }

  @Override
  public void download(long from, ByteBuffer to) {
    requireAllocated(from, to.remaining(), "A download");
    downloaded += to.remaining();
    EmulatedMachine.copy(from, addressOf(to), to.remaining());
  }

  private static long addressOf(ByteBuffer buffer) {
    if (!buffer.isDirect()) {
      throw new IllegalArgumentException("Only direct buffers have an address.");
    }
    return EmulatedMachine.addressOf(buffer) + buffer.position();
  }

  @Override
  public void uploadLater(ByteBuffer from, long to) {
    upload(from, to);
  }

  @Override
  public void downloadLater(long from, ByteBuffer to) {
    download(from, to);
  }

  @Override
  public void copy(long from, long to, long bytes) {
    requireAllocated(from, bytes, "A copy");
    requireAllocated(to, bytes, "A copy");
    EmulatedMachine.copy(from, to, bytes);
  }

  @Override
  public void zero(long address, long bytes) {
    fill(address, 0, bytes);
  }

  /** Bytes of one value; of 0xff, floats of all types are NaN. */
  void fill(long address, int value, long bytes) {
    requireAllocated(address, bytes, "Filling");
    EmulatedMachine.fill(address, value, bytes);
  }

  private synchronized void requireAllocated(long address, long bytes, String what) {
    Map.Entry<Long, Long> below = allocations.floorEntry(address);
    if (below == null || address + bytes > below.getKey() + below.getValue()) {
      throw new IllegalArgumentException(
          "%s of %d bytes at 0x%x is not within allocated memory.".formatted(what, bytes, address));
    }
  }

  @Override
  public void synchronize() {
    // Nothing is ever under way.
  }

  @Override
  public Mark mark() {
    return new Mark() {
      @Override
      public void await() {
        // Everything is done already.
      }

      @Override
      public void before(CudaDriver other) {
        // Everything is done already.
      }
    };
  }

  @Override
  public void copyFrom(CudaDriver other, long from, long to, long bytes) {
    ((EmulatedDriver) other).requireAllocated(from, bytes, "A copy from another card");
    requireAllocated(to, bytes, "A copy");
    EmulatedMachine.copy(from, to, bytes);
  }

  @Override
  public synchronized CudaFunction function(String file, String kernel, List<String> defines) {
    return functions.computeIfAbsent(
        file + " " + kernel + " " + defines, key -> load(file, kernel, defines));
  }

  private static CudaFunction load(String file, String kernel, List<String> defines) {
    Path path = EmulatedKernels.kernels(file, defines);
    synchronized (MACHINE) {
      long library =
          LIBRARIES.computeIfAbsent(path, added -> EmulatedMachine.open(added.toString()));
      long launch = EmulatedMachine.symbol(library, "launch_" + kernel);
      if (launch == 0) {
        throw new IllegalArgumentException(
            "%s has no kernel %s with %s.".formatted(file, kernel, defines));
      }
      String signature =
          EmulatedMachine.signature(EmulatedMachine.symbol(library, "signature_" + kernel));
      return new CudaFunction(kernel, new Emulated(launch, signature));
    }
  }

  @Override
  public synchronized void launch(CudaFunction function, Launch launch, CudaArguments arguments) {
    Emulated emulated = (Emulated) function.handle();
    check(function.name(), emulated.signature, arguments.pointers());
    launches++;
    synchronized (MACHINE) {
      String message =
          EmulatedMachine.launch(
              emulated.address,
              launch.gridX(),
              launch.gridY(),
              launch.gridZ(),
              launch.threads(),
              launch.sharedBytes(),
              arguments.pointers().address());
      // Their memory goes with them, and nothing else may refer to them by now.
      Reference.reachabilityFence(arguments);
      if (message != null) {
        throw new IllegalStateException("%s: %s".formatted(function.name(), message));
      }
    }
    allocations.forEach(
        (address, bytes) -> {
          if (!EmulatedMachine.intact(address, bytes)) {
            throw new IllegalStateException(
                "%s wrote beside the %d bytes at 0x%x.".formatted(function.name(), bytes, address));
          }
        });
  }

  private void check(String kernel, String signature, PointerPointer<LongPointer> pointers) {
    long given = pointers.capacity();
    if (given != Math.max(1, signature.length())) {
      throw new IllegalArgumentException(
          "%s takes %d arguments (%s) and is given %d."
              .formatted(kernel, signature.length(), signature, given));
    }
    for (int i = 0; i < signature.length(); i++) {
      long value = new LongPointer(pointers.get(i)).get();
      char kind = signature.charAt(i);
      boolean narrow = kind == 'i' || kind == 'f';
      if (kind == 'p' && value != 0) {
        requireAllocated(value, 0, "Argument %d of %s,".formatted(i, kernel));
      } else if (narrow && value >>> Integer.SIZE != 0) {
        throw new IllegalArgumentException(
            "Argument %d of %s (%s) is an address or a double where 4 bytes are expected."
                .formatted(i, kernel, signature));
      }
    }
  }

  /** Runs them one after the other. */
  @Override
  public CudaGraph graph(List<Kernel> kernels) {
    List<Kernel> recorded = List.copyOf(kernels);
    return new CudaGraph() {
      @Override
      public void run() {
        graphRuns++;
        recorded.forEach(Kernel::run);
      }

      @Override
      public void close() {
        // Nothing was recorded.
      }
    };
  }

  @Override
  public double milliseconds(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e6;
  }

  @Override
  public synchronized void close() {
    forgotten += allocations();
    hostMemory.clear();
    allocations.forEach(EmulatedMachine::release);
    allocations.clear();
  }
}
