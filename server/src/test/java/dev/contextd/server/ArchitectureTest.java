package dev.contextd.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The house of docs/ARCHITECTURE.md: a room imports only rooms to its left. */
class ArchitectureTest {
  private static final JavaClasses HOUSE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.contextd");

  @Test
  void roomsImportOnlyRoomsToTheirLeft() {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("dev.contextd..")
        .layer("storage")
        .definedBy("dev.contextd.storage..")
        .layer("engine")
        .definedBy("dev.contextd.engine..")
        .layer("resilience")
        .definedBy("dev.contextd.resilience..")
        .layer("embeddings")
        .definedBy("dev.contextd.embeddings..")
        .layer("qdrant")
        .definedBy("dev.contextd.qdrant")
        .layer("server")
        .definedBy("dev.contextd.server..")
        .optionalLayer("testkit")
        .definedBy("dev.contextd.testkit..")
        .optionalLayer("qdrant-testkit")
        .definedBy("dev.contextd.qdrant.testkit..")
        .whereLayer("server")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("embeddings")
        .mayOnlyBeAccessedByLayers("server")
        .whereLayer("qdrant")
        .mayOnlyBeAccessedByLayers("server")
        .whereLayer("resilience")
        .mayOnlyBeAccessedByLayers("server")
        .whereLayer("engine")
        .mayOnlyBeAccessedByLayers("resilience", "embeddings", "qdrant", "server", "qdrant-testkit")
        .whereLayer("storage")
        .mayOnlyBeAccessedByLayers("engine", "resilience", "qdrant", "server", "testkit")
        .check(HOUSE);
  }

  @Test
  void theServerKnowsNoFileFormats() {
    noClasses()
        .that()
        .resideInAPackage("dev.contextd.server..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.contextd.storage.gob..",
            "dev.contextd.storage.chromem..",
            "dev.contextd.storage.disk..",
            "dev.contextd.storage.folder..")
        .check(HOUSE);
  }

  @Test
  void theEngineKnowsNoQuarantine() {
    noClasses()
        .that()
        .resideInAPackage("dev.contextd.engine..")
        .should()
        .dependOnClassesThat()
        .haveSimpleNameStartingWith("Quarantine")
        .check(HOUSE);
  }

  @Test
  void resilienceKnowsNoHttpJsonOrFlags() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.contextd.resilience..", "dev.contextd.engine..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "com.fasterxml..",
            "io.javalin..",
            "org.eclipse.jetty..",
            "picocli..",
            "java.net.http..")
        .check(HOUSE);
  }

  @Test
  void whatOpensFilesForWritingIsReachedThroughOneClass() {
    noClasses()
        .that()
        .haveNameNotMatching(".*[.](LocalCalls([$].*)?|SharedFile)")
        .should()
        .dependOnClassesThat()
        .haveSimpleName("SharedFile")
        .check(HOUSE);
  }

  /** {@code LocalCalls}, and the one kind of file of its own that it gives out. */
  @Test
  void oneClassAloneOpensFilesForWriting() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.contextd.storage..", "dev.contextd.engine..", "dev.contextd.resilience..")
        .and()
        .haveNameNotMatching(".*[.](LocalCalls([$].*)?|SharedFile)")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.nio.channels.FileChannel")
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.io.FileOutputStream")
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.io.RandomAccessFile")
        .orShould()
        .callMethodWhere(
            com.tngtech.archunit.base.DescribedPredicate.describe(
                "a method of Files that writes",
                call ->
                    call.getTargetOwner().isEquivalentTo(java.nio.file.Files.class)
                        && !call.getName().equals("isDirectory")))
        .check(HOUSE);
  }

  @Test
  void programsAloneBindALogger() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.contextd.server..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("ch.qos.logback..")
        .check(HOUSE);
  }

  @Test
  void everyRoomIsNullMarked() {
    classes()
        .that()
        .haveSimpleName("package-info")
        .and()
        .resideInAPackage("dev.contextd..")
        .should()
        .beAnnotatedWith(org.jspecify.annotations.NullMarked.class)
        .check(HOUSE);
  }
}
