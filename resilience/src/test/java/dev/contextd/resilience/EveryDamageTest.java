package dev.contextd.resilience;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.Document;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.checkpoint.KeeperOptions;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.testkit.Fixtures;
import dev.contextd.testkit.PathFaults;
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
import java.util.HexFormat;
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

  /** What is served that was not there before the fault. */
  enum Beside {
    NOTHING,
    A_DOCUMENT
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
        }),
    TEXT_NOT_UTF8(
        false,
        Repair.LEFT,
        Beside.A_DOCUMENT,
        (root, folder, doc) ->
            Files.write(
                folder.resolve(Names.hash("latin") + ".gob"),
                raw(document("latin", "caf?", UNIT), "caf?", 0xe9))),
    DOCUMENT_AMBIGUOUS(
        false,
        Repair.OWNER,
        Beside.A_DOCUMENT,
        (root, folder, doc) -> {
          for (int last : new int[] {0xff, 0xfe}) {
            Files.write(
                folder.resolve(hash("id", last) + ".gob"),
                raw(document("id?", "", UNIT), "id?", last));
          }
        }),
    NAME_AMBIGUOUS(
        false,
        Repair.OWNER,
        Beside.A_DOCUMENT,
        (root, folder, doc) -> {
          for (int last : new int[] {0xff, 0xfe}) {
            Path other = Files.createDirectory(root.resolve(hash("id", last)));
            byte[] named =
                MetadataFormat.encode(new StoredCollection("id?", Map.of()), Compression.PLAIN);
            Files.write(metadata(other), raw(named, "id?", last));
            write(other.resolve(Names.hash("d0") + ".gob"), "d0", "", UNIT);
          }
        }),
    FOLDER_UNREADABLE(true, Repair.OWNER, Beside.NOTHING, (root, folder, doc) -> {}) {
      @Override
      Disk disk() {
        return new PathFaults(path -> path.endsWith(FOLDER), _ -> false);
      }
    },
    COLLECTION_RECREATED(
        true,
        Repair.TRASH,
        Beside.NOTHING,
        (root, folder, doc) -> {
          removeTree(folder);
          Files.createDirectory(folder);
          Files.write(
              metadata(folder),
              MetadataFormat.encode(new StoredCollection(NOTES, Map.of()), Compression.PLAIN));
          Files.setLastModifiedTime(metadata(folder), FileTime.fromMillis(1));
          write(doc, "d0", "another program's", UNIT);
        }),
    JOURNAL_DAMAGED(
        true,
        Repair.OWNER,
        Beside.A_DOCUMENT,
        (root, folder, doc) -> {
          Path crashed = root.resolveSibling("crashed");
          KeeperOptions late = KeeperOptions.defaults().withInterval(Duration.ofHours(1));
          try (VectorStore store =
              VectorStore.open(root, StoreOptions.defaults().withKeeper(late))) {
            store.upsert(NOTES, List.of(NewDocument.of("lost", "lost", UNIT)), Scope.ALL);
            store.upsert(NOTES, List.of(NewDocument.of("left", "left", UNIT)), Scope.ALL);
            Fixtures.copyTree(root, crashed);
          }
          removeTree(root);
          Files.move(crashed, root);
          Path segment = newest(root.resolve(".contextd/journal"));
          byte[] records = Files.readAllBytes(segment);
          records[new String(records, ISO_8859_1).indexOf("lost")] ^= 1;
          Files.write(segment, records);
        });

    /** Whether the store had been opened here before. */
    private final boolean isKnown;

    private final Repair repair;
    private final Beside beside;
    private final Fault fault;

    Case(boolean isKnown, Repair repair, Fault fault) {
      this(isKnown, repair, Beside.NOTHING, fault);
    }

    Case(boolean isKnown, Repair repair, Beside beside, Fault fault) {
      this.isKnown = isKnown;
      this.repair = repair;
      this.beside = beside;
      this.fault = fault;
    }

    /** What the store lies on from the fault on. */
    Disk disk() {
      return new LocalDisk();
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
    return Files.write(file, document(id, content, vector));
  }

  private static byte[] document(String id, String content, float[] vector) {
    return DocumentFormat.encode(new StoredDocument(id, null, vector, content), Compression.PLAIN);
  }

  /** A file as Go may write it: the last byte of a text in it is not UTF-8. */
  private static byte[] raw(byte[] file, String text, int last) {
    byte[] raw = file.clone();
    raw[new String(file, ISO_8859_1).indexOf(text) + text.length() - 1] = (byte) last;
    return raw;
  }

  private static String hash(String prefix, int last) {
    byte[] name = (prefix + "?").getBytes(ISO_8859_1);
    name[name.length - 1] = (byte) last;
    return HexFormat.of().formatHex(Names.sha256().digest(name), 0, 4);
  }

  private static Path newest(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.max(Comparator.naturalOrder()).orElseThrow();
    }
  }

  private static void removeTree(Path tree) throws IOException {
    try (Stream<Path> walk = Files.walk(tree)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private ResilientStore open() throws IOException {
    return open(new LocalDisk());
  }

  private ResilientStore open(Disk disk) throws IOException {
    BackupOptions backups =
        new BackupOptions(temp.resolve("backups"), Duration.ZERO, 3, Optional.empty());
    return ResilientStore.open(
        root(), StoreOptions.defaults().withDisk(disk), HealthOptions.defaults(), backups);
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
    try (ResilientStore store = open(one.disk())) {
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
      assertSame(one, contents(store), before);
    }
    try (ResilientStore store = open(one.disk())) {
      assertSame(one, contents(store), before);
      assertThat(store.health().isDegraded())
          .isEqualTo(one.repair == Repair.OWNER && one != Case.JOURNAL_DAMAGED);
    }
    boolean isLeft = one.repair == Repair.LEFT || one.repair == Repair.OWNER;
    assertThat(StoreRoot.check(root()).damage())
        .allMatch(damage -> isLeft && isOf(one, damage.word()));
  }

  /** Texts that differ only in bytes that are not UTF-8 are told as such beside. */
  private static boolean isOf(Case one, String word) {
    return word.equals(one.word())
        || (one.beside == Beside.A_DOCUMENT && word.equals(Case.TEXT_NOT_UTF8.word()));
  }

  /** What was there is as it was; what came with the fault is nobody's loss. */
  private static void assertSame(
      Case one, Map<String, Document> found, Map<String, Document> expected) {
    if (one.beside == Beside.A_DOCUMENT) {
      assertThat(found).hasSize(expected.size() + 1);
      found.keySet().retainAll(expected.keySet());
    }
    assertSame(found, expected);
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
    assertThat(tested).isEqualTo(kinds);
    String page =
        Files.readString(Fixtures.project().resolve("docs/operations/METADATA_RECOVERY.md"));
    assertThat(kinds).allSatisfy(kind -> assertThat(page).contains("`" + kind + "`"));
  }
}
