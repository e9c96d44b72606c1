package org.ddpm4j.studio.server;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.ddpm4j.io.Text;

/** Which handler serves which address. */
final class Routes {

  /** Who may use a route. */
  enum Access {
    /** Whoever reaches the service. */
    ANYBODY,
    /** Who has the token, if there is one. */
    CLIENTS
  }

  /**
   * An address.
   *
   * @param method of the request
   * @param pattern as in {@code /v1/jobs/{id}}
   * @param access who may use it
   * @param handler serves it
   */
  record Route(String method, String pattern, Access access, Consumer<Exchange> handler) {}

  /**
   * A route and what its placeholders stand for.
   *
   * @param route that was found
   * @param parameters by their names
   */
  record Match(Route route, Map<String, String> parameters) {}

  private final List<Route> routes = new ArrayList<>();

  Routes add(String method, String pattern, Consumer<Exchange> handler) {
    routes.add(new Route(method, pattern, Access.CLIENTS, handler));
    return this;
  }

  Routes addPublic(String pattern, Consumer<Exchange> handler) {
    routes.add(new Route("GET", pattern, Access.ANYBODY, handler));
    return this;
  }

  List<Route> all() {
    return List.copyOf(routes);
  }

  /** The route of a request. HEAD is served as GET. */
  Match find(String method, String path) {
    String[] asked = path.split("/", -1);
    TreeSet<String> allowed = new TreeSet<>();
    for (Route route : routes) {
      Map<String, String> parameters = match(route.pattern().split("/", -1), asked);
      if (parameters != null) {
        if (route.method().equals(method.equals("HEAD") ? "GET" : method)) {
          return new Match(route, parameters);
        }
        allowed.add(route.method());
      }
    }
    if (allowed.isEmpty()) {
      throw new Refusal(404, "There is nothing at this address; /v1/openapi.json lists what is.");
    }
    throw new Refusal(
        405,
        Text.format("This address takes %s.", String.join(", ", allowed)),
        Map.of("Allow", String.join(", ", allowed)));
  }

  private static Map<String, String> match(String[] pattern, String[] asked) {
    if (pattern.length != asked.length) {
      return null;
    }
    Map<String, String> parameters = new TreeMap<>();
    for (int i = 0; i < pattern.length; i++) {
      if (pattern[i].startsWith("{")) {
        parameters.put(pattern[i].substring(1, pattern[i].length() - 1), asked[i]);
      } else if (!pattern[i].equals(asked[i])) {
        return null;
      }
    }
    return parameters;
  }
}
