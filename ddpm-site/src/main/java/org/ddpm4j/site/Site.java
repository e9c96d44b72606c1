package org.ddpm4j.site;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The site: a page of HTML for each page of Markdown, with its pictures, beside {@code apidocs},
 * the Javadoc of all modules.
 */
public final class Site {

  private static final String STYLE = "style.css";
  private static final String SEARCH = "search.js";

  private final Path project;
  private final Path folder;
  private final Map<Path, Page> pages = new TreeMap<>();
  private final List<String> deadLinks = new ArrayList<>();

  private Site(Path project, Path folder) {
    this.project = project.toAbsolutePath().normalize();
    this.folder = folder.toAbsolutePath().normalize();
  }

  /**
   * Makes the site.
   *
   * @param args the folder of the project, and the folder of the site, which holds {@code apidocs}
   * @throws IOException if a page cannot be read or written
   * @throws IllegalStateException if a link leads nowhere
   */
  public static void main(String[] args) throws IOException {
    Site site = new Site(Path.of(args[0]), Path.of(args[1]));
    site.read();
    site.write();
    if (!site.deadLinks.isEmpty()) {
      throw new IllegalStateException(
          "Links of the pages lead nowhere:\n" + String.join("\n", site.deadLinks));
    }
    System.out.printf(Locale.ROOT, "%d pages in %s%n", site.pages.size(), site.folder);
  }

  private void read() throws IOException {
    List<Path> files = new ArrayList<>();
    for (String name : List.of("README.md", "CONTRIBUTING.md", "CHANGELOG.md")) {
      files.add(project.resolve(name));
    }
    for (String name : List.of("docs", "models")) {
      try (Stream<Path> found = Files.walk(project.resolve(name))) {
        found.filter(file -> file.toString().endsWith(".md")).forEach(files::add);
      }
    }
    for (Path file : files) {
      pages.put(file, Page.parse(Files.readString(file)));
    }
  }

