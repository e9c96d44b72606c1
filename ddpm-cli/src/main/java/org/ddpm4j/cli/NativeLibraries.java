package org.ddpm4j.cli;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * The native libraries of tensors, loaded by a thread of their own while the command line is read:
 * together they take a fifth of a second. Whoever executes a command waits for them first, since
 * two threads that initialise the same classes in another order would wait for each other.
 */
final class NativeLibraries {

  /** None ahead of time: each is loaded where it is first needed. */
  static final NativeLibraries WHEN_NEEDED =
      new NativeLibraries(CompletableFuture.completedFuture(null));

  /** Commands that always need tensors, and are short enough for a fifth of a second to matter. */
  private static final Set<String> DRAWING =
      Set.of("sample", "inpaint", "image-to-image", "interpolate", "invert");

  /** ND4J's processor backend, which brings its BLAS, and oneDNN. */
  private static final List<String> CLASSES =
      List.of("org.nd4j.linalg.cpu.nativecpu.bindings.Nd4jCpu", "org.bytedeco.dnnl.global.dnnl");

  private final CompletableFuture<Void> loading;

  private NativeLibraries(CompletableFuture<Void> loading) {
    this.loading = loading;
  }

  /**
   * Begins to load them if the command is one that draws.
   *
   * @param args the command line
   * @return what to wait for before the command is executed
   */
  static NativeLibraries ahead(String... args) {
    if (args.length == 0 || !DRAWING.contains(args[0])) {
      return WHEN_NEEDED;
    }
    return ahead(CLASSES);
  }

  /** Begins to initialise these classes, each of which loads a library. */
  static NativeLibraries ahead(List<String> classes) {
    return new NativeLibraries(
        CompletableFuture.runAsync(() -> load(classes), NativeLibraries::start));
  }

  /**
   * Waits until they are loaded.
   *
   * @throws LinkageError if one of them cannot be
   */
  void await() {
    try {
      loading.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e;
    }
  }

  private static void load(List<String> classes) {
    for (String name : classes) {
      try {
        Class.forName(name);
      } catch (ClassNotFoundException e) {
        // ND4J's backend is one for cards.
        return;
      }
    }
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "ddpm native libraries");
    thread.setDaemon(true);
    thread.start();
  }
}
