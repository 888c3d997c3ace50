package dev.contextd.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.storage.check.Damage;
import dev.contextd.testkit.PathFaults;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A store opens whatever its folder holds; what is damaged costs itself alone. */
class ResilientStoreTest {
  private static final String MEMORIES = "e9f85bf6";
  private static final String CHECKPOINTS = "a1ef3a3d";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  /** Without metadata a folder is set aside, whatever its name proves. */
  private static StoreOptions options() {
    return StoreOptions.defaults().withProvenNames(false);
  }

  private ResilientStore open() throws IOException {
    return ResilientStore.open(root.path(), options());
  }

  private ResilientStore open(PathFaults disk) throws IOException {
    return ResilientStore.open(root.path(), options().withDisk(disk));
  }

  private static List<String> served(ResilientStore store) {
    return store.store().collections(Scope.ALL).stream().map(CollectionInfo::name).toList();
  }

  /** The sha256 of every file of the store, by path; ours are left out. */
  private Map<String, String> bytes(Path folder) throws Exception {
    Map<String, String> sums = new TreeMap<>();
    try (Stream<Path> walk = Files.walk(folder)) {
      for (Path file : walk.filter(Files::isRegularFile).toList()) {
        sums.put(
            folder.relativize(file).toString(),
            HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file))));
      }
    }
    return sums;
  }

  @Test
  void aHealthyFolderIsServedWholeAndNothingIsMoved() throws Exception {
    root.copyOf("chromem-go/plain");
    Map<String, String> before = bytes(root.path());
    try (ResilientStore store = open()) {
      assertThat(store.summary().collections()).isEqualTo(3);
      assertThat(store.summary().documents()).isEqualTo(46);
      assertThat(store.summary().quarantined()).isEmpty();
      HealthReport health = store.health();
      assertThat(health.isDegraded()).isFalse();
      assertThat(health.healthy()).containsExactly(CHECKPOINTS, MEMORIES, "f546c161");
    }
    assertThat(bytes(root.path())).containsAllEntriesOf(before);
    assertThat(root.path().resolve(".quarantine")).doesNotExist();
  }

  @Test
  void aCollectionWithoutItsMetadataIsMovedWholeAndEveryByteIsKept() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve(MEMORIES + "/00000000.gob"));
    Map<String, String> before = bytes(root.path().resolve(MEMORIES));
    try (ResilientStore store = open()) {
      assertThat(served(store)).containsExactly("contextd_checkpoints", "contextd_remediations");
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
      assertThat(store.health().details().get(MEMORIES)).contains("missing beside 6 documents");
    }
    assertThat(root.path().resolve(MEMORIES)).doesNotExist();
    assertThat(bytes(root.path().resolve(".quarantine/" + MEMORIES))).isEqualTo(before);
    String note = Files.readString(root.path().resolve(".quarantine/" + MEMORIES + ".json"));
    assertThat(note).contains("\"what\" : \"collection\"", "metadata_missing", "\"when\"");
    before.values().forEach(sum -> assertThat(note).contains(sum));
    assertThat(Files.readString(root.path().resolve(".contextd/audit.jsonl")))
        .hasLineCount(1)
        .contains("\"what\":\"quarantined\"", "\"kept\":\"" + MEMORIES + "\"");
  }

  @Test
  void theServiceThatLostDataNeverSaysOkAfterARestartEither() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve(MEMORIES + "/00000000.gob"));
    open().close();
    try (ResilientStore store = open()) {
      assertThat(store.health().isDegraded()).isTrue();
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
      assertThat(store.summary().quarantined()).isEmpty();
      assertThat(store.summary().inQuarantine()).isEqualTo(1);
    }
  }

  @Test
  void aSecondQuarantineOfTheSameNameTakesAFreshName() throws Exception {
    for (int round = 1; round <= 3; round++) {
      Path folder = Files.createDirectories(root.path().resolve(MEMORIES));
      Files.write(folder.resolve("00000000.gob"), new byte[] {(byte) round});
      try (ResilientStore store = open()) {
        assertThat(store.health().corrupt()).containsExactly(MEMORIES);
      }
    }
    Path quarantine = root.path().resolve(".quarantine");
    assertThat(quarantine.resolve(MEMORIES + "/00000000.gob")).hasBinaryContent(new byte[] {1});
    assertThat(quarantine.resolve(MEMORIES + ".2/00000000.gob")).hasBinaryContent(new byte[] {2});
    assertThat(quarantine.resolve(MEMORIES + ".3/00000000.gob")).hasBinaryContent(new byte[] {3});
  }

  @Test
  void aDamagedDocumentIsMovedAloneAndItsSiblingsAreServed() throws Exception {
    root.copyOf("chromem-go/plain");
    Path file = root.path().resolve(CHECKPOINTS + "/24577f65.gob");
    byte[] torn = java.util.Arrays.copyOf(Files.readAllBytes(file), 100);
    Files.write(file, torn);
    try (ResilientStore store = open()) {
      VectorCollection collection =
          store.store().collection("contextd_checkpoints", Scope.ALL).orElseThrow();
      assertThat(collection.count()).isEqualTo(39);
      QueryResult found = collection.query(Query.nearest(new float[] {1, 0, 0, 0, 0, 0, 0, 0}, 5));
      assertThat(found.coverage().unavailable()).hasValue(1);
      assertThat(store.health().corrupt()).containsExactly(CHECKPOINTS);
    }
    assertThat(root.path().resolve(".quarantine/a1ef3a3d.24577f65/24577f65.gob"))
        .hasBinaryContent(torn);
    try (ResilientStore store = open()) {
      assertThat(store.health().corrupt()).containsExactly(CHECKPOINTS);
    }
  }

  @Test
  void whatMerelyCouldNotBeOpenedIsNotMoved() throws Exception {
    root.copyOf("chromem-go/plain");
    Map<String, String> before = bytes(root.path());
    Path metadata = root.path().resolve(MEMORIES + "/00000000.gob");
    Path document = root.path().resolve(CHECKPOINTS + "/24577f65.gob");
    PathFaults disk =
        new PathFaults(path -> path.equals(metadata) || path.equals(document), path -> false);
    try (ResilientStore store = open(disk)) {
      assertThat(served(store)).containsExactly("contextd_checkpoints", "contextd_remediations");
      assertThat(store.health().corrupt()).containsExactly(CHECKPOINTS, MEMORIES);
      assertThat(store.health().details().get(MEMORIES)).contains("permission denied");
      assertThat(store.summary().quarantined()).isEmpty();
    }
    assertThat(bytes(root.path())).containsAllEntriesOf(before);
    assertThat(root.path().resolve(".quarantine")).doesNotExist();
  }

  @Test
  void aKnownFolderThatCannotBeListedIsServedAndDegradesAndTakesNoWrites() throws Exception {
    root.copyOf("chromem-go/plain");
    open().close();
    Map<String, String> before = bytes(root.path().resolve(MEMORIES));
    PathFaults disk = new PathFaults(path -> path.endsWith(MEMORIES), path -> false);
    try (ResilientStore store = open(disk)) {
      assertThat(served(store)).hasSize(3);
      HealthReport health = store.health();
      assertThat(health.corrupt()).containsExactly(MEMORIES);
      assertThat(health.healthy()).hasSize(2).doesNotContain(MEMORIES);
      assertThat(health.details().get(MEMORIES)).contains("permission denied", "is served");
      VectorCollection memories =
          store.store().collection("contextd_memories", Scope.ALL).orElseThrow();
      assertThat(memories.count()).isEqualTo(6);
      float[] vector = new float[memories.info().dimension().orElseThrow()];
      vector[0] = 1;
      QueryResult found = memories.query(Query.nearest(vector, 1));
      assertThat(found.hits()).hasSize(1);
      assertThat(found.coverage().unavailable()).as("not known").isEmpty();
      List<Runnable> writes =
          List.of(
              () -> memories.upsert(List.of(NewDocument.of("x", "", vector))),
              () -> memories.delete(List.of("x")),
              () -> store.store().delete("contextd_memories", Scope.ALL));
      for (Runnable write : writes) {
        assertThatThrownBy(write::run)
            .isInstanceOfSatisfying(
                StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORAGE_FAILED))
            .hasMessageContaining("make it readable and restart");
      }
      store
          .store()
          .getOrCreate("another", Scope.ALL)
          .upsert(List.of(NewDocument.of("x", "", vector)));
      store.store().checkpoint();
    }
    assertThat(bytes(root.path().resolve(MEMORIES))).isEqualTo(before);
  }

  @Test
  void aDocumentInAFileThatCouldNotBeOpenedCannotBeWrittenBesideIt() throws Exception {
    root.copyOf("chromem-go/plain");
    Path document = root.path().resolve(CHECKPOINTS + "/24577f65.gob");
    String id;
    dev.contextd.testkit.Fixtures.copyTree(root.path(), root.beside("copy"));
    try (ResilientStore store = ResilientStore.open(root.beside("copy"), StoreOptions.defaults())) {
      id =
          store
              .store()
              .collection("contextd_checkpoints", Scope.ALL)
              .orElseThrow()
              .page(java.util.Optional.empty(), 100)
              .documents()
              .stream()
              .map(found -> found.id())
              .filter(found -> dev.contextd.storage.chromem.Names.hash(found).equals("24577f65"))
              .findFirst()
              .orElseThrow();
    }
    try (ResilientStore store =
        open(new PathFaults(path -> path.equals(document), path -> false))) {
      VectorCollection collection =
          store.store().collection("contextd_checkpoints", Scope.ALL).orElseThrow();
      assertThatThrownBy(() ->
              collection.upsert(
                  List.of(NewDocument.of(id, "newer", new float[] {1, 0, 0, 0, 0, 0, 0, 0}))))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORAGE_FAILED));
    }
  }

  @Test
  void aReadOnlyDiskIsServedAndLeavesDamageInPlace() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve(MEMORIES + "/00000000.gob"));
    root.expect(Damage.MetadataMissing.class);
    Map<String, String> before = bytes(root.path());
    try (ResilientStore store = open(new PathFaults(path -> false, path -> true))) {
      assertThat(store.summary().readOnly()).isPresent();
      assertThat(served(store)).containsExactly("contextd_checkpoints", "contextd_remediations");
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
      assertThatThrownBy(() -> store.store().create("new", Map.of()))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.READ_ONLY));
    }
    assertThat(bytes(root.path())).isEqualTo(before);
  }

  @Test
  void aMoveThatFailsLeavesTheThingInPlaceUnservedAndReported() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve(MEMORIES + "/00000000.gob"));
    root.expect(Damage.MetadataMissing.class);
    PathFaults disk =
        new PathFaults(path -> false, path -> path.toString().contains(".quarantine"));
    try (ResilientStore store = open(disk)) {
      assertThat(store.summary().readOnly()).isEmpty();
      assertThat(store.summary().inPlace())
          .anySatisfy(left -> assertThat(left.why().orElse("")).contains("could not be moved"));
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
      VectorCollection fresh = store.store().getOrCreate("contextd_memories", Scope.ALL);
      fresh.upsert(List.of(NewDocument.of("x", "", new float[] {1})));
      QueryResult found = fresh.query(Query.nearest(new float[] {1}, 1));
      assertThat(found.coverage().unavailable()).hasValue(6);
      assertThat(fresh.info().folder()).isEqualTo(MEMORIES + "-1");
    }
    assertThat(root.path().resolve(MEMORIES)).isDirectory();
  }

  @Test
  void theBrakeMovesNothingWhereManyThingsAreDamagedAtOnce() throws Exception {
    root.copyOf("chromem-go/plain");
    root.expect(Damage.DocumentUnreadable.class);
    try (Stream<Path> files = Files.list(root.path().resolve(CHECKPOINTS))) {
      for (Path file : files.filter(f -> !f.endsWith("00000000.gob")).sorted().limit(11).toList()) {
        Files.write(file, new byte[] {0});
      }
    }
    Map<String, String> before = bytes(root.path());
    try (ResilientStore store = open()) {
      assertThat(store.summary().brake()).isPresent();
      assertThat(store.summary().quarantined()).isEmpty();
      assertThat(store.summary().documents()).isEqualTo(35);
      assertThat(store.health().corrupt()).containsExactly(CHECKPOINTS);
    }
    assertThat(bytes(root.path())).containsAllEntriesOf(before);
  }

  @Test
  void theBrakeCountsWhatNobodyHasReviewedYet() {
    assertThat(QuarantineBrake.holds(0, 10, 5)).isFalse();
    assertThat(QuarantineBrake.holds(0, 11, 5)).isTrue();
    assertThat(QuarantineBrake.holds(10, 1, 100)).isTrue();
    assertThat(QuarantineBrake.holds(10, 0, 100)).isFalse();
    assertThat(QuarantineBrake.holds(50, 50, 1_000)).isFalse();
    assertThat(QuarantineBrake.holds(50, 51, 1_000)).isTrue();
  }

  @Test
  void anythingMayLieInTheFolderAndTheStoreStarts() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.writeString(root.path().resolve("stray.txt"), "x");
    Files.writeString(root.path().resolve("stray.gob"), "x");
    Files.createDirectory(root.path().resolve("empty"));
    Files.createDirectories(root.path().resolve(".git/objects"));
    Files.writeString(root.path().resolve(MEMORIES + "/11ad2331.gob.5.tmp"), "half");
    Files.createDirectory(root.path().resolve(MEMORIES + "/ffffffff.gob"));
    Files.createSymbolicLink(root.path().resolve("link"), Path.of("/etc"));
    Files.createSymbolicLink(root.path().resolve(MEMORIES + "/eeeeeeee.gob"), Path.of("/dev/zero"));
    Files.createSymbolicLink(root.path().resolve(MEMORIES + "/dangling"), Path.of("/nowhere"));
    root.expect(Damage.Leftover.class);
    root.expect(Damage.Inaccessible.class);
    try (ResilientStore store = open()) {
      assertThat(store.summary().documents()).isEqualTo(46);
      assertThat(store.summary().inPlace()).hasSize(8);
      assertThat(store.health().empty()).containsExactly("empty");
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
    }
  }

  @Test
  void aReadableMetadataFileInAnotherFolderIsServedUnderItsNameAndReported() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.move(root.path().resolve(MEMORIES), root.path().resolve("renamed"));
    root.expect(Damage.MetadataMisplaced.class);
    try (ResilientStore store = open()) {
      assertThat(served(store)).contains("contextd_memories");
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(store.summary().inPlace()).hasSize(1);
    }
  }

  @Test
  void aCopiedFolderIsSetAsideAndTheOriginalIsServed() throws Exception {
    root.copyOf("chromem-go/plain");
    dev.contextd.testkit.Fixtures.copyTree(
        root.path().resolve(MEMORIES), root.path().resolve(MEMORIES + " copy"));
    try (ResilientStore store = open()) {
      assertThat(store.store().collection("contextd_memories", Scope.ALL).orElseThrow().count())
          .isEqualTo(6);
      assertThat(store.summary().quarantined()).hasSize(1);
      assertThat(root.path().resolve(".quarantine/" + MEMORIES + " copy/00000000.gob")).exists();
    }
  }

  @Test
  void aFileWhereOurFoldersShouldBeMakesTheStoreReadOnly() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.writeString(root.path().resolve(".contextd"), "not a folder");
    root.expect(Damage.Leftover.class);
    try (ResilientStore store = open()) {
      assertThat(store.summary().documents()).isEqualTo(46);
      assertThat(store.summary().readOnly()).isPresent();
    }
    assertThat(root.path().resolve(".contextd")).hasContent("not a folder");
  }
}
