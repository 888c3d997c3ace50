package dev.contextd.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.Document;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.testkit.Fixtures;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every kind of damage: what finds it, what repairs it, and whether anything is lost. */
class EveryDamageTest {
  private static final String NOTES = "notes";
  private static final String FOLDER = Names.hash(NOTES);
  private static final float[] UNIT = {1, 0, 0};

  /** Tested where they can be made: what they need no test of this kind can do here. */
  private static final Set<String> ELSEWHERE =
      Set.of(
          "name_ambiguous", // MetadataDamageTest
          "document_ambiguous", // DocumentDamageTest
          "text_not_utf8", // DocumentDamageTest
          "folder_unreadable", // UnreadableFolderTest
          "collection_recreated", // ForeignChangesTest
          "journal_damaged"); // JournalDamageTest

  @TempDir Path temp;

  private Path root() {
    return temp.resolve("store");
  }

  /** Who puts it right. */
  enum Repair {
    /** The opening of the store. */
    ITSELF,
    /** A scrub, by the clock or on request. */
    SCRUB,
    /** {@code ctxd metadata recover notes}. */
    RECOVER,
    /** {@code ctxd repair}, out of quarantine or from a backup. */
    REPAIR,
    /** {@code ctxd metadata quarantine restore}. */
    RESTORE,
    /** {@code ctxd trash restore}. */
    TRASH,
    /** Nobody here: it is left as it is, and everything is served all the same. */
    LEFT,
    /** Its owner: it is left as it is, and something is not served. */
    OWNER
  }

  /** Does the damage to the folder of {@code notes}. */
  @FunctionalInterface
  interface Fault {
    void strike(Path root, Path folder, Path document) throws IOException;
  }

  enum Case {
    METADATA_MISSING(false, Repair.RECOVER, (root, folder, doc) -> Files.delete(metadata(folder))),
    METADATA_UNREADABLE(
        false, Repair.RECOVER, (root, folder, doc) -> Files.writeString(metadata(folder), "x")),
    METADATA_UNKNOWN(
        false,
        Repair.RECOVER,
        (root, folder, doc) -> Files.delete(metadata(root.resolve(Names.hash("org_memories"))))),
    METADATA_SPOILED(
        true, Repair.ITSELF, (root, folder, doc) -> Files.writeString(metadata(folder), "x")),
    METADATA_MISPLACED(
        false, Repair.LEFT, (root, folder, doc) -> Files.move(folder, root.resolve("00112233"))),
    NAME_CLAIMED_TWICE(
        false,
        Repair.REPAIR,
        (root, folder, doc) -> Fixtures.copyTree(folder, root.resolve("00112233"))),
    DOCUMENT_UNREADABLE(
        false, Repair.REPAIR, (root, folder, doc) -> Files.writeString(doc, "no gob")),
    DOCUMENT_MISPLACED(
        false,
        Repair.RESTORE,
        (root, folder, doc) -> Files.move(doc, folder.resolve("00112233.gob"))),
    DOCUMENT_DUPLICATE(
        false,
        Repair.REPAIR,
        (root, folder, doc) -> {
          String stem = String.valueOf(doc.getFileName()).replace(".gob", "");
          Path older = write(folder.resolve(stem + "-1.gob"), "d0", "older", UNIT);
          Files.setLastModifiedTime(older, FileTime.fromMillis(0));
        }),
    DOCUMENT_COPY(
        false, Repair.LEFT, (root, folder, doc) -> Files.copy(doc, folder.resolve("00112233.gob"))),
    DOCUMENT_MISSING(true, Repair.ITSELF, (root, folder, doc) -> Files.delete(doc)),
    DOCUMENT_SPOILED(true, Repair.ITSELF, (root, folder, doc) -> Files.writeString(doc, "no gob")),
    DOCUMENT_CHANGED(
        true, Repair.TRASH, (root, folder, doc) -> write(doc, "d0", "another program's", UNIT)),
    COLLECTION_VANISHED(true, Repair.TRASH, (root, folder, doc) -> removeTree(folder)),
    DIMENSION_MISMATCH(
        false,
        Repair.OWNER,
        (root, folder, doc) ->
            write(folder.resolve(Names.hash("odd") + ".gob"), "odd", "", new float[] {1, 0})),
    VECTOR_UNUSABLE(
        false,
        Repair.OWNER,
        (root, folder, doc) ->
            write(folder.resolve(Names.hash("nil") + ".gob"), "nil", "", new float[3])),
    INACCESSIBLE(
        false,
        Repair.OWNER,
        (root, folder, doc) ->
            Files.createSymbolicLink(folder.resolve("00112233.gob"), root.resolve("nowhere"))),
    TRAILING_BYTES(
        false,
        Repair.LEFT,
        (root, folder, doc) -> Files.write(doc, new byte[] {0}, StandardOpenOption.APPEND)),
    LEFTOVER(
        false, Repair.LEFT, (root, folder, doc) -> Files.writeString(folder.resolve("a.txt"), "")),
    PACK_DAMAGED(true, Repair.SCRUB, (root, folder, doc) -> turnBit(pack(root))),
    CATALOG_LOST(
        true,
        Repair.ITSELF,
        (root, folder, doc) -> {
          Files.writeString(root.resolve(".contextd/manifest"), "x");
          Files.writeString(root.resolve(".contextd/manifest.copy"), "x");
        });

    /** Whether the store had been opened here before. */
    private final boolean isKnown;

    private final Repair repair;
    private final Fault fault;

    Case(boolean isKnown, Repair repair, Fault fault) {
      this.isKnown = isKnown;
      this.repair = repair;
      this.fault = fault;
    }

