package org.ddpm4j.cuda;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
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
 * anything beside allocations was written.
 *
 * <p>What is enqueued runs as late as a card may run it: when somebody waits for it. Whoever reads
 * a result too early, gives memory of the host away too early, or enqueues on one card what needs
 * another card's work without a mark, gets wrong results. A graph is what was enqueued while it was
 * recorded, with the arguments of then; meanwhile everything is refused that a card refuses.
 */
final class EmulatedDriver implements CudaDriver {

  /** As on Hopper. */
  private static final int MULTIPROCESSORS = 132;

  private static final int SHARED_BYTES = 227 * 1024;

  /** Whether all kernels of the tests are watched: for a look at everything, an hour long. */
  private static final boolean WATCHES_ALL = Boolean.getBoolean("ddpm4j.emulation.watched");

  /** Libraries have state of their own: one launch at a time. */
  private static final Object MACHINE = new Object();

  /** By path, for a library stays open until the process ends. */
  private static final Map<Path, Long> LIBRARIES = new HashMap<>();

  private final NavigableMap<Long, Long> allocations = new TreeMap<>();

  /** Pinned, by its address. */
  private final NavigableMap<Long, ByteBuffer> hostMemory = new TreeMap<>();

  /** What nobody has waited for yet. */
  private final Deque<Runnable> underWay = new ArrayDeque<>();

  /** How much was ever enqueued. */
  private long enqueued;

  /** Null but while a graph is recorded. */
  private List<Runnable> recording;

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

  private final boolean isWatching;

  /** Whether everything is done at once, as by a card that has nothing else to do. */
  private final boolean isPrompt;

  EmulatedDriver() {
    this(SHARED_BYTES);
  }

  /** Like a card with other memory of the blocks. */
  EmulatedDriver(int sharedBytes) {
    this(sharedBytes, WATCHES_ALL, false);
  }

  /**
   * One that looks at each access to memory: at races, whatever the order of threads, at misaligned
   * accesses and at whole numbers that overflow. It takes several times as long.
   */
  static EmulatedDriver watching() {
    return new EmulatedDriver(SHARED_BYTES, true, false);
  }

  /** One that does at once what is enqueued, for whoever looks at one operation at a time. */
  static EmulatedDriver prompt() {
    return new EmulatedDriver(SHARED_BYTES, WATCHES_ALL, true);
  }

  private EmulatedDriver(int sharedBytes, boolean isWatching, boolean isPrompt) {
    this.sharedBytes = sharedBytes;
    this.isWatching = isWatching;
    this.isPrompt = isPrompt;
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
    synchronize();
    return launches;
  }

  /** Bytes that came from the host. */
  long uploaded() {
    synchronize();
    return uploaded;
  }

  /** Bytes that went to the host. */
  long downloaded() {
    synchronize();
    return downloaded;
  }

  /** How many graphs ran. */
  long graphRuns() {
    synchronize();
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
    refuseWhileRecording("allocates memory");
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
    synchronize();
    Long bytes = allocations.remove(address);
    if (bytes == null) {
      throw new IllegalArgumentException("Nobody allocated 0x%x.".formatted(address));
    }
    EmulatedMachine.release(address, bytes);
  }

  @Override
  public synchronized ByteBuffer allocateHost(int bytes) {
    refuseWhileRecording("pins memory of the host");
    ByteBuffer memory =
        ByteBuffer.allocateDirect(Math.max(1, bytes)).order(ByteOrder.nativeOrder());
    hostMemory.put(EmulatedMachine.addressOf(memory), memory);
    return memory;
  }

  @Override
  public synchronized void freeHost(ByteBuffer memory) {
    synchronize();
    if (hostMemory.remove(EmulatedMachine.addressOf(memory)) == null) {
      throw new IllegalArgumentException("Nobody allocated this memory of the host.");
    }
  }

  @Override
  public synchronized void upload(ByteBuffer from, long to) {
    synchronize();
    requireAllocated(to, from.remaining(), "An upload");
    uploaded += from.remaining();
    EmulatedMachine.copy(addressOf(from), to, from.remaining());
    Reference.reachabilityFence(from);
  }

  @Override
  public synchronized void download(long from, ByteBuffer to) {
    synchronize();
    requireAllocated(from, to.remaining(), "A download");
    downloaded += to.remaining();
    EmulatedMachine.copy(from, addressOf(to), to.remaining());
    Reference.reachabilityFence(to);
  }

  /** Works when somebody waits, or is part of the graph that is being recorded. */
  private synchronized void enqueue(Runnable work) {
    if (recording != null) {
      recording.add(work);
    } else if (isPrompt) {
      work.run();
    } else {
      underWay.add(work);
      enqueued++;
    }
  }

  private void refuseWhileRecording(String what) {
    if (recording != null) {
      throw new IllegalStateException("A kernel %s while a graph is recorded.".formatted(what));
    }
  }

  /** Does what was enqueued up to a number. */
  private synchronized void finish(long number) {
    while (!underWay.isEmpty() && enqueued - underWay.size() < number) {
      underWay.remove().run();
    }
  }

  private static long addressOf(ByteBuffer buffer) {
    if (!buffer.isDirect()) {
      throw new IllegalArgumentException("Only direct buffers have an address.");
    }
    return EmulatedMachine.addressOf(buffer) + buffer.position();
  }

