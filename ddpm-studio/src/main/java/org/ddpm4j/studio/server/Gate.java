package org.ddpm4j.studio.server;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Refuses whom the service should not serve, before anything is read of the body: requests for
 * another host's name (DNS rebinding), from other pages (cross-site requests), without the token.
 */
final class Gate {

  private static final String SCRIPTS_OF_OURS_ALONE =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
          + "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
          + "form-action 'none'; frame-ancestors 'none'";

  private static final Map<String, String> HEADERS =
      Map.of(
          "Content-Security-Policy", SCRIPTS_OF_OURS_ALONE,
          "X-Content-Type-Options", "nosniff",
          "Referrer-Policy", "no-referrer",
          "Cross-Origin-Opener-Policy", "same-origin",
          "Cross-Origin-Resource-Policy", "same-origin",
          "Permissions-Policy", "camera=(), microphone=(), geolocation=()",
          "X-Frame-Options", "DENY",
          "Cache-Control", "no-store");

  private final Set<String> hosts;
  private final Optional<byte[]> token;

  /**
   * A gate.
   *
   * @param names by which the service may be asked for, besides the loopback's
   * @param token that clients must know, if any
   */
  Gate(List<String> names, Optional<String> token) {
    hosts = new TreeSet<>(List.of("localhost", "127.0.0.1", "[::1]"));
    names.forEach(name -> hosts.add(name.toLowerCase(Locale.ROOT)));
    this.token = token.map(secret -> secret.getBytes(StandardCharsets.UTF_8));
  }

  /** What every answer says. */
  static void addHeaders(HttpServerResponse response, String requestId) {
    MultiMap headers = response.headers();
    HEADERS.forEach(headers::set);
    headers.set("X-Request-Id", requestId);
  }

  /** Lets a request pass or refuses it. */
  void check(HttpServerRequest request, Routes.Access access) {
    String host = request.getHeader("Host");
    if (host == null || !hosts.contains(withoutPort(host))) {
      throw new Refusal(
          421,
          "The service does not answer to this name; ask by its address, or have the name allowed where the service is started.");
    }
    String origin = request.getHeader("Origin");
    if (origin != null && !isSame(origin, host)) {
      throw new Refusal(403, "Requests from other pages are not served.");
    }
    String site = request.getHeader("Sec-Fetch-Site");
    boolean isNavigation = "navigate".equals(request.getHeader("Sec-Fetch-Mode"));
    if (site != null
        && !site.equals("same-origin")
        && !site.equals("none")
        && !(isNavigation && access == Routes.Access.ANYBODY)) {
      throw new Refusal(403, "Requests from other pages are not served.");
    }
    if (access == Routes.Access.CLIENTS && token.isPresent() && !knows(request)) {
      throw new Refusal(
          401,
          "This needs the service's token; send it as Authorization: Bearer TOKEN.",
          Map.of("WWW-Authenticate", "Bearer"));
    }
  }

  private boolean knows(HttpServerRequest request) {
    String said = request.getHeader("Authorization");
    return said != null
        && said.regionMatches(true, 0, "Bearer ", 0, 7)
        && MessageDigest.isEqual(
            said.substring(7).getBytes(StandardCharsets.UTF_8), token.orElseThrow());
  }

  private static String withoutPort(String host) {
    return host.toLowerCase(Locale.ROOT).replaceFirst(":\\d*$", "");
  }

  private static boolean isSame(String origin, String host) {
    try {
      URI uri = URI.create(origin);
      return uri.getAuthority() != null && uri.getAuthority().equalsIgnoreCase(host);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
