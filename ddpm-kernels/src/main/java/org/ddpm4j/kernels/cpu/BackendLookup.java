package org.ddpm4j.kernels.cpu;

import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.linalg.factory.Nd4jBackend;

/**
 * By which class loader ND4J looks for its backend. By itself it takes the context class loader of
 * the thread that first touches it, which in the JDK's common pool is the system's: a web service
 * that is one JAR, or an application in a container, has its backend elsewhere, and ND4J, once it
 * has failed, cannot be used any more.
 */
public final class BackendLookup {

  private BackendLookup() {}

  private static final class Settled {
    static {
      ClassLoader chosen = ND4JClassLoading.getNd4jClassloader();
      ClassLoader better = better(chosen, BackendLookup.class.getClassLoader());
      if (better != chosen) {
        ND4JClassLoading.setNd4jClassloader(better);
      }
    }

    private Settled() {}

    static void once() {}
  }

  /**
   * Sees to it, once, that ND4J finds a backend if this library's class loader finds one. A class
   * loader that finds one stays; who touches ND4J first must call this before.
   */
  public static void settle() {
    Settled.once();
  }

  /** The class loader that ND4J has if it finds a backend by it or by neither, and else its own. */
  static ClassLoader better(ClassLoader chosen, ClassLoader own) {
    return !findsBackend(chosen) && findsBackend(own) ? own : chosen;
  }

  private static boolean findsBackend(ClassLoader loader) {
    try {
      // Null would be the system's class loader here, but the JDK's own where ND4J uses it.
      return loader != null
          && ServiceLoader.load(Nd4jBackend.class, loader).stream().findAny().isPresent();
    } catch (ServiceConfigurationError e) {
      // Another application's, whose backends are subtypes of another class of this name.
      return false;
    }
  }
}