  @Override
  public synchronized void uploadLater(ByteBuffer from, long to) {
    refuseWhileRecording("copies from the host");
    long address = addressOf(from);
    long bytes = from.remaining();
    requirePinned(address, bytes);
    requireAllocated(to, bytes, "An upload");
    enqueue(
        () -> {
          requirePinned(address, bytes);
          requireAllocated(to, bytes, "An upload");
          uploaded += bytes;
          EmulatedMachine.copy(address, to, bytes);
        });
  }

  @Override
  public synchronized void downloadLater(long from, ByteBuffer to) {
    refuseWhileRecording("copies to the host");
    long address = addressOf(to);
    long bytes = to.remaining();
    requirePinned(address, bytes);
    requireAllocated(from, bytes, "A download");
    enqueue(
        () -> {
          requirePinned(address, bytes);
          requireAllocated(from, bytes, "A download");
          downloaded += bytes;
          EmulatedMachine.copy(from, address, bytes);
        });
  }

  private synchronized void requirePinned(long address, long bytes) {
    Map.Entry<Long, ByteBuffer> below = hostMemory.floorEntry(address);
    if (below == null || address + bytes > below.getKey() + below.getValue().capacity()) {
      throw new IllegalArgumentException(
          "A copy of %d bytes is not of pinned memory of the host.".formatted(bytes));
    }
  }

  @Override
  public void copy(long from, long to, long bytes) {
    requireAllocated(from, bytes, "A copy");
    requireAllocated(to, bytes, "A copy");
    enqueue(
        () -> {
          requireAllocated(from, bytes, "A copy");
          requireAllocated(to, bytes, "A copy");
          EmulatedMachine.copy(from, to, bytes);
        });
  }

  @Override
  public void zero(long address, long bytes) {
    requireAllocated(address, bytes, "Zeroing");
    enqueue(
        () -> {
          requireAllocated(address, bytes, "Zeroing");
          EmulatedMachine.fill(address, 0, bytes);
        });
  }

  /** Bytes of one value; of 0xff, floats of all types are NaN. */
  void fill(long address, int value, long bytes) {
    synchronize();
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
  public synchronized void synchronize() {
    refuseWhileRecording("waits for the card");
    finish(enqueued);
  }

  @Override
  public synchronized Mark mark() {
    refuseWhileRecording("makes a mark");
    long number = enqueued;
    return new Mark() {
      private boolean isForgotten;

      @Override
      public void await() {
        forget();
        finish(number);
      }

      @Override
      public void before(CudaDriver other) {
        forget();
        ((EmulatedDriver) other).enqueue(() -> finish(number));
      }

      private void forget() {
        if (isForgotten) {
          throw new IllegalStateException("A mark is waited for once.");
        }
        isForgotten = true;
      }
    };
  }

  @Override
  public void copyFrom(CudaDriver other, long from, long to, long bytes) {
    EmulatedDriver source = (EmulatedDriver) other;
    source.requireAllocated(from, bytes, "A copy from another card");
    requireAllocated(to, bytes, "A copy");
    enqueue(
        () -> {
          source.requireAllocated(from, bytes, "A copy from another card");
          requireAllocated(to, bytes, "A copy");
          EmulatedMachine.copy(from, to, bytes);
        });
  }

  @Override
  public synchronized CudaFunction function(String file, String kernel, List<String> defines) {
    refuseWhileRecording("asks for another kernel");
    return functions.computeIfAbsent(
        file + " " + kernel + " " + defines, key -> load(file, kernel, defines, isWatching));
  }

  private static CudaFunction load(
      String file, String kernel, List<String> defines, boolean isWatching) {
    Path path = EmulatedKernels.kernels(file, defines, isWatching);
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
    if (isPrompt && recording == null) {
      run(function, launch, arguments);
      return;
    }
    Emulated emulated = (Emulated) function.handle();
    check(function.name(), emulated.signature, arguments.pointers());
    CudaArguments ofNow = copy(arguments.pointers());
    // Their memory goes with them, and the caller may have no further use for them.
    Reference.reachabilityFence(arguments);
    enqueue(() -> run(function, launch, ofNow));
  }

  /** Launches have their arguments from when they were enqueued. */
  private static CudaArguments copy(PointerPointer<LongPointer> pointers) {
    Object[] values = new Object[Math.toIntExact(pointers.capacity())];
    for (int i = 0; i < values.length; i++) {
      values[i] = new LongPointer(pointers.get(i)).get();
    }
    return new CudaArguments(values);
  }

  private synchronized void run(CudaFunction function, Launch launch, CudaArguments arguments) {
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

  @Override
  public synchronized CudaGraph graph(List<Kernel> kernels) {
    refuseWhileRecording("records a graph");
    List<Runnable> recorded = new ArrayList<>();
    recording = recorded;
    try {
      kernels.forEach(Kernel::run);
    } finally {
      recording = null;
    }
    return new CudaGraph() {
      private boolean isClosed;

      @Override
      public void run() {
        if (isClosed) {
          throw new IllegalStateException("A graph runs that was forgotten.");
        }
        enqueue(
            () -> {
              graphRuns++;
              recorded.forEach(Runnable::run);
            });
      }

      @Override
      public void close() {
        synchronize();
        isClosed = true;
      }
    };
  }

  @Override
  public double milliseconds(Runnable work) {
    synchronize();
    long start = System.nanoTime();
    work.run();
    synchronize();
    return (System.nanoTime() - start) / 1e6;
  }

  @Override
  public synchronized void close() {
    finish(enqueued);
    forgotten += allocations();
    hostMemory.clear();
    allocations.forEach(EmulatedMachine::release);
    allocations.clear();
  }
}
