package org.ddpm4j.cli.terminal;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.ddpm4j.io.AtomicFile;

/**
 * Lets work end in good order when the user presses Ctrl-C or the system asks the program to end.
 * The virtual machine waits until this is closed; its exit code is then that of the signal, 130 for
 * Ctrl-C.
 */
public final class Interruption implements AutoCloseable {

  /** The exit code of a process that the user ended: by convention 128 and the number of SIGINT. */
  public static final int EXIT_CODE = 130;

  /** Of these that have not been closed. */
  private static final AtomicInteger OPEN = new AtomicInteger();

  private final CountDownLatch workEnded = new CountDownLatch(1);
  private final Thread hook;
  private volatile boolean requested;

  /**
   * Listens from now on.
   *
   * @param onRequest called once, in another thread
   */
  public Interruption(Runnable onRequest) {
    hook =
        new Thread(
            () -> {
              requested = true;
              onRequest.run();
              awaitEnd();
            },
            "interruption");
    OPEN.incrementAndGet();
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Lets files be whole that are being written when the user presses Ctrl-C or the system asks the
   * program to end, of work that does not listen to either. Work that does still writes what it has
   * to, and ends itself.
   */
  public static void finishWritesAtEnd() {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (OPEN.get() == 0) {
                    AtomicFile.finishWrites();
                  }
                },
                "writes"));
  }

  /** What a command does. */
  @FunctionalInterface
  public interface Work {
    /**
     * Does the work.
     *
     * @return an exit code
     * @throws IOException if the work fails
     */
    int run() throws IOException;
  }

  /**
   * Does work that ends, without a word, when its thread is interrupted, as sampling does.
   *
   * @param work returns an exit code
   * @return that exit code, or 130 if the user ended the work
   * @throws IOException if the work fails
   */
  public static int ofThread(Work work) throws IOException {
    try (Interruption interruption = new Interruption(Thread.currentThread()::interrupt)) {
      try {
        return work.run();
      } catch (CancellationException | IOException e) {
        // A file that was being read when the interrupt came is an IOException, too.
        if (interruption.isRequested()) {
          return EXIT_CODE;
        }
        throw e;
      }
    }
  }

  private void awaitEnd() {
    try {
      workEnded.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Whether the work should end.
   *
   * @return whether the user or the system asked for it
   */
  public boolean isRequested() {
    return requested;
  }

  @Override
  public void close() {
    if (workEnded.getCount() > 0) {
      OPEN.decrementAndGet();
    }
    workEnded.countDown();
    if (!requested) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The signal came this very moment; the hook finds the work ended.
        return;
      }
    }
  }
}
