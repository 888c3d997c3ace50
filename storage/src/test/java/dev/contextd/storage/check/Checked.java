package dev.contextd.storage.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.FixtureData;
import dev.contextd.storage.FixtureData.Doc;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A store that was checked: the report, and what was handed over as intact.
 *
 * @param intact by name of the folder
 */
record Checked(CheckReport report, Map<String, IntactCollection> intact) {
  static final String MEMORIES = "e9f85bf6";
  static final String CHECKPOINTS = "a1ef3a3d";
  static final String REMEDIATIONS = "f546c161";

  static Checked of(Path root) throws IOException {
    return of(root, new LocalDisk());
  }

  static Checked of(Path root, Disk disk) throws IOException {
    Map<String, IntactCollection> intact = new LinkedHashMap<>();
    CheckReport report =
        new StoreCheck(disk, Workers.common())
            .check(
                root,
                KnownStore.NOTHING,
                found -> intact.put(String.valueOf(found.folder().getFileName()), found));
    return new Checked(report, intact);
  }

  /** Copies chromem-go's own store into an empty folder. */
  static void fixture(Path root) throws IOException {
    FixtureData.copy("plain", root);
  }

  /** The one damage there is. */
  <D extends Damage> D only(Class<D> kind) {
    assertThat(report.damage()).hasSize(1);
    assertThat(report.damage().getFirst()).isInstanceOf(kind);
    return kind.cast(report.damage().getFirst());
  }

  FolderReport folder(String name) {
    return report.folders().stream()
        .filter(found -> found.folder().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** The documents served from a folder, by id; none where it is not served. */
  Map<String, Doc> documents(String folder) {
    Map<String, Doc> documents = new LinkedHashMap<>();
    IntactCollection found = intact.get(folder);
    if (found != null) {
      found
          .documents()
          .forEach(served -> documents.put(served.document().id(), Doc.of(served.document())));
    }
    return documents;
  }

  /** The text of a document that is served. */
  String content(String folder, String id) {
    Doc document = documents(folder).get(id);
    assertThat(document).as("document %s in %s", id, folder).isNotNull();
    return document == null ? "" : document.content();
  }

  void requireRepair(Damage damage, Damage.Loss loss, Class<? extends Repair> repair) {
    assertThat(damage.loss()).isEqualTo(loss);
    assertThat(damage.repair()).isInstanceOf(repair);
    assertThat(damage.sentence()).endsWith(".").doesNotContain("..").hasSizeGreaterThan(10);
  }

  /** Every collection but this is served whole. */
  void requireOthersWhole(String folder) {
    Map<String, Integer> counts = Map.of(MEMORIES, 6, CHECKPOINTS, 40, REMEDIATIONS, 0);
    counts.forEach((other, count) -> {
      if (!other.equals(folder)) {
        assertThat(intact).containsKey(other);
        assertThat(documents(other)).hasSize(count);
        assertThat(folder(other).health()).isEqualTo(FolderReport.Health.HEALTHY);
      }
    });
  }

  /** Writes a collection's folder with a metadata file. */
  static Path collection(Path root, String name) throws IOException {
    Path folder = Files.createDirectories(root.resolve(Names.hash(name)));
    byte[] metadata =
        MetadataFormat.encode(new StoredCollection(name, Map.of()), Compression.PLAIN);
    Files.write(folder.resolve("00000000.gob"), metadata);
    return folder;
  }

  static byte[] document(String id, String content, float... vector) {
    return DocumentFormat.encode(
        new StoredDocument(id, Map.of(), vector, content), Compression.PLAIN);
  }

  /** Writes a document into the file that is its own. */
  static Path put(Path folder, String id, float... vector) throws IOException {
    return Files.write(
        folder.resolve(Names.hash(id) + ".gob"), document(id, "text of " + id, vector));
  }

  static void makeFifo(Path path) throws Exception {
    assertThat(new ProcessBuilder("mkfifo", path.toString()).inheritIO().start().waitFor())
        .isZero();
  }

  static List<Path> filesOf(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }
}
