package org.ddpm4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A page of the documentation.
 *
 * @param path of the file
 * @param text all of it
 */
record Page(Path path, String text) {

  private static final Path PROJECT = Path.of("..");
  private static final String FENCE = "```";
  private static final String GIVEN = "<!-- given:";

  /**
   * A fenced block of code.
   *
   * @param page that it is on
   * @param line of the page that its first line is, from 1
   * @param language that the fence names, or nothing
   * @param given what the comment above the fence says: {@code <!-- given: MEMBERS -->}, the
   *     declarations that the code takes for granted
   * @param code of several lines
   */
  record Block(Path page, int line, String language, String given, String code) {

    boolean isIn(String... languages) {
      return List.of(languages).contains(language);
    }
  }

  /** All pages for users. */
  static List<Page> all() throws IOException {
    List<Page> pages = new ArrayList<>();
    try (Stream<Path> docs = Files.walk(PROJECT.resolve("docs"));
        Stream<Path> models = Files.walk(PROJECT.resolve("models"))) {
      for (Path page :
          Stream.of(
                  Stream.of("README.md", "CONTRIBUTING.md", "CHANGELOG.md").map(PROJECT::resolve),
                  docs,
                  models)
              .flatMap(part -> part)
              .filter(file -> file.toString().endsWith(".md"))
              .sorted()
              .toList()) {
        pages.add(of(page));
      }
    }
    return pages;
  }

  static Page of(Path path) throws IOException {
    return new Page(path, Files.readString(path));
  }

  /** The fenced blocks in their order. */
  List<Block> blocks() {
    List<Block> blocks = new ArrayList<>();
    List<String> lines = text.lines().toList();
    String given = "";
    int i = 0;
    while (i < lines.size()) {
      String line = lines.get(i);
      if (line.startsWith(GIVEN)) {
        int end = i;
        while (!lines.get(end).endsWith("-->")) {
          end++;
        }
        given = String.join("\n", lines.subList(i, end + 1));
        given = given.substring(GIVEN.length(), given.length() - "-->".length());
        i = end + 1;
      } else if (line.startsWith(FENCE)) {
        int end = i + 1;
        while (!lines.get(end).equals(FENCE)) {
          end++;
        }
        String language = line.substring(FENCE.length()).strip();
        String code = String.join("\n", lines.subList(i + 1, end)) + "\n";
        blocks.add(new Block(path, i + 2, language, given, code));
        given = "";
        i = end + 1;
      } else {
        i++;
      }
    }
    return blocks;
  }
}
