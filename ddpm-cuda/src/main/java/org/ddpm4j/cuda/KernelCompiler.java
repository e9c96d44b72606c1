package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.nvrtc.nvrtcCompileProgram;
import static org.bytedeco.cuda.global.nvrtc.nvrtcCreateProgram;
import static org.bytedeco.cuda.global.nvrtc.nvrtcDestroyProgram;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetCUBIN;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetCUBINSize;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetErrorString;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetNumSupportedArchs;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetPTX;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetPTXSize;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetProgramLog;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetProgramLogSize;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetSupportedArchs;
import static org.bytedeco.cuda.global.nvrtc.nvrtcVersion;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * Compiles kernels of our sources to the machine code of a card, or to PTX for one that is newer
 * than NVRTC, each on its own and as many at a time as there are processors. Keeps the results in a
 * {@link KernelCache}, under a digest of source, options and compiler.
 */
final class KernelCompiler implements AutoCloseable {

  private static final int MOST_THREADS = 16;
  private static final int IDLE_SECONDS = 5;

  /** Of a digest, what names of files are made from. */
  private static final int KEY_BYTES = 16;

  private static final Pattern INCLUDE = Pattern.compile("#include \"(\\w+\\.cuh)\"");

  /** The beginning of a kernel; bounds may have one pair of parentheses within. */
  private static final Pattern KERNEL =
      Pattern.compile(
          "extern \"C\" __global__ void(?:\\s+__launch_bounds__\\((?:[^()]|\\([^()]*\\))*\\))?"
              + "\\s+(\\w+)\\(");

  private static final Map<String, String> SOURCES = new ConcurrentHashMap<>();

  private final Target target;
  private final KernelCache cache;
  private final ThreadPoolExecutor threads;

  KernelCompiler(int major, int minor) {
    target = Target.of(major, minor, known());
    cache = KernelCache.ofUser();
    int processors = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
    threads =
        new ThreadPoolExecutor(
            processors,
            processors,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            KernelCompiler::thread);
    threads.allowCoreThreadTimeOut(true);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "ddpm-cuda-compiler");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * What is compiled for.
   *
   * @param architecture its name, as NVRTC's option has it
   * @param isMachineCode whether the result is that of a card, or else PTX, which the driver of a
   *     card compiles
   */
  record Target(String architecture, boolean isMachineCode) {

    private static final int TENS = 10;
    private static final int FIRST_WITH_OWN_INSTRUCTIONS = 9;

    /**
     * The best that can be had for a card.
     *
     * @param major of its compute capability
     * @param minor of its compute capability
     * @param known the compute capabilities that NVRTC compiles for, each ten times the major
     *     number and the minor one
     * @return machine code where NVRTC knows the card; for a newer one PTX of the newest that it
     *     knows
     */
    static Target of(int major, int minor, int[] known) {
      int card = TENS * major + minor;
      int newest = Arrays.stream(known).filter(one -> one <= card).max().orElse(card);
      if (newest < card) {
        return new Target("compute_" + newest, false);
      }
      // "a": with the instructions that only this very architecture has.
      return new Target("sm_" + card + (major >= FIRST_WITH_OWN_INSTRUCTIONS ? "a" : ""), true);
    }
  }

  private static int[] known() {
    int[] count = new int[1];
    check(nvrtcGetNumSupportedArchs(count), "for any card");
    int[] known = new int[count[0]];
    check(nvrtcGetSupportedArchs(known), "for any card");
    return known;
  }

  /** The code of a kernel, as soon as it is there. */
  Future<byte[]> compile(String file, String kernel, List<String> defines) {
    return threads.submit(() -> find(file, kernel, defines));
  }

  private byte[] find(String file, String kernel, List<String> defines) {
    String source = source(file, kernel);
    List<String> options = options(defines);
    String key = key(source, options);
    return cache
        .find(key)
        .orElseGet(
            () -> {
              byte[] code = code(file, source, options);
              cache.keep(key, code);
              return code;
            });
  }

