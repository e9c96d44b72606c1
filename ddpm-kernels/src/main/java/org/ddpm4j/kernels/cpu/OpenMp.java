package org.ddpm4j.kernels.cpu;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.bytedeco.javacpp.Loader;

/**
 * The number of threads that native libraries use for what the calling thread asks of them.
 *
 * <p>ddpm4j runs one single-threaded plan on each of its threads. oneDNN would start a team of
 * OpenMP threads for each, and those would wait for one another; only the OpenMP runtime itself can
 * be told otherwise, thread by thread.
 */
final class OpenMp {

  private static final String JNA_FOLDER = "jna.tmpdir";

  private OpenMp() {}

  private static final class Runtime {
    static final NativeLibrary LIBRARY = library();
    static final Function SET = LIBRARY.getFunction("omp_set_num_threads");
    static final Function GET = LIBRARY.getFunction("omp_get_max_threads");

    /**
     * JNA unpacks a small library of its own, by itself to a cache in the user's home or to the
     * folder for temporary files, neither of which a container need have. JavaCPP's natives are
     * unpacked already: where they are, there is room, and programs may run.
     */
    private static NativeLibrary library() {
      if (System.getProperty(JNA_FOLDER) != null) {
        return NativeLibrary.getInstance(libraryName());
      }
      try {
        System.setProperty(JNA_FOLDER, Loader.getCacheDir().getPath());
        return NativeLibrary.getInstance(libraryName());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        // JNA has it now, and others who use JNA need not know of it.
        System.clearProperty(JNA_FOLDER);
      }
    }

    private static String libraryName() {
      if (Platform.isMac()) {
        return "omp";
      }
      return Platform.isWindows() ? "vcomp140" : "libgomp.so.1";
    }
  }

  /** Runs with one thread; the calling thread's own number is as before afterwards. */
  static void singleThreaded(Runnable work) {
    int before = Runtime.GET.invokeInt(null);
    if (before == 1) {
      work.run();
      return;
    }
    setThreads(1);
    try {
      work.run();
    } finally {
      setThreads(before);
    }
  }

  private static void setThreads(int threads) {
    Runtime.SET.invokeVoid(new Object[] {threads});
  }
}
