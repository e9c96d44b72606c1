package org.ddpm4j.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All modules: they depend on each other as docs/architecture.md says, and no packages in circles.
 */
class PackagesTest {

  private static final Path PROJECT = Path.of("..");
  private static final String ROOT = "org.ddpm4j.";

  /** What each module, by its first package, may use. */
  private static final Map<String, Set<String>> MODULES =
      Map.ofEntries(
          Map.entry("schedules", Set.of()),
          Map.entry("io", Set.of()),
          Map.entry("kernels", Set.of()),
          Map.entry("cuda", Set.of("kernels")),
          Map.entry("plots", Set.of("schedules")),
          Map.entry("unet", Set.of("io", "kernels")),
          Map.entry("diffusion", Set.of("io", "kernels", "schedules", "unet")),
          Map.entry("data", Set.of("io", "diffusion")),
          Map.entry("evaluation", Set.of("io", "kernels", "unet", "diffusion")),
          Map.entry(
              "examples",
              Set.of(
                  "io",
                  "schedules",
                  "plots",
                  "kernels",
                  "unet",
                  "diffusion",
                  "data",
                  "evaluation")),
          Map.entry("studio", Set.of("io", "schedules", "unet", "diffusion", "data")),
          Map.entry(
              "cli",
              Set.of(
                  "io",
                  "schedules",
                  "plots",
                  "kernels",
                  "unet",
                  "diffusion",
                  "data",
                  "evaluation",
                  "examples",
                  "studio")));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("org.ddpm4j");

  private static Set<String> modules() {
    return MODULES.keySet();
  }

  @Test
  void allModulesAreSeen() {
    Set<String> seen = CLASSES.stream().map(PackagesTest::module).collect(Collectors.toSet());

    assertThat(seen).isEqualTo(MODULES.keySet());
  }

  @ParameterizedTest
  @MethodSource("modules")
  void modulesDependOneWay(String module) {
    List<String> allowed = new ArrayList<>();
    allowed.add(ROOT + module + "..");
    MODULES.get(module).forEach(other -> allowed.add(ROOT + other + ".."));

    classes()
        .that()
        .resideInAPackage(ROOT + module + "..")
        .should()
        .onlyDependOnClassesThat(
            JavaClass.Predicates.resideOutsideOfPackage(ROOT + ".")
                .or(JavaClass.Predicates.resideInAnyPackage(allowed.toArray(String[]::new))))
        .check(CLASSES);
  }

  @Test
  void noPackagesInCircles() {
    slices().matching("org.ddpm4j.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void packagesUseThoseBelowThemInTheDocumentedTable() throws IOException {
    List<Set<String>> rows = documentedRows();
    Map<String, Integer> rowOf = new HashMap<>();
    for (int row = 0; row < rows.size(); row++) {
      for (String name : rows.get(row)) {
        assertThat(rowOf.put(name, row)).as("the row of %s before", name).isNull();
      }
    }
    Set<String> uses = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      String user = packageOf(type);
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        String used = packageOf(target);
        if (rowOf.containsKey(used)
            && !used.equals(user)
            && rowOf.getOrDefault(user, -1) >= rowOf.get(used)) {
          uses.add(user + " uses " + used);
        }
      }
    }

    assertThat(rowOf.keySet()).isEqualTo(packages());
    assertThat(uses).as("packages that use one that is not below them").isEmpty();
  }

  /** Of each line of the table the packages, from the top. */
  private static List<Set<String>> documentedRows() throws IOException {
    String page = Files.readString(PROJECT.resolve("docs/architecture.md"));
    String table =
        page.split("each of which uses those below it:\\s+```\n", 2)[1].split("```", 2)[0];
    Set<String> known = packages();
    return table
        .lines()
        .map(
            line ->
                // Names and what they are for stand in columns.
                Stream.of(line.split("\\s{2,}"))
                    .flatMap(column -> Stream.of(column.split(", ")))
                    .filter(known::contains)
                    .collect(Collectors.toSet()))
        .toList();
  }

  private static Set<String> packages() {
    return CLASSES.stream().map(PackagesTest::packageOf).collect(Collectors.toSet());
  }

  /** Without what all of ours begin with. */
  private static String packageOf(JavaClass type) {
    String name = type.getPackageName();
    return name.startsWith(ROOT) ? name.substring(ROOT.length()) : name;
  }

  private static String module(JavaClass type) {
    return type.getPackageName().substring(ROOT.length()).split("\\.")[0];
  }
}
