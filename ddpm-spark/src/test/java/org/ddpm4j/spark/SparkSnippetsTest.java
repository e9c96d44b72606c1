package org.ddpm4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Java that docs/spark.md shows compiles. That of all other pages is compiled by SnippetsTest of
 * ddpm-cli, which has no Spark on its class path.
 */
class SparkSnippetsTest {

  private static final Path PAGE = Path.of("../docs/spark.md");

  /** A comment with the declarations that the code takes for granted, if there is one; the code. */
  private static final Pattern BLOCK =
      Pattern.compile("(?ms)(?:^<!-- given: ([^\n]*) -->\n)?^```java\n(.*?)^```$");

  /** What a fragment may name without saying where it is. */
  private static final String IMPORTS =
      List.of(
              "java.nio.file.Path",
              "java.util.List",
              "org.apache.hadoop.conf.Configuration",
              "org.apache.spark.api.java.JavaSparkContext",
              "org.apache.spark.sql.Dataset",
              "org.apache.spark.sql.Row",
              "org.apache.spark.sql.SparkSession",
              "org.ddpm4j.data.*",
              "org.ddpm4j.diffusion.*",
              "org.ddpm4j.diffusion.config.*",
              "org.ddpm4j.diffusion.run.*",
              "org.ddpm4j.evaluation.*",
              "org.ddpm4j.spark.data.*",
              "org.ddpm4j.spark.evaluation.*",
              "org.ddpm4j.spark.sampling.*",
              "org.ddpm4j.spark.training.*")
          .stream()
          .map(name -> "import " + name + ";\n")
          .collect(Collectors.joining());

  @TempDir private Path classes;

  /** A block as a source file, which remembers where its lines are on the page. */
  private static final class Source extends SimpleJavaFileObject {

    private final String head;
    private final String code;
    private final long line;

    Source(int number, String given, String code, long line) {
      super(URI.create("string:///Snippet.java"), Kind.SOURCE);
      this.head =
          String.format(
              Locale.ROOT,
              "package snippets.s%d;\n%sclass Snippet {\n%s\nvoid snippet() throws Exception {\n",
              number,
              IMPORTS,
              given);
      this.code = code;
      this.line = line;
    }

    @Override
    public String getCharContent(boolean ignoreEncodingErrors) {
      return head + code + "}\n}\n";
    }

    String place(long ofSource) {
      return PAGE + ":" + (ofSource - head.lines().count() + line - 1);
    }
  }

  @Test
  void javaCompiles() throws IOException {
    String page = Files.readString(PAGE);
    List<Source> sources = new ArrayList<>();
    for (MatchResult block : BLOCK.matcher(page).results().toList()) {
      String given = block.group(1) == null ? "" : block.group(1);
      long line = page.substring(0, block.start(2)).lines().count() + 1;
      sources.add(new Source(sources.size(), given, block.group(2), line));
    }
    assertThat(sources).hasSize(page.split("```java\n", -1).length - 1).hasSizeGreaterThan(3);

    DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
    // No processors: Log4j, which Spark brings, has one.
    List<String> options =
        List.of(
            "-proc:none",
            "-d",
            classes.toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "-Xmaxerrs",
            "1000");
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(diagnostics, Locale.ROOT, StandardCharsets.UTF_8)) {
      compiler.getTask(Writer.nullWriter(), files, diagnostics, options, null, sources).call();
    }
    assertThat(
            diagnostics.getDiagnostics().stream()
                .filter(found -> found.getKind() == Diagnostic.Kind.ERROR)
                .map(SparkSnippetsTest::sentence))
        .isEmpty();
    assertThat(classes.resolve("snippets/s0/Snippet.class")).exists();
  }

  private static String sentence(Diagnostic<? extends JavaFileObject> found) {
    String place =
        found.getSource() instanceof Source source ? source.place(found.getLineNumber()) : "";
    return place + ": " + found.getMessage(Locale.ROOT);
  }
}
