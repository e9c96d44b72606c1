package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.ddpm4j.cli.measure.DistancesCommand;
import org.ddpm4j.cli.terminal.Console;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Java that a page shows compiles, and the program knows the options of commands that it shows. */
class SnippetsTest {

  private static final Pattern TYPE =
      Pattern.compile(
          "(?m)^(?:(?:public|static|final|abstract|sealed) )*(?:class|record|interface|enum) (\\w+)");

  /** What a fragment may name without saying where it is; all our packages besides. */
  private static final List<String> IMPORTS =
      List.of(
          "java.awt.image.BufferedImage",
          "java.io.*",
          "java.nio.file.*",
          "java.time.*",
          "java.util.*",
          "java.util.function.*",
          "java.util.stream.*",
          "javax.imageio.ImageIO",
          "org.nd4j.autodiff.samediff.SDVariable",
          "org.nd4j.linalg.api.buffer.DataType",
          "org.nd4j.linalg.api.ndarray.INDArray",
          "org.nd4j.linalg.dataset.DataSet",
          "org.nd4j.linalg.dataset.ViewIterator",
          "org.nd4j.linalg.dataset.api.iterator.DataSetIterator",
          "org.nd4j.linalg.factory.Nd4j",
          "org.nd4j.linalg.indexing.NDArrayIndex");

  /** Of classes that the program does not bring; SparkSnippetsTest of ddpm-spark compiles it. */
  private static final Path OF_SPARK = Path.of("spark.md");

  private static final Pattern INLINE = Pattern.compile("`((?:\\./)?ddpm(?: [^`]*)?)`");
  private static final Pattern WORD = Pattern.compile("\"[^\"]*\"|'[^']*'|[^\\s\"']+");

  private static final CommandLine PROGRAM = program();

  @TempDir private Path classes;

  /** A block as a source file, which remembers where its lines are on the page. */
  private static final class Source extends SimpleJavaFileObject {

    private final Page.Block block;
    private final String head;
    private final String tail;

    Source(Page.Block block, String type, String head, String tail) {
      super(URI.create("string:///" + type + ".java"), Kind.SOURCE);
      this.block = block;
      this.head = head;
      this.tail = tail;
    }

    @Override
    public String getCharContent(boolean ignoreEncodingErrors) {
      return head + block.code() + tail;
    }

    String place(long line) {
      return block.page() + ":" + (line - head.lines().count() + block.line() - 1);
    }
  }