    String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  private static Path metadata(Path folder) {
    return folder.resolve("00000000.gob");
  }

  private static Path pack(Path root) throws IOException {
    try (Stream<Path> packs = Files.list(root.resolve(".contextd/packs"))) {
      return packs.max(Comparator.comparingLong(path -> path.toFile().length())).orElseThrow();
    }
  }

  private static void turnBit(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    content[content.length / 3] ^= 1;
    Files.write(file, content);
  }

  private static Path write(Path file, String id, String content, float[] vector)
      throws IOException {
    return Files.write(
        file,
        DocumentFormat.encode(new StoredDocument(id, null, vector, content), Compression.PLAIN));
  }

  private static void removeTree(Path tree) throws IOException {
    try (Stream<Path> walk = Files.walk(tree)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private ResilientStore open() throws IOException {
    BackupOptions backups =
        new BackupOptions(temp.resolve("backups"), Duration.ZERO, 3, Optional.empty());
    return ResilientStore.open(root(), StoreOptions.defaults(), HealthOptions.defaults(), backups);
  }

  private static Map<String, Document> contents(ResilientStore store) {
    Map<String, Document> all = new TreeMap<>();
    for (var info : store.store().collections(Scope.ALL)) {
      VectorCollection collection = store.store().collection(info.name(), Scope.ALL).orElseThrow();
      for (Document one : collection.page(Optional.empty(), 1_000).documents()) {
        all.put(info.name() + "/" + one.id(), one);
      }
    }
    return all;
  }

  private static void assertSame(Map<String, Document> found, Map<String, Document> expected) {
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    expected.forEach((name, document) -> {
      Document same = Objects.requireNonNull(found.get(name));
      assertThat(same.content()).as(name).isEqualTo(document.content());
      assertThat(same.metadata()).as(name).isEqualTo(document.metadata());
      assertThat(same.embedding()).as(name).isEqualTo(document.embedding());
    });
  }

  @ParameterizedTest
  @EnumSource(Case.class)
  void isFoundAndPutRight(Case one) throws Exception {
    Map<String, Document> before;
    try (ResilientStore store = open()) {
      for (String name : List.of(NOTES, "org_memories")) {
        VectorCollection collection = store.store().getOrCreate(name, Scope.ALL);
        for (int i = 0; i < 20; i++) {
          float[] vector = {i, 1, 2};
          collection.upsert(List.of(NewDocument.of("d" + i, "text " + i, vector)));
        }
      }
      before = contents(store);
      if (one == Case.DOCUMENT_UNREADABLE) {
        store.backups().create();
      }
    }
    if (!one.isKnown) {
      removeTree(root().resolve(".contextd"));
    }
    Path folder = root().resolve(FOLDER);
    one.fault.strike(root(), folder, folder.resolve(Names.hash("d0") + ".gob"));
    try (ResilientStore store = open()) {
      Set<String> found = new HashSet<>();
      store.store().openReport().damage().forEach(damage -> found.add(damage.word()));
      if (one.repair == Repair.SCRUB) {
        store.scrub().damage().forEach(damage -> found.add(damage.word()));
      }
      assertThat(found).contains(one.word());
      putRight(one, store);
      boolean isServedWhole = one.repair != Repair.OWNER;
      assertThat(store.health().isDegraded())
          .as(store.health().details().toString())
          .isEqualTo(!isServedWhole);
      assertSame(contents(store), before);
    }
    try (ResilientStore store = open()) {
      assertSame(contents(store), before);
      assertThat(store.health().isDegraded()).isEqualTo(one.repair == Repair.OWNER);
    }
    boolean isLeft = one.repair == Repair.LEFT || one.repair == Repair.OWNER;
    assertThat(StoreRoot.check(root()).damage())
        .allMatch(damage -> isLeft && damage.word().equals(one.word()));
  }

  private static void putRight(Case one, ResilientStore store) {
    switch (one.repair) {
      case ITSELF, SCRUB, LEFT, OWNER -> {}
      case RECOVER -> {
        String name = one == Case.METADATA_UNKNOWN ? "org_memories" : NOTES;
        assertThat(store.health().isDegraded()).isTrue();
        store.quarantine().recover(name, Optional.empty());
      }
      case REPAIR -> {
        assertThat(store.health().isDegraded()).isTrue();
        assertThat(store.repairs().execute(false)).allMatch(done -> done.failure().isEmpty());
      }
      case RESTORE -> {
        assertThat(store.repairs().execute(false)).isEmpty();
        store.quarantine().restore(FOLDER, Optional.empty(), false);
      }
      case TRASH -> {
        store.store().checkpoint(); // Our versions are in the trash then.
        store.store().trash().forEach(entry -> store.store().restore(entry.name()));
      }
    }
  }

  @Test
  void everyKindIsTestedAndStandsInTheTable() throws Exception {
    Set<String> kinds =
        Arrays.stream(Damage.class.getPermittedSubclasses())
            .map(Class::getSimpleName)
            .map(name -> name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_"))
            .map(name -> name.toLowerCase(java.util.Locale.ROOT))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> tested =
        Arrays.stream(Case.values()).map(Case::word).collect(Collectors.toCollection(TreeSet::new));
    tested.addAll(ELSEWHERE);
    assertThat(tested).isEqualTo(kinds);
    String page =
        Files.readString(Fixtures.project().resolve("docs/operations/METADATA_RECOVERY.md"));
    assertThat(kinds).allSatisfy(kind -> assertThat(page).contains("`" + kind + "`"));
  }
}
