package org.ddpm4j.cuda;

import java.nio.ByteBuffer;
import java.util.List;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * One card: its memory, its compiler and one stream, in which everything runs in order. {@link
 * NvidiaDriver} is a real one; the tests have one that runs the same sources on a CPU.
 */
interface CudaDriver extends AutoCloseable {

  /** For example "cuda:0". */
  String name();

  /** The card's name and memory, for people. */
  String description();

  int multiprocessors();

  /** The most shared memory, static and dynamic, that one block may have, in bytes. */
  int sharedMemoryPerBlock();

  /** Bytes that are free on the card, whoever uses the rest. */
  long freeMemory();

  /**
   * Zeroed memory.
   *
   * @throws org.ddpm4j.kernels.plan.DeviceMemoryException if the card has not that much
   */
  long allocate(long bytes);

  void free(long address);

  /** The most that was allocated at once, in bytes. */
  long peakBytes();

  /** Memory of the host that the card can read and write while the host goes on. */
  ByteBuffer allocateHost(int bytes);

  void freeHost(ByteBuffer memory);

  /** Copies the remaining bytes of a direct buffer and waits. */
  void upload(ByteBuffer from, long to);

  /** Waits for the stream, then fills the remaining bytes of a direct buffer. */
  void download(long from, ByteBuffer to);

  /** Enqueues a copy from memory of {@link #allocateHost}, which must stay as it is until then. */
  void uploadLater(ByteBuffer from, long to);

  /** Enqueues a copy to memory of {@link #allocateHost}. */
  void downloadLater(long from, ByteBuffer to);

  /** Enqueues a copy within the card. */
  void copy(long from, long to, long bytes);

  /**
   * Enqueues a copy from another card's memory, or from that of another user of this card. What is
   * copied must be there by then: see {@link Mark#before}.
   */
  void copyFrom(CudaDriver other, long from, long to, long bytes);

  /** Enqueues zeroing. */
  void zero(long address, long bytes);

  /** Waits for everything that was enqueued. */
  void synchronize();

  /** A mark in the stream, behind all that was enqueued. */
  Mark mark();

  /** A place in the stream, which is waited for once. */
  interface Mark {

    /** Waits until everything before it is done. */
    void await();

    /**
     * Lets what another card enqueues from now on wait until everything before the mark is done.
     */
    void before(CudaDriver other);
  }

  /**
   * A kernel of one of our sources, which begins to be compiled when first asked for, beside others
   * and beside what the host does. Only a launch waits for it, and reports what does not compile.
   *
   * @param file in the resources of this package
   * @param kernel its name there
   * @param defines of the preprocessor
   */
  CudaFunction function(String file, String kernel, List<String> defines);

  /** Enqueues a kernel. */
  void launch(CudaFunction function, Launch launch, CudaArguments arguments);

  /** All of these kernels in one launch, recorded once: a CUDA graph. */
  CudaGraph graph(List<Kernel> kernels);

  /** What was recorded. */
  interface CudaGraph extends Kernel, AutoCloseable {
    @Override
    void close();
  }

  /** The milliseconds that the card takes for some work, measured by the card. */
  double milliseconds(Runnable work);

  @Override
  void close();
}