  private void write() throws IOException {
    Files.createDirectories(folder);
    for (String name : List.of(STYLE, SEARCH)) {
      try (var resource = Site.class.getResourceAsStream(name)) {
        Files.copy(resource, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    Files.writeString(folder.resolve("search-index.js"), index());
    darkenJavadoc();
    for (Map.Entry<Path, Page> entry : pages.entrySet()) {
      Path target = target(entry.getKey());
      Files.createDirectories(target.getParent());
      String body = entry.getValue().toHtml(link -> resolve(entry.getKey(), link));
      Files.writeString(target, html(target, entry.getValue().title(), body));
    }
  }

  /** Javadoc of JDK 17 is light alone, and asks for fonts that not every JDK brings. */
  private void darkenJavadoc() throws IOException {
    Path sheet = folder.resolve("apidocs").resolve("stylesheet.css");
    if (!Files.exists(sheet)) {
      return;
    }
    String light = Files.readString(sheet).replaceFirst("@import url\\([^)]*\\);\\R", "");
    try (var resource = Site.class.getResourceAsStream("javadoc-dark.css")) {
      String dark = new String(resource.readAllBytes(), StandardCharsets.UTF_8);
      Files.writeString(sheet, light.endsWith(dark) ? light : light + dark);
    }
  }

  /**
   * What the search looks through, as a script: a page that is opened as a file may load one, but
   * may not read data.
   */
  private String index() {
    StringJoiner sections = new StringJoiner(",\n", "const sections = [\n", "\n];\n");
    for (Map.Entry<Path, Page> entry : pages.entrySet()) {
      Page page = entry.getValue();
      String target = folder.relativize(target(entry.getKey())).toString().replace('\\', '/');
      for (Page.Section section : page.sections()) {
        sections.add(
            String.format(
                Locale.ROOT,
                "[%s, %s, %s, %s]",
                quoted(target + "#" + Page.anchor(section.heading())),
                quoted(page.title()),
                quoted(section.heading()),
                quoted(section.text())));
      }
    }
    return sections.toString();
  }

  private static String quoted(String text) {
    String escaped = text.replace("\\", "\\\\").replace("\"", "\\\"");
    // What would end the script's line, or the script.
    return '"'
        + escaped.replaceAll("[\\p{Cntrl}\\u2028\\u2029]", " ").replace("<", "\\u003c")
        + '"';
  }

  /** Where a page goes: the README of a folder is its index. */
  private Path target(Path file) {
    String name = file.getFileName().toString();
    String html =
        name.equals("README.md") ? "index.html" : name.substring(0, name.length() - 3) + ".html";
    return folder.resolve(project.relativize(file)).resolveSibling(html);
  }

  /** A link of a page, as one of the site; what it leads to is copied if need be. */
  private String resolve(Path page, String link) {
    if (link.contains("://") || link.startsWith("mailto:")) {
      return link;
    }
    int hash = link.indexOf('#');
    String anchor = hash < 0 ? "" : link.substring(hash + 1);
    String path = hash < 0 ? link : link.substring(0, hash);
    Path file = path.isEmpty() ? page : page.resolveSibling(path).normalize();
    if (Files.isDirectory(file) && Files.exists(file.resolve("README.md"))) {
      file = file.resolve("README.md");
    }
    Page target = pages.get(file);
    if (target != null) {
      if (!anchor.isEmpty() && !target.anchors().contains(anchor)) {
        deadLinks.add(page + ": " + link);
      }
      return relative(page, target(file)) + (anchor.isEmpty() ? "" : "#" + anchor);
    }
    Path documented = documentation(file);
    if (documented != null) {
      return relative(page, documented);
    }
    return copy(page, link, file);
  }

  /** The Javadoc of a source file or of a package's folder, if there is any. */
  private Path documentation(Path file) {
    String name = project.relativize(file).toString().replace('\\', '/');
    String marker = "/src/main/java/";
    int at = name.indexOf(marker);
    if (at < 0) {
      return null;
    }
    String type = name.substring(at + marker.length());
    Path html =
        folder
            .resolve("apidocs")
            .resolve(
                type.endsWith(".java")
                    ? type.substring(0, type.length() - 5) + ".html"
                    : type + "/package-summary.html");
    return Files.exists(html) ? html : null;
  }

  private String copy(Path page, String link, Path file) {
    if (!file.startsWith(project) || !Files.exists(file)) {
      deadLinks.add(page + ": " + link);
      return link;
    }
    Path target = folder.resolve(project.relativize(file));
    try {
      if (Files.isDirectory(file)) {
        target = target.resolve("index.html");
        copyFolder(file, target);
      } else {
        copyFile(file, target);
      }
    } catch (IOException e) {
      throw new IllegalStateException("Cannot copy " + file + " to " + target + ": " + e, e);
    }
    return relative(page, target);
  }

  private static void copyFile(Path file, Path target) throws IOException {
    Files.createDirectories(target.getParent());
    Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
  }

  /** The files of a folder, and a page that lists them. */
  private void copyFolder(Path source, Path page) throws IOException {
    String title = Page.escape(project.relativize(source).toString().replace('\\', '/'));
    StringJoiner list = new StringJoiner("\n", "<h1>" + title + "</h1>\n<ul>\n", "\n</ul>\n");
    try (Stream<Path> files = Files.walk(source)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        String name = source.relativize(file).toString().replace('\\', '/');
        copyFile(file, page.resolveSibling(name));
        list.add("<li>" + link(Page.escape(name), Page.escape(name)).strip() + "</li>");
      }
    }
    Files.writeString(page, html(page, title, list.toString()));
  }

  private String relative(Path page, Path to) {
    return target(page).getParent().relativize(to).toString().replace('\\', '/');
  }

  private String html(Path target, String title, String body) {
    String up = target.getParent().relativize(folder).toString().replace('\\', '/');
    String root = up.isEmpty() ? "" : up + "/";
    String links =
        link(root + "index.html", "ddpm4j")
            + link(root + "docs/index.html", "All pages")
            + link(root + "docs/lessons/index.html", "Lessons")
            + link(root + "docs/from-java.html", "From Java")
            + link(root + "docs/cli.html", "The program")
            + link(root + "apidocs/index.html", "Javadoc");
    return String.format(
        Locale.ROOT,
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>%s</title>
        <link rel="stylesheet" href="%s">
        </head>
        <body>
        <nav>%s<input type="search" id="search" placeholder="Search the pages" aria-label="Search the pages" autocomplete="off"></nav>
        <ol id="found" data-root="%s" hidden></ol>
        <main>
        %s</main>
        <script src="%s" defer></script>
        <script src="%s" defer></script>
        </body>
        </html>
        """,
        Page.escape(title),
        root + STYLE,
        links,
        root,
        body,
        root + "search-index.js",
        root + SEARCH);
  }

  private static String link(String to, String title) {
    return "<a href=\"" + to + "\">" + title + "</a>\n";
  }
}
