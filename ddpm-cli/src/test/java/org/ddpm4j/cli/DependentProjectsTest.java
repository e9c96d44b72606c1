package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The projects that pages show are those that the build runs by Maven's invoker. */
class DependentProjectsTest {

  private static final Path PROJECT = Path.of("..");
  private static final Path PAGE = PROJECT.resolve("docs/from-java.md");
  private static final Pattern VERSION =
      Pattern.compile("<artifactId>ddpm4j</artifactId>\\s*<version>([^<]+)</version>");
  private static final Pattern MODULES = Pattern.compile("jlink --add-modules (\\S+) ");
  private static final Pattern COORDINATES = Pattern.compile("\"org\\.\\w+:([\\w-]+):([^:\"]+)");

  private static List<String> blocks(Path page, String language) throws IOException {
    return Page.of(page).blocks().stream()
        .filter(block -> block.isIn(language))
        .map(Page.Block::code)
        .toList();
  }

  private static String parent() throws IOException {
    return Files.readString(PROJECT.resolve("pom.xml"));
  }

  private static String version() throws IOException {
    Matcher version = VERSION.matcher(parent());
    assertThat(version.find()).isTrue();
    return version.group(1);
  }

  @Test
  void theFirstProjectIsBuilt() throws IOException {
    Path built = PROJECT.resolve("ddpm-models/src/it/clothes");
    assertThat(blocks(PAGE, "xml"))
        .contains(
            Files.readString(built.resolve("pom.xml")).replace("@project.version@", version()));
    assertThat(blocks(PAGE, "java"))
        .contains(Files.readString(built.resolve("src/main/java/Clothes.java")));
  }

  @Test
  void theDiscsAreDrawn() throws IOException {
    Path built = PROJECT.resolve("ddpm-diffusion/src/it/discs/src/main/java/Discs.java");
    assertThat(blocks(PROJECT.resolve("README.md"), "java")).contains(Files.readString(built));
  }

  @Test
  void theSpringServiceIsAskedForAPicture() throws IOException {
    Path built = PROJECT.resolve("ddpm-models/src/it/spring-boot/src/main/java/org/example");
    assertThat(blocks(PROJECT.resolve("docs/serving.md"), "java spring"))
        .containsExactly(
            Files.readString(built.resolve("DrawingService.java")),
            Files.readString(built.resolve("DrawingController.java")));
  }

  /** What ND4J and others need beside them is tried by hand; they hardly change. */
  @Test
  void aRuntimeImageHasTheModulesThatTheLibraryNeeds() throws IOException {
    Matcher page = MODULES.matcher(Files.readString(PAGE));
    assertThat(page.find()).isTrue();
    StringWriter needed = new StringWriter();
    StringWriter failure = new StringWriter();
    List<String> arguments =
        new ArrayList<>(
            List.of("--multi-release", "17", "--ignore-missing-deps", "--print-module-deps"));
    for (String module :
        List.of("schedules", "io", "kernels", "unet", "diffusion", "data", "evaluation", "plots")) {
      arguments.add(PROJECT.resolve("ddpm-" + module).resolve("target/classes").toString());
    }
    int result =
        ToolProvider.findFirst("jdeps")
            .orElseThrow()
            .run(
                new PrintWriter(needed),
                new PrintWriter(failure),
                arguments.toArray(String[]::new));
    assertThat(result).as("%s", failure).isZero();
    assertThat(List.of(page.group(1).split(",")))
        .containsAll(
            Stream.of(needed.toString().strip().split(","))
                .filter(module -> !module.equals("java.base"))
                .toList());
  }

  /**
   * ND4J names an older JavaCPP than our natives need, and Maven takes what is named nearest: so
   * whoever names ND4J names JavaCPP.
   */
  @Test
  void noProjectGetsTheJavaCppOfNd4j() throws IOException {
    try (Stream<Path> modules = Files.list(PROJECT)) {
      for (Path pom : modules.map(module -> module.resolve("pom.xml")).toList()) {
        if (Files.exists(pom) && Files.readString(pom).contains("<artifactId>nd4j-api<")) {
          assertThat(Files.readString(pom)).as("%s", pom).contains("<artifactId>javacpp<");
        }
      }
    }
  }

  /** Gradle's users name natives by coordinates, which must be those of the build. */
  @Test
  void gradlesCoordinatesAreOurs() throws IOException {
    String properties = parent();
    Matcher bytedeco = Pattern.compile("<javacpp.version>([^<]+)<").matcher(properties);
    assertThat(bytedeco.find()).isTrue();
    int natives = 0;
    for (String block : blocks(PAGE, "kotlin")) {
      Matcher coordinates = COORDINATES.matcher(block);
      while (coordinates.find()) {
        String library = coordinates.group(1);
        if (library.startsWith("ddpm-")) {
          assertThat(coordinates.group(2)).isEqualTo(version());
        } else {
          natives++;
          String property = library.equals("nd4j-native") ? "nd4j" : library;
          assertThat(properties.replace("${javacpp.version}", bytedeco.group(1)))
              .contains(
                  "<"
                      + property
                      + ".version>"
                      + coordinates.group(2)
                      + "</"
                      + property
                      + ".version>");
        }
      }
    }
    assertThat(natives).isEqualTo(5);
  }
}
