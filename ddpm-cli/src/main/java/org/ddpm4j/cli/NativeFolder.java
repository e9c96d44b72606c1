package org.ddpm4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.ddpm4j.cli.options.Launch;
import org.ddpm4j.io.Text;

/**
 * Where the native libraries are unpacked: in the user's home as JavaCPP does, or else where that
 * is possible. JavaCPP itself looks only at whether a folder can be written to; libraries also need
 * room there, and a file system that lets programs run.
 */
final class NativeFolder {

  /** JavaCPP's own property for it. */
  static final String CACHE = "org.bytedeco.javacpp.cachedir";

  /** Of JNA, which unpacks a small library of its own. */
  private static final String JNA = "jna.tmpdir";

  private static final String HOME = "user.home";

  /** What Java calls the home of a user whom the system does not know. */
  private static final String UNKNOWN = "?";

  private static final int NEEDED_MEGABYTES = 700;

  private NativeFolder() {}

  /**
   * Settles which folders this process uses, before any library is loaded: the home, where Java
   * knows none, is {@code $HOME}; a folder for libraries that the user names is kept.
   *
   * @param system properties of the process, changed where need be
   * @param environment of the process
   */
  static void settle(Properties system, Map<String, String> environment) {
    Path temporary = Path.of(system.getProperty("java.io.tmpdir"));
    if (!isHome(system.getProperty(HOME))) {
      String named = environment.get("HOME");
      system.setProperty(HOME, isHome(named) ? named : temporary.toString());
    }
    if (system.getProperty(CACHE) != null) {
      system.putIfAbsent(JNA, system.getProperty(CACHE));
      return;
    }
    List<Path> places = new ArrayList<>();
    places.add(Path.of(system.getProperty(HOME), ".javacpp", "cache"));
    String caches = environment.getOrDefault("XDG_CACHE_HOME", "");
    if (Path.of(caches).isAbsolute()) {
      places.add(Path.of(caches, "ddpm4j", "natives"));
    }
    places.add(temporary.resolve("ddpm4j-natives-" + owner(system)));
    places.add(Path.of("/var/tmp", "ddpm4j-natives-" + owner(system)));
    places.add(Path.of("/dev/shm", "ddpm4j-natives-" + owner(system)));
    for (int i = 0; i < places.size(); i++) {
      if (isUsable(places.get(i))) {
        if (i > 0) {
          system.setProperty(CACHE, places.get(i).toString());
          system.putIfAbsent(JNA, places.get(i).toString());
        }
        return;
      }
    }
  }

  /**
   * What to do when the libraries could not be loaded.
   *
   * @param failure of loading
   * @return a sentence
   */
  static String sentence(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String folder =
        System.getProperty(
            CACHE, Path.of(System.getProperty(HOME), ".javacpp", "cache").toString());
    String reason = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    // The system says the same of a limit of addresses and of a folder without programs.
    String memory =
        reason.contains("failed to map segment")
            ? "allow more memory, where 'ulimit -v' limits it, or "
            : "";
    return Text.format(
        "The native libraries of ND4J could not be unpacked into the folder %s or loaded from it (%s); %sname one with %d MB to spare, where programs may run, by %s.",
        folder,
        reason,
        memory,
        NEEDED_MEGABYTES,
        Launch.javaOption(Text.format("-D%s=DIR", CACHE)));
  }

  /**
   * Whether a failure is one of loading libraries, and no bug.
   *
   * @param failure of anything
   */
  static boolean explains(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnsatisfiedLinkError || isOfLoader(cause)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isOfLoader(Throwable failure) {
    return Stream.of(failure.getStackTrace())
        .anyMatch(
            frame ->
                frame.getClassName().equals("org.bytedeco.javacpp.Loader")
                    || frame.getClassName().equals("org.nd4j.linalg.factory.Nd4j")
                        && frame.getMethodName().equals("<clinit>"));
  }

  private static boolean isHome(String folder) {
    return folder != null && !folder.isBlank() && !folder.equals(UNKNOWN);
  }

  /** So that users do not meet in folders that all share. */
  private static String owner(Properties system) {
    String name = system.getProperty("user.name");
    if (isHome(name)) {
      return name.replaceAll("[^A-Za-z0-9._-]", "_");
    }
    try {
      return Files.getAttribute(Path.of("/proc/self"), "unix:uid").toString();
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return "user";
    }
  }

  private static boolean isUsable(Path folder) {
    try {
      Files.createDirectories(folder);
      Path trial = Files.createTempFile(folder, ".ddpm4j-", ".tmp");
      try {
        // On a file system without programs, nothing can be executed, whatever its permissions.
        return mayRun(trial) && (holdsLibraries(folder) || hasRoom(folder));
      } finally {
        Files.deleteIfExists(trial);
      }
    } catch (IOException | SecurityException e) {
      return false;
    }
  }

  private static boolean mayRun(Path trial) {
    return trial.toFile().setExecutable(true) && Files.isExecutable(trial);
  }

  private static boolean holdsLibraries(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.anyMatch(Files::isDirectory);
    }
  }

  private static boolean hasRoom(Path folder) throws IOException {
    return Files.getFileStore(folder).getUsableSpace() >> 20 >= NEEDED_MEGABYTES;
  }
}