  /** Waits for what is being compiled, and gives up the rest. */
  @Override
  public void close() {
    threads.shutdownNow();
    try {
      threads.awaitTermination(IDLE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private List<String> options(List<String> defines) {
    List<String> options = new ArrayList<>();
    options.add("--gpu-architecture=" + target.architecture());
    options.add("--std=c++17");
    // No contraction would be needed for equal bits with a CPU; cards are compared within bounds.
    options.add("--extra-device-vectorization");
    defines.forEach(define -> options.add("-D" + define));
    return options;
  }

  /**
   * The text of a source in which only one kernel is one: the others become functions that nobody
   * calls, on which the compiler spends no time.
   */
  static String source(String file, String kernel) {
    boolean[] found = new boolean[1];
    String text =
        KERNEL
            .matcher(SOURCES.computeIfAbsent(file, KernelCompiler::source))
            .replaceAll(
                beginning -> {
                  boolean isWanted = beginning.group(1).equals(kernel);
                  found[0] |= isWanted;
                  return Matcher.quoteReplacement(
                      isWanted
                          ? beginning.group()
                          : String.format(
                              Locale.ROOT, "static __device__ void %s(", beginning.group(1)));
                });
    if (!found[0]) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "There is no kernel %s in %s.", kernel, file));
    }
    return text;
  }

  /** The text of a source, with what it includes, each file once. */
  static String source(String file) {
    return source(file, new HashSet<>());
  }

  private static String source(String file, Set<String> included) {
    return INCLUDE
        .matcher(resource(file))
        .replaceAll(
            header ->
                included.add(header.group(1))
                    ? Matcher.quoteReplacement(source(header.group(1), included))
                    : "");
  }

  private static String resource(String file) {
    try (InputStream in = KernelCompiler.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalArgumentException("There is no source " + file + ".");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String key(String source, List<String> options) {
    int[] major = new int[1];
    int[] minor = new int[1];
    nvrtcVersion(major, minor);
    String all = String.format(Locale.ROOT, "%d.%d\n%s\n%s", major[0], minor[0], options, source);
    return HexFormat.of()
        .formatHex(KernelCache.digest(all.getBytes(StandardCharsets.UTF_8)), 0, KEY_BYTES);
  }

  private byte[] code(String file, String source, List<String> options) {
    _nvrtcProgram program = new _nvrtcProgram();
    try (BytePointer text = new BytePointer(source, StandardCharsets.UTF_8);
        BytePointer name = new BytePointer(file, StandardCharsets.UTF_8);
        PointerPointer<BytePointer> words = new PointerPointer<>(options.toArray(new String[0]));
        SizeTPointer size = new SizeTPointer(1)) {
      check(
          nvrtcCreateProgram(
              program, text, name, 0, (PointerPointer<?>) null, (PointerPointer<?>) null),
          file);
      if (nvrtcCompileProgram(program, options.size(), words) != 0) {
        nvrtcGetProgramLogSize(program, size);
        byte[] log = new byte[Math.toIntExact(size.get())];
        nvrtcGetProgramLog(program, log);
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "%s does not compile with %s:%n%s",
                file,
                options,
                new String(log, StandardCharsets.UTF_8).trim()));
      }
      check(
          target.isMachineCode()
              ? nvrtcGetCUBINSize(program, size)
              : nvrtcGetPTXSize(program, size),
          file);
      byte[] code = new byte[Math.toIntExact(size.get())];
      check(
          target.isMachineCode() ? nvrtcGetCUBIN(program, code) : nvrtcGetPTX(program, code), file);
      return code;
    } finally {
      nvrtcDestroyProgram(program);
    }
  }

  private static void check(int code, String file) {
    if (code != 0) {
      throw new CudaException(
          String.format(
              Locale.ROOT,
              "NVRTC could not compile %s: %s.",
              file,
              nvrtcGetErrorString(code).getString()));
    }
  }
}
