package org.ddpm4j.io.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.Text;

/**
 * Where the hub is and where its files are kept.
 *
 * @param endpoint the server
 * @param cache the folder of the cache, made when it is needed
 * @param token by which the server knows the user; empty for nobody
 * @param offline true to read the cache alone
 */
public record HubSettings(URI endpoint, Path cache, Optional<String> token, boolean offline) {

  private static final String DEFAULT_ENDPOINT = "https://huggingface.co";
  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");

  private static final SmallTextFile TOKEN_FILE =
      new SmallTextFile(1 << 16, "token of the hub", "log in again");

  /**
   * Checks the server and the token.
   *
   * @throws IllegalArgumentException if the server is none of http or https, or the token has
   *     characters that no token has
   */
  public HubSettings {
    Objects.requireNonNull(cache, "cache");
    boolean isHttp = "https".equals(endpoint.getScheme()) || "http".equals(endpoint.getScheme());
    if (!isHttp || endpoint.getHost() == null) {
      throw new IllegalArgumentException(
          Text.format(
              "The hub's address is %s; it must begin with https:// and name a server (HF_ENDPOINT).",
              endpoint));
    }
    if (token.isPresent() && !token.get().matches("[!-~]+")) {
      throw new IllegalArgumentException(
          "The hub's token has spaces or other characters that no token has; correct HF_TOKEN, or"
              + " log in again.");
    }
  }

  /**
   * As Python's {@code huggingface_hub} would have them here.
   *
   * @return the settings
   * @throws IOException if the file of the token cannot be read
   * @throws IllegalArgumentException if a variable has a value that makes no sense
   */
  public static HubSettings ofEnvironment() throws IOException {
    return of(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  /**
   * Of environment variables: {@code HF_ENDPOINT}; {@code HF_HUB_CACHE}, or {@code hub} in {@code
   * HF_HOME}, which is {@code huggingface} in {@code XDG_CACHE_HOME} or {@code ~/.cache}; {@code
   * HF_TOKEN}, or the file that {@code HF_TOKEN_PATH} names, or {@code token} in {@code HF_HOME},
   * where a login leaves it; {@code HF_HUB_OFFLINE}.
   *
   * @param environment the variables
   * @param home the user's folder
   * @return the settings
   * @throws IOException if the file of the token cannot be read
   * @throws IllegalArgumentException if a variable has a value that makes no sense
   */
  public static HubSettings of(Map<String, String> environment, Path home) throws IOException {
    Objects.requireNonNull(environment, "environment");
    Objects.requireNonNull(home, "home");
    Path caches = path(environment, home, "XDG_CACHE_HOME").orElse(home.resolve(".cache"));
    Path hub = path(environment, home, "HF_HOME").orElse(caches.resolve("huggingface"));
    Path cache =
        path(environment, home, "HF_HUB_CACHE")
            .or(() -> path(environment, home, "HUGGINGFACE_HUB_CACHE"))
            .orElse(hub.resolve("hub"));
    Path tokenFile = path(environment, home, "HF_TOKEN_PATH").orElse(hub.resolve("token"));
    Optional<String> token =
        value(environment, "HF_TOKEN").or(() -> value(environment, "HUGGING_FACE_HUB_TOKEN"));
    if (token.isEmpty() && Files.exists(tokenFile)) {
      token = Optional.of(TOKEN_FILE.read(tokenFile).strip()).filter(text -> !text.isEmpty());
    }
    boolean offline =
        Stream.of("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
            .flatMap(name -> value(environment, name).stream())
            .anyMatch(text -> TRUE.contains(text.toUpperCase(Locale.ROOT)));
    String endpoint = value(environment, "HF_ENDPOINT").orElse(DEFAULT_ENDPOINT);
    return new HubSettings(URI.create(endpoint.replaceAll("/+$", "")), cache, token, offline);
  }

  private static Optional<String> value(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name))
        .map(String::strip)
        .filter(text -> !text.isEmpty());
  }

  private static Optional<Path> path(Map<String, String> environment, Path home, String name) {
    return value(environment, name)
        .map(text -> text.startsWith("~/") ? home.resolve(text.substring(2)) : Path.of(text));
  }

  /** Without the token, which nobody should read in a log. */
  @Override
  public String toString() {
    return Text.format(
        "HubSettings[endpoint=%s, cache=%s, token=%s, offline=%s]",
        endpoint, cache, token.isPresent() ? "…" : "none", offline);
  }
}
