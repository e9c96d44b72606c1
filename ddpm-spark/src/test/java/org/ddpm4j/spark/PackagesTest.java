package org.ddpm4j.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** What the test of all modules in ddpm-cli does not see, since the program has no Spark. */
class PackagesTest {

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("org.ddpm4j.spark");

  @Test
  void noPackagesInCircles() {
    slices().matching("org.ddpm4j.spark.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void theExchangeKnowsNeitherSparkNorNetworks() {
    noClasses()
        .that()
        .resideInAPackage("org.ddpm4j.spark.exchange..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.spark..", "org.ddpm4j.unet..", "org.ddpm4j.diffusion..")
        .check(CLASSES);
  }
}
