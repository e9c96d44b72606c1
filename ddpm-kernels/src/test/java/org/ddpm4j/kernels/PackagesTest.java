package org.ddpm4j.kernels;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Operations and plans know no device; the packages depend on each other in one direction. */
class PackagesTest {

  private static final String OPS = "org.ddpm4j.kernels.ops..";
  private static final String RANDOM = "org.ddpm4j.kernels.random..";
  private static final String PLAN = "org.ddpm4j.kernels.plan..";
  private static final String[] NATIVES = {"org.bytedeco..", "com.sun.jna.."};

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("org.ddpm4j.kernels");

  @Test
  void operationsAndPlansKnowNoNatives() {
    noClasses()
        .that()
        .resideInAnyPackage(RANDOM, OPS, PLAN)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(NATIVES)
        .check(CLASSES);
  }

  @Test
  void operationsKnowNoPlansAndPlansNoDevice() {
    noClasses()
        .that()
        .resideInAPackage(OPS)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(PLAN, "org.ddpm4j.kernels.cpu..", "org.ddpm4j.kernels.nd4j..")
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage(PLAN)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.ddpm4j.kernels.cpu..", "org.ddpm4j.kernels.nd4j..")
        .check(CLASSES);
  }

  @Test
  void thereAreNoCircles() {
    slices().matching("org.ddpm4j.kernels.(*)..").should().beFreeOfCycles().check(CLASSES);
  }
}
