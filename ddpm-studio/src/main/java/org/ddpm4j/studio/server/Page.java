package org.ddpm4j.studio.server;

import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ddpm4j.io.Text;

/** The files of the page, which lie in the library's archive and are read once. */
final class Page {

  /** Every file that there is, and its type: no other path is looked for. */
  private static final Map<String, String> TYPES =
      Map.ofEntries(
          Map.entry("index.html", "text/html; charset=utf-8"),
          Map.entry("studio.css", "text/css; charset=utf-8"),
          Map.entry("theme.js", "text/javascript; charset=utf-8"),
          Map.entry("studio.js", "text/javascript; charset=utf-8"),
          Map.entry("api.js", "text/javascript; charset=utf-8"),
          Map.entry("dom.js", "text/javascript; charset=utf-8"),
          Map.entry("draw.js", "text/javascript; charset=utf-8"),
          Map.entry("edit.js", "text/javascript; charset=utf-8"),
          Map.entry("train.js", "text/javascript; charset=utf-8"),
          Map.entry("understand.js", "text/javascript; charset=utf-8"),
          Map.entry("chart.js", "text/javascript; charset=utf-8"),
          Map.entry("gallery.js", "text/javascript; charset=utf-8"),
          Map.entry("run.js", "text/javascript; charset=utf-8"),
          Map.entry("upload.js", "text/javascript; charset=utf-8"),
          Map.entry("icon.svg", "image/svg+xml"));

  private Page() {}

  /** Adds the page to the routes: the index as /, the others by their names. */
  static void addTo(Routes routes) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    TYPES.keySet().forEach(name -> files.put(name, read(name)));
    routes.addPublic("/", exchange -> send(exchange, "index.html", files));
    for (String name : files.keySet()) {
      if (!name.equals("index.html")) {
        routes.addPublic("/" + name, exchange -> send(exchange, name, files));
      }
    }
  }

  private static void send(Exchange exchange, String name, Map<String, byte[]> files) {
    exchange.answer(200, TYPES.get(name), files.get(name));
  }

  static byte[] read(String name) {
    try (InputStream in = Page.class.getResourceAsStream("page/" + name)) {
      if (in == null) {
        throw new IllegalStateException(
            Text.format("The resource %s is missing, which ddpm-studio brings.", name));
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new IllegalStateException("A resource of ddpm-studio cannot be read.", e);
    }
  }
}
