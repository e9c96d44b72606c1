package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudart.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static org.bytedeco.cuda.global.cudart.cuFuncSetAttribute;
import static org.bytedeco.cuda.global.cudart.cuLaunchKernel;
import static org.bytedeco.cuda.global.cudart.cuModuleGetFunction;
import static org.bytedeco.cuda.global.cudart.cuModuleLoadData;
import static org.bytedeco.cuda.global.cudart.cudaDevAttrMaxSharedMemoryPerBlockOptin;
import static org.bytedeco.cuda.global.cudart.cudaDevAttrMultiProcessorCount;
import static org.bytedeco.cuda.global.cudart.cudaDeviceCanAccessPeer;
import static org.bytedeco.cuda.global.cudart.cudaDeviceEnablePeerAccess;
import static org.bytedeco.cuda.global.cudart.cudaDeviceGetAttribute;
import static org.bytedeco.cuda.global.cudart.cudaEventCreate;
import static org.bytedeco.cuda.global.cudart.cudaEventCreateWithFlags;
import static org.bytedeco.cuda.global.cudart.cudaEventDestroy;
import static org.bytedeco.cuda.global.cudart.cudaEventDisableTiming;
import static org.bytedeco.cuda.global.cudart.cudaEventElapsedTime;
import static org.bytedeco.cuda.global.cudart.cudaEventRecord;
import static org.bytedeco.cuda.global.cudart.cudaEventSynchronize;
import static org.bytedeco.cuda.global.cudart.cudaFree;
import static org.bytedeco.cuda.global.cudart.cudaFreeHost;
import static org.bytedeco.cuda.global.cudart.cudaGetErrorString;
import static org.bytedeco.cuda.global.cudart.cudaGetLastError;
import static org.bytedeco.cuda.global.cudart.cudaGraphDestroy;
import static org.bytedeco.cuda.global.cudart.cudaGraphExecDestroy;
import static org.bytedeco.cuda.global.cudart.cudaGraphInstantiate;
import static org.bytedeco.cuda.global.cudart.cudaGraphLaunch;
import static org.bytedeco.cuda.global.cudart.cudaHostAlloc;
import static org.bytedeco.cuda.global.cudart.cudaHostAllocDefault;
import static org.bytedeco.cuda.global.cudart.cudaMalloc;
import static org.bytedeco.cuda.global.cudart.cudaMemGetInfo;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToDevice;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyHostToDevice;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyPeerAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemsetAsync;
import static org.bytedeco.cuda.global.cudart.cudaSetDevice;
import static org.bytedeco.cuda.global.cudart.cudaStreamBeginCapture;
import static org.bytedeco.cuda.global.cudart.cudaStreamCaptureModeThreadLocal;
import static org.bytedeco.cuda.global.cudart.cudaStreamCreateWithFlags;
import static org.bytedeco.cuda.global.cudart.cudaStreamDestroy;
import static org.bytedeco.cuda.global.cudart.cudaStreamEndCapture;
import static org.bytedeco.cuda.global.cudart.cudaStreamNonBlocking;
import static org.bytedeco.cuda.global.cudart.cudaStreamSynchronize;
import static org.bytedeco.cuda.global.cudart.cudaStreamWaitEvent;
import static org.bytedeco.cuda.global.cudnn.cudnnCreate;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroy;
import static org.bytedeco.cuda.global.cudnn.cudnnGetErrorString;
import static org.bytedeco.cuda.global.cudnn.cudnnSetStream;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.ddpm4j.kernels.plan.DeviceMemoryException;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * An NVIDIA card by CUDA's runtime and driver. One thread at a time may use it; which one does not
 * matter.
 */
final class NvidiaDriver implements CudaDriver {

  private static final int OUT_OF_MEMORY = 2;

  /** Shared memory that a block has without being asked. */
  private static final int UNASKED_SHARED_BYTES = 48 * 1024;

  private final int index;
  private final String description;
  private final int multiprocessors;
  private final int sharedMemory;
  private final KernelCompiler compiler;
  private final CUstream_st stream = new CUstream_st();
  private cudnnContext cudnn;
  private CudnnPlans cudnnPlans;
  private final List<CUmod_st> modules = new ArrayList<>();
  private final Map<String, CudaFunction> functions = new HashMap<>();
  private final Set<Compiled> unloaded = new LinkedHashSet<>();

  /** What is allocated: lengths by address. */
  private final Map<Long, Long> blocks = new HashMap<>();

  /** Addresses of the host's memory that is pinned. */
  private final Set<Long> pinned = new HashSet<>();

