package dev.contextd.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** What the operator's tool may not know. */
class ArchitectureTest {

  @Test
  void theToolKnowsNoFileFormatsAndRepairsNothingItself() {
    noClasses()
        .that()
        .resideInAPackage("dev.contextd.cli..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.contextd.storage..", "dev.contextd.resilience..")
        .check(
            new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("dev.contextd"));
  }
}
