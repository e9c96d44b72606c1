package org.ddpm4j.data;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Where published data sets are looked for, in this order: the data folder, if one is given, and
 * then nowhere else; the user's cache; the folder where system packages install data sets; the
 * network; at last the images that come with this library, where there are any.
 *
 * @param dataFolder the folder that holds the files, if the user named one
 * @param cacheFolder the user's cache; each data set has a folder in it, made when needed
 * @param systemFolder where system packages install data sets; each has a folder in it
 * @param network whether a data set may be downloaded into the cache
 * @param mirror an http or https address to download from, in place of the data sets' own; each
 *     data set has a folder in it
 * @param connectTimeout how long to wait for a connection, more than 0
 * @param stallTimeout how long a connection may stay silent before it is given up, more than 0
 */
public record DataSources(
    Optional<Path> dataFolder,
    Path cacheFolder,
    Path systemFolder,
    Network network,
    Optional<URI> mirror,
    Duration connectTimeout,
    Duration stallTimeout) {

  // Short, because a machine without a network should not keep its user waiting.
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration STALL_TIMEOUT = Duration.ofSeconds(20);
  private static final Path SYSTEM_FOLDER = Path.of("/usr/share/datasets");
  private static final String CACHE_NAME = "ddpm4j";

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if a timeout is not more than 0, or the mirror is not an http
   *     or https address
   */
  public DataSources {
    Objects.requireNonNull(connectTimeout, "connectTimeout");
    Objects.requireNonNull(dataFolder, "dataFolder");
    Objects.requireNonNull(cacheFolder, "cacheFolder");
    Objects.requireNonNull(systemFolder, "systemFolder");
    Objects.requireNonNull(network, "network");
    Objects.requireNonNull(mirror, "mirror");
    requirePositive(connectTimeout, "connect timeout");
    requirePositive(stallTimeout, "stall timeout");
    if (mirror.isPresent()) {
      String scheme = String.valueOf(mirror.get().getScheme()).toLowerCase(Locale.ROOT);
      if (!scheme.equals("http") && !scheme.equals("https")) {
        throw new IllegalArgumentException(
            "The mirror is " + mirror.get() + ", expected an http or https address.");
      }
    }
  }

  private static void requirePositive(Duration timeout, String name) {
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException(
          "The " + name + " is " + timeout + ", expected more than zero.");
    }
  }

  /**
   * The places of this machine: the cache is {@code $XDG_CACHE_HOME/ddpm4j}, or {@code
   * ~/.cache/ddpm4j} where that variable is not set to an absolute path (XDG Base Directory
   * Specification); system packages install into {@code /usr/share/datasets}; downloads are
   * allowed.
   *
   * @return the sources
   */
  public static DataSources ofHost() {
    return ofHost(System.getenv(), home(System.getenv(), System.getProperty("user.home")));
  }

  /** Java calls the home of a user "?" whom the system does not know, as in many containers. */
  static Path home(Map<String, String> environment, String known) {
    boolean isKnown = known != null && !known.isBlank() && !known.equals("?");
    return Path.of(isKnown ? known : environment.getOrDefault("HOME", ""));
  }

  static DataSources ofHost(Map<String, String> environment, Path home) {
    Path named = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
    Path caches = named.isAbsolute() ? named : home.resolve(".cache");
    return new DataSources(
        Optional.empty(),
        caches.resolve(CACHE_NAME),
        SYSTEM_FOLDER,
        Network.ALLOWED,
        Optional.empty(),
        CONNECT_TIMEOUT,
        STALL_TIMEOUT);
  }

  /**
   * These sources with a data folder.
   *
   * @param folder the folder that holds the files; nothing else is looked at
   * @return the changed sources
   */
  public DataSources withDataFolder(Path folder) {
    return new DataSources(
        Optional.of(folder),
        cacheFolder,
        systemFolder,
        network,
        mirror,
        connectTimeout,
        stallTimeout);
  }

  /**
   * These sources with or without the network.
   *
   * @param newNetwork whether a data set may be downloaded
   * @return the changed sources
   */
  public DataSources withNetwork(Network newNetwork) {
    return new DataSources(
        dataFolder, cacheFolder, systemFolder, newNetwork, mirror, connectTimeout, stallTimeout);
  }

  /**
   * These sources with a mirror.
   *
   * @param address an http or https address
   * @return the changed sources
   * @throws IllegalArgumentException if it is another kind of address
   */
  public DataSources withMirror(URI address) {
    return new DataSources(
        dataFolder,
        cacheFolder,
        systemFolder,
        network,
        Optional.of(address),
        connectTimeout,
        stallTimeout);
  }
}