  /** Cards whose memory was read. */
  private final Set<Integer> peers = new HashSet<>();

  private long allocated;
  private long peak;

  NvidiaDriver(int index) {
    this.index = index;
    NvidiaCard card = NvidiaCard.read(index);
    description = card.description();
    check(cudaSetDevice(index), "choose the card");
    check(cudaFree((Pointer) null), "open the card");
    multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
    sharedMemory = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
    check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking), "make a stream");
    compiler = new KernelCompiler(card.major(), card.minor());
  }

  private int attribute(int attribute) {
    try (IntPointer value = new IntPointer(1)) {
      check(cudaDeviceGetAttribute(value, attribute, index), "describe the card");
      return value.get();
    }
  }

  private void use() {
    check(cudaSetDevice(index), "choose the card");
  }

  private void check(int code, String what) {
    if (code == OUT_OF_MEMORY) {
      cudaGetLastError();
      throw new DeviceMemoryException(
          String.format(
              Locale.ROOT,
              "%s could not %s, because memory ran out; use a smaller batch or network, or end other programs on the card.",
              name(),
              what));
    }
    if (code != 0) {
      cudaGetLastError();
      throw new CudaException(
          String.format(
              Locale.ROOT,
              "%s could not %s: %s (CUDA error %d).",
              name(),
              what,
              cudaGetErrorString(code).getString(),
              code));
    }
  }

  @Override
  public String name() {
    return "cuda:" + index;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public int multiprocessors() {
    return multiprocessors;
  }

  @Override
  public int sharedMemoryPerBlock() {
    return sharedMemory;
  }

  /** In which everything is enqueued, with the card chosen for the calling thread. */
  CUstream_st stream() {
    use();
    return stream;
  }

  /** cuDNN, set to enqueue where kernels are enqueued. */
  cudnnContext cudnn() {
    if (cudnn == null) {
      cudnn = new cudnnContext();
      checkCudnn(cudnnCreate(cudnn));
    }
    checkCudnn(cudnnSetStream(cudnn, stream));
    return cudnn;
  }

  /** What cuDNN's graph interface has planned for this card. */
  CudnnPlans cudnnPlans() {
    if (cudnnPlans == null) {
      cudnnPlans = new CudnnPlans(CudnnCard.of(cudnn()));
    }
    return cudnnPlans;
  }

  private void checkCudnn(int code) {
    if (code != 0) {
      throw new CudaException(
          String.format(
              Locale.ROOT,
              "cuDNN does not work on %s: %s (%d).",
              name(),
              cudnnGetErrorString(code).getString(),
              code));
    }
  }

  @Override
  public long freeMemory() {
    use();
    try (SizeTPointer free = new SizeTPointer(1);
        SizeTPointer total = new SizeTPointer(1)) {
      check(cudaMemGetInfo(free, total), "count its memory");
      return free.get();
    }
  }

  @Override
  public long allocate(long bytes) {
    use();
    Pointer memory = new Pointer();
    int code = cudaMalloc(memory, Math.max(bytes, 256));
    if (code == OUT_OF_MEMORY) {
      cudaGetLastError();
      throw CudaException.outOfMemory(description(), bytes, freeMemory());
    }
    check(code, "allocate memory");
    blocks.put(memory.address(), bytes);
    allocated += bytes;
    zero(memory.address(), bytes);
    synchronize();
    peak = Math.max(peak, allocated);
    return memory.address();
  }

  @Override
  public void free(long address) {
    use();
    synchronize();
    check(cudaFree(new Address(address)), "free memory");
    allocated -= blocks.remove(address);
  }

  @Override
  public long peakBytes() {
    return peak;
  }

  @Override
  public ByteBuffer allocateHost(int bytes) {
    use();
    Pointer memory = new Pointer();
    check(cudaHostAlloc(memory, Math.max(bytes, 1), cudaHostAllocDefault), "pin host memory");
    pinned.add(memory.address());
    return new BytePointer(memory).capacity(Math.max(bytes, 1)).asByteBuffer();
  }

  @Override
  public void freeHost(ByteBuffer memory) {
    use();
    synchronize();
    long address = new BytePointer(memory).address();
    check(cudaFreeHost(new Address(address)), "free host memory");
    pinned.remove(address);
  }

  @Override
  public void upload(ByteBuffer from, long to) {
    copyAsync(address(from), to, from.remaining(), cudaMemcpyHostToDevice);
    synchronize();
    // Its memory goes with it, and the caller may have no further use for it.
    Reference.reachabilityFence(from);
  }

  @Override
  public void download(long from, ByteBuffer to) {
    copyAsync(from, address(to), to.remaining(), cudaMemcpyDeviceToHost);
    synchronize();
    Reference.reachabilityFence(to);
  }

  private static long address(ByteBuffer direct) {
    return new BytePointer(direct).address() + direct.position();
  }

  private void copyAsync(long from, long to, long bytes, int kind) {
    use();
    if (bytes > 0) {
      check(
          cudaMemcpyAsync(new Address(to), new Address(from), bytes, kind, stream), "copy memory");
    }
  }

  @Override
  public void uploadLater(ByteBuffer from, long to) {
    copyAsync(address(from), to, from.remaining(), cudaMemcpyHostToDevice);
  }

  @Override
  public void downloadLater(long from, ByteBuffer to) {
    copyAsync(from, address(to), to.remaining(), cudaMemcpyDeviceToHost);
  }

  @Override
  public void copy(long from, long to, long bytes) {
    copyAsync(from, to, bytes, cudaMemcpyDeviceToDevice);
  }

  @Override
  public void copyFrom(CudaDriver other, long from, long to, long bytes) {
    NvidiaDriver source = (NvidiaDriver) other;
    if (source.index == index) {
      copy(from, to, bytes);
      return;
    }
    use();
    if (peers.add(source.index)) {
      reach(source.index);
    }
    check(
        cudaMemcpyPeerAsync(new Address(to), index, new Address(from), source.index, bytes, stream),
        "copy memory of " + source.name());
  }

  /** Cards that reach each other copy directly; others through the host, of CUDA's own accord. */
  private void reach(int other) {
    int[] can = new int[1];
    check(cudaDeviceCanAccessPeer(can, index, other), "look for other cards");
    // A card that is reached already refuses.
    if (can[0] != 0 && cudaDeviceEnablePeerAccess(other, 0) != 0) {
      cudaGetLastError();
    }
  }

  @Override
  public void zero(long address, long bytes) {
    use();
    if (bytes > 0) {
      check(cudaMemsetAsync(new Address(address), 0, bytes, stream), "zero memory");
    }
  }

  @Override
  public void synchronize() {
    use();
    check(cudaStreamSynchronize(stream), "finish its work");
  }

  @Override
  public Mark mark() {
    use();
    CUevent_st event = new CUevent_st();
    check(cudaEventCreateWithFlags(event, cudaEventDisableTiming), "make an event");
    record(event);
    return new Mark() {
      @Override
      public void await() {
        use();
        int code = cudaEventSynchronize(event);
        cudaEventDestroy(event);
        check(code, "finish its work");
      }

      /** CUDA keeps a forgotten event for as long as somebody waits for it. */
      @Override
      public void before(CudaDriver other) {
        int code = cudaStreamWaitEvent(((NvidiaDriver) other).stream(), event, 0);
        cudaEventDestroy(event);
        check(code, "wait for a card");
      }
    };
  }

  /** Forgets the event where that fails. */
  private void record(CUevent_st event) {
    int code = cudaEventRecord(event, stream);
    if (code != 0) {
      cudaEventDestroy(event);
    }
    check(code, "record an event");
  }

  @Override
  public CudaFunction function(String file, String kernel, List<String> defines) {
    return functions.computeIfAbsent(
        file + " " + kernel + " " + defines,
        key -> {
          Compiled compiled = new Compiled(file, kernel, compiler.compile(file, kernel, defines));
          unloaded.add(compiled);
          return new CudaFunction(kernel, compiled);
        });
  }

  /** A kernel from its compilation to its launch. */
  private final class Compiled {
    final String file;
    final String kernel;
    final Future<byte[]> code;

    /** Null until it is loaded. */
    CUfunc_st function;

    /** The dynamic shared memory that it may have. */
    int sharedBytes = UNASKED_SHARED_BYTES;

    Compiled(String file, String kernel, Future<byte[]> code) {
      this.file = file;
      this.kernel = kernel;
      this.code = code;
    }

    /** Waits until it is compiled, the first time. */
    CUfunc_st function() {
      if (function == null) {
        use();
        CUmod_st module = new CUmod_st();
        try (BytePointer bytes = new BytePointer(await())) {
          check(
              cuModuleLoadData(module, bytes),
              String.format(Locale.ROOT, "load %s of %s", kernel, file));
        }
        modules.add(module);
        CUfunc_st found = new CUfunc_st();
        check(cuModuleGetFunction(found, module, kernel), "find " + kernel + " in " + file);
        function = found;
        unloaded.remove(this);
      }
      return function;
    }

    private byte[] await() {
      try {
        return code.get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CudaException(
            String.format(Locale.ROOT, "The thread was interrupted while %s was compiled.", file));
      } catch (ExecutionException e) {
        CudaException failure = new CudaException(e.getCause().getMessage());
        failure.initCause(e.getCause());
        throw failure;
      }
    }
  }

  /** A module cannot be loaded while a graph is recorded. */
  private void loadAll() {
    for (Compiled compiled : List.copyOf(unloaded)) {
      try {
        compiled.function();
      } catch (CudaException e) {
        // Reported by the launch, if there is one.
        unloaded.remove(compiled);
      }
    }
  }

  @Override
  public void launch(CudaFunction function, Launch launch, CudaArguments arguments) {
    use();
    Compiled compiled = (Compiled) function.handle();
    CUfunc_st loaded = compiled.function();
    if (launch.sharedBytes() > compiled.sharedBytes) {
      check(
          cuFuncSetAttribute(
              loaded, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, launch.sharedBytes()),
          String.format(
              Locale.ROOT,
              "give %s %d bytes of shared memory",
              function.name(),
              launch.sharedBytes()));
      compiled.sharedBytes = launch.sharedBytes();
    }
    check(
        cuLaunchKernel(
            loaded,
            launch.gridX(),
            launch.gridY(),
            launch.gridZ(),
            launch.threads(),
            1,
            1,
            launch.sharedBytes(),
            stream,
            arguments.pointers(),
            (PointerPointer<?>) null),
        "launch " + function.name());
    Reference.reachabilityFence(arguments);
  }

  @Override
  public CudaGraph graph(List<Kernel> kernels) {
    use();
    loadAll();
    CUgraph_st graph = new CUgraph_st();
    check(
        cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
        "begin to record a graph");
    boolean hasRecorded = false;
    try {
      kernels.forEach(Kernel::run);
      hasRecorded = true;
    } finally {
      // In any case, for a stream that is still recording refuses all else.
      int code = cudaStreamEndCapture(stream, graph);
      if (hasRecorded) {
        check(code, "record a graph");
      } else {
        cudaGetLastError();
        forget(graph);
      }
    }
    try {
      CUgraphExec_st executable = new CUgraphExec_st();
      check(cudaGraphInstantiate(executable, graph, 0), "make a graph");
      return new Recorded(executable);
    } finally {
      forget(graph);
    }
  }

  /** A graph that could not be recorded is none. */
  private static void forget(CUgraph_st graph) {
    if (!graph.isNull()) {
      cudaGraphDestroy(graph);
    }
  }

  private final class Recorded implements CudaGraph {

    private final CUgraphExec_st executable;

    Recorded(CUgraphExec_st executable) {
      this.executable = executable;
    }

    @Override
    public void run() {
      use();
      check(cudaGraphLaunch(executable, stream), "run a graph");
    }

    @Override
    public void close() {
      synchronize();
      check(cudaGraphExecDestroy(executable), "forget a graph");
    }
  }

  @Override
  public double milliseconds(Runnable work) {
    use();
    CUevent_st begin = new CUevent_st();
    CUevent_st end = new CUevent_st();
    check(cudaEventCreate(begin), "make an event");
    try {
      check(cudaEventCreate(end), "make an event");
      check(cudaEventRecord(begin, stream), "record an event");
      work.run();
      check(cudaEventRecord(end, stream), "record an event");
      check(cudaEventSynchronize(end), "finish its work");
      float[] milliseconds = new float[1];
      check(cudaEventElapsedTime(milliseconds, begin, end), "read a clock");
      return milliseconds[0];
    } finally {
      cudaEventDestroy(begin);
      if (!end.isNull()) {
        cudaEventDestroy(end);
      }
    }
  }

  /**
   * Gives back what is left, too: where memory ran out, nobody may know any more what was allocated
   * before.
   */
  @Override
  public void close() {
    compiler.close();
    try {
      synchronize();
      if (cudnnPlans != null) {
        cudnnPlans.close();
      }
      if (cudnn != null) {
        checkCudnn(cudnnDestroy(cudnn));
      }
    } finally {
      use();
      modules.forEach(org.bytedeco.cuda.global.cudart::cuModuleUnload);
      modules.clear();
      blocks.keySet().forEach(address -> cudaFree(new Address(address)));
      blocks.clear();
      pinned.forEach(address -> cudaFreeHost(new Address(address)));
      pinned.clear();
      cudaStreamDestroy(stream);
      cudaGetLastError();
    }
  }
}
