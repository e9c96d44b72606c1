package org.ddpm4j.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All modules: they depend on each other as docs/architecture.md says, and no packages in circles.
 */
class PackagesTest {

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

  private static String module(JavaClass type) {
    return type.getPackageName().substring(ROOT.length()).split("\\.")[0];
  }
}
