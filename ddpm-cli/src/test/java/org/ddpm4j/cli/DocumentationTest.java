package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the pages name is there. */
class DocumentationTest {

  private static final Path PROJECT = Path.of("..");
  private static final Pattern LINK = Pattern.compile("]\\(([^)#\\s]+)(#[^)]*)?\\)");
  private static final Pattern ANCHOR = Pattern.compile("]\\(([^)#\\s:]*)#([^)\\s]+)\\)");
  private static final Pattern CLASS =
      Pattern.compile("`([A-Z][A-Za-z0-9]+(Test|Example|Unet))\\b");

  private static List<Path> pages() throws IOException {
    try (Stream<Path> docs = Files.walk(PROJECT.resolve("docs"));
        Stream<Path> models = Files.walk(PROJECT.resolve("models"))) {
      Stream<Path> root =
          Stream.of("README.md", "CONTRIBUTING.md", "CHANGELOG.md").map(PROJECT::resolve);
      Stream<Path> found =
          Stream.concat(docs, models).filter(page -> page.toString().endsWith(".md"));
      return Stream.concat(found, root).toList();
    }
  }

  private static List<String> found(Pattern pattern, Path page) throws IOException {
    return pattern
        .matcher(Files.readString(page))
        .results()
        .map((MatchResult match) -> match.group(1))
        .toList();
  }

  @Test
  void linksLeadSomewhere() throws IOException {
    for (Path page : pages()) {
      for (String link : found(LINK, page)) {
        if (!link.contains("://")) {
          assertThat(page.resolveSibling(link)).as("a link in %s", page).exists();
        }
      }
    }
  }

  @Test
  void anchorsAreHeadings() throws IOException {
    for (Path page : pages()) {
      for (MatchResult link : ANCHOR.matcher(Files.readString(page)).results().toList()) {
        Path target = link.group(1).isEmpty() ? page : page.resolveSibling(link.group(1));
        if (target.toString().endsWith(".md")) {
          assertThat(anchors(target)).as("%s: %s", page, link.group()).contains(link.group(2));
        }
      }
    }
  }

  /** Of headings: letters and digits in lower case, hyphens for spaces, and nothing else. */
  private static List<String> anchors(Path page) throws IOException {
    return Files.readAllLines(page).stream()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .toList();
  }

  @Test
  void theChecklistNamesClassesThatExist() throws IOException {
    Set<String> classes;
    try (Stream<Path> files = Files.walk(PROJECT)) {
      classes =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".java"))
              .map(name -> name.substring(0, name.length() - ".java".length()))
              .collect(Collectors.toSet());
    }
    List<String> named = found(CLASS, PROJECT.resolve("docs/seed-checklist.md"));
    assertThat(named).hasSizeGreaterThan(80);
    assertThat(classes).containsAll(named);
  }
}