  @Test
  void javaCompiles() throws IOException {
    String imports = imports();
    List<Source> sources = new ArrayList<>();
    for (Page page : Page.all()) {
      for (Page.Block block : page.blocks()) {
        if (block.isIn("java") && !page.path().endsWith(OF_SPARK)) {
          sources.add(source(block, "snippets.s" + sources.size(), imports));
        }
      }
    }
    assertThat(sources).hasSizeGreaterThan(40);

    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
    List<String> options =
        List.of(
            "-proc:none",
            "-d",
            classes.toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "-Xmaxerrs",
            "1000");
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(diagnostics, Locale.ROOT, StandardCharsets.UTF_8)) {
      compiler.getTask(Writer.nullWriter(), files, diagnostics, options, null, sources).call();
    }
    assertThat(
            diagnostics.getDiagnostics().stream()
                .filter(found -> found.getKind() == Diagnostic.Kind.ERROR)
                .map(SnippetsTest::sentence))
        .isEmpty();
  }

  private static String sentence(Diagnostic<? extends JavaFileObject> found) {
    String place =
        found.getSource() instanceof Source source ? source.place(found.getLineNumber()) : "";
    return place + ": " + found.getMessage(Locale.ROOT);
  }

  private static Source source(Page.Block block, String packageName, String imports) {
    Matcher type = TYPE.matcher(block.code());
    boolean declares = type.find();
    String head = "package " + packageName + ";\n";
    if (block.code().startsWith("import ")) {
      return new Source(block, declares ? type.group(1) : "Imports", head, "");
    }
    head += imports + "class Snippet {\n" + block.given() + "\n";
    return declares
        ? new Source(block, "Snippet", head, "}\n")
        : new Source(
            block,
            "Snippet",
            head + "Object snippet() throws Exception {\nif (true) {\n",
            "}\nreturn null;\n}\n}\n");
  }

  private static String imports() throws IOException {
    TreeSet<String> packages = new TreeSet<>();
    try (Stream<Path> modules = Files.list(Path.of(".."))) {
      for (Path module : modules.toList()) {
        Path sources = module.resolve("src/main/java");
        if (Files.isDirectory(sources) && !module.endsWith("ddpm-cli")) {
          try (Stream<Path> files = Files.walk(sources)) {
            files
                .filter(file -> file.toString().endsWith(".java"))
                .map(file -> sources.relativize(file.getParent()).toString())
                .map(folder -> folder.replace(File.separatorChar, '/'))
                .filter(SnippetsTest::isOnClassPath)
                .forEach(folder -> packages.add(folder.replace('/', '.')));
          }
        }
      }
    }
    return Stream.concat(IMPORTS.stream(), packages.stream().map(name -> name + ".*"))
        .map(name -> "import " + name + ";\n")
        .collect(Collectors.joining());
  }

  private static boolean isOnClassPath(String folder) {
    return SnippetsTest.class.getClassLoader().getResource(folder) != null;
  }

  @Test
  void theProgramTakesTheCommandsOfBlocks() throws IOException {
    Map<String, List<String>> refused = new HashMap<>();
    int seen = 0;
    for (Page page : Page.all()) {
      for (Page.Block block : page.blocks()) {
        if (block.isIn("sh", "bash", "console", "")) {
          for (String line : block.code().replace("\\\n", " ").lines().toList()) {
            if (line.matches("(\\$ )?(\\./)?ddpm .*")) {
              seen++;
              note(refused, block.page() + ": " + line, errors(line, false));
            }
          }
        }
      }
    }
    assertThat(seen).isGreaterThan(30);
    assertThat(refused).isEmpty();
  }

  /** A command within a sentence may leave out what it has to say besides. */
  @Test
  void theProgramTakesTheCommandsOfSentences() throws IOException {
    Map<String, List<String>> refused = new HashMap<>();
    int seen = 0;
    for (Page page : Page.all()) {
      for (String command :
          INLINE.matcher(page.text()).results().map(match -> match.group(1)).toList()) {
        seen++;
        note(refused, page.path() + ": " + command, errors(command, true));
      }
    }
    assertThat(seen).isGreaterThan(60);
    assertThat(refused).isEmpty();
  }

  @Test
  void anOptionThatDoesNotExistIsSeen() {
    assertThat(errors("./ddpm sample --no-such-option 3", true))
        .singleElement()
        .asString()
        .contains("--no-such-option");
    assertThat(errors("./ddpm no-such-command", true)).isNotEmpty();
    assertThat(errors("./ddpm convert --run runs/NAME", false)).isNotEmpty();
    assertThat(errors("./ddpm sample --count 3 > log  # draws", false)).isEmpty();
  }

  private static void note(Map<String, List<String>> refused, String what, List<String> errors) {
    if (!errors.isEmpty()) {
      refused.put(what, errors);
    }
  }

  private static List<String> errors(String command, boolean mayBeIncomplete) {
    List<String> words = new ArrayList<>();
    for (String word :
        WORD.matcher(command.replaceFirst("^\\$ ", "").replaceAll("(^|\\s)(#|;|&&|\\||>|2>).*", ""))
            .results()
            .map(match -> match.group())
            .toList()) {
      // Placeholders: what stands for more, and for a number.
      if (!word.equals("…") && !word.equals("...")) {
        words.add(word.replaceAll("^[\"']|[\"']$", "").replaceAll("^N$", "1"));
      }
    }
    List<Exception> errors = new ArrayList<>();
    try {
      for (ParseResult result =
              PROGRAM.parseArgs(
                  DistancesCommand.named(words.subList(1, words.size()).toArray(String[]::new)));
          result != null;
          result = result.subcommand()) {
        errors.addAll(result.errors());
      }
    } catch (ParameterException e) {
      errors.add(e);
    }
    return errors.stream()
        .filter(error -> !(mayBeIncomplete && error instanceof MissingParameterException))
        .map(Exception::getMessage)
        .toList();
  }

  private static CommandLine program() {
    CommandLine program =
        Main.commandLine(
            new Console(
                new ByteArrayOutputStream(),
                new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
                OptionalInt.empty()));
    collectErrors(program);
    return program;
  }

  private static void collectErrors(CommandLine command) {
    command.getCommandSpec().parser().collectErrors(true);
    command.getSubcommands().values().forEach(SnippetsTest::collectErrors);
  }
}
