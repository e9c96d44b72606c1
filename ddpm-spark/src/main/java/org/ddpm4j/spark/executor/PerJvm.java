package org.ddpm4j.spark.executor;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * What all tasks of a Java process share, because it costs much to make: a network with its plans,
 * for instance. Of each type a process keeps one; one of another name takes its place as soon as no
 * task uses it any longer.
 *
 * <p>Spark makes the objects of a task anew for every task, and tells nobody that an executor ends.
 * So this is the one place where a process remembers something, and a shutdown hook closes it.
 */
public final class PerJvm {

  private static final PerJvm OF_THIS_PROCESS = new PerJvm();

  private final Map<Class<?>, Kept<?>> kept = new HashMap<>();
  private boolean hooked;

  /**
   * Makes what is shared.
   *
   * @param <T> its type
   */
  @FunctionalInterface
  public interface Opener<T extends AutoCloseable> {

    /**
     * Makes it.
     *
     * @return what is shared, closed when nobody needs it
     * @throws IOException if that is not possible
     */
    T open() throws IOException;
  }

  /**
   * The use of something shared; others may use it at the same time.
   *
   * @param <T> its type
   */
  public static final class Lease<T extends AutoCloseable> implements AutoCloseable {

    private final PerJvm owner;
    private final Kept<T> kept;
    private boolean ended;

    private Lease(PerJvm owner, Kept<T> kept) {
      this.owner = owner;
      this.kept = kept;
    }

    /**
     * What is shared.
     *
     * @return open until this is closed
     */
    public T value() {
      return kept.value;
    }

    /** Ends the use; a second call does nothing. */
    @Override
    public void close() {
      synchronized (owner) {
        if (!ended) {
          ended = true;
          kept.leases--;
          if (kept.unwanted && kept.leases == 0) {
            kept.close();
          }
        }
      }
    }
  }

  private static final class Kept<T extends AutoCloseable> {

    private final String name;
    private final T value;
    private int leases;
    private boolean unwanted;

    Kept(String name, T value) {
      this.name = name;
      this.value = value;
    }

    void close() {
      try {
        value.close();
      } catch (Exception e) {
        throw new IllegalStateException(name + " could not be closed: " + e.getMessage(), e);
      }
    }
  }

  PerJvm() {}

  /**
   * What this process shares.
   *
   * @return always the same
   */
  public static PerJvm ofThisProcess() {
    return OF_THIS_PROCESS;
  }

  /**
   * Lends something, and makes it first unless the process has it.
   *
   * @param <T> its type
   * @param type of it
   * @param name what tells it from others of its type
   * @param opener makes it
   * @return the lease
   * @throws IOException if it cannot be made
   */
  public synchronized <T extends AutoCloseable> Lease<T> lease(
      Class<T> type, String name, Opener<T> opener) throws IOException {
    Kept<?> present = kept.get(type);
    Kept<T> wanted;
    if (present != null && present.name.equals(name)) {
      @SuppressWarnings("unchecked") // The key is the class of its value.
      Kept<T> same = (Kept<T>) present;
      wanted = same;
    } else {
      // First, so that there is no room for two where there is little memory.
      forget(type);
      wanted = new Kept<>(name, opener.open());
      kept.put(type, wanted);
      hook();
    }
    wanted.leases++;
    return new Lease<>(this, wanted);
  }

  /**
   * Closes what is shared of a type, now or when the last lease ends.
   *
   * @param type of it
   */
  public synchronized void forget(Class<? extends AutoCloseable> type) {
    Kept<?> present = kept.remove(type);
    if (present != null) {
      present.unwanted = true;
      if (present.leases == 0) {
        present.close();
      }
    }
  }

  private void hook() {
    if (!hooked) {
      hooked = true;
      Runtime.getRuntime().addShutdownHook(new Thread(this::closeIdle, "ddpm4j-close"));
    }
  }

  /** What is in use stays open: its tasks do not end, and the process must. */
  private synchronized void closeIdle() {
    kept.values().stream().filter(one -> one.leases == 0).forEach(Kept::close);
    kept.clear();
  }
}
