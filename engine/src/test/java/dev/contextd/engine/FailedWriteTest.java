package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.engine.Given.contents;
import static dev.contextd.engine.Given.doc;
import static dev.contextd.engine.Given.hits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.check.Damage;
import dev.contextd.storage.checkpoint.KeeperOptions;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.testkit.FaultyCalls;
import dev.contextd.testkit.Fixtures;
import dev.contextd.testkit.PowerCalls;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * chromem-go changes its memory before its disk, so that a failed write stays visible until the
 * next start. Here each operation of the disk fails in turn, under each kind of write: what failed
 * is neither served nor on disk.
 */
class FailedWriteTest {
  private static final int MOST_OPERATIONS = 200;

  /** Checkpoints are made where the test, or a call, says so. */
  private static final KeeperOptions BY_HAND =
      KeeperOptions.defaults().withInterval(Duration.ofHours(1));

  @RegisterExtension final StoreRoot root = new StoreRoot();

  record Write(String name, Consumer<VectorStore> action) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Write> writes() {
    return Stream.of(
        new Write(
            "add and replace",
            store ->
                collection(store, "notes")
                    .upsert(List.of(doc("a", 0, 1), doc("doc-29150", 0, 1), doc("new", 1, 1)))),
        new Write(
            "add text with a model",
            store -> collection(store, "empty").upsert(List.of(NewDocument.ofText("t", "text")))),
        new Write("delete", store -> collection(store, "notes").delete(List.of("a", "b", "none"))),
        new Write(
            "delete where",
            store -> collection(store, "notes").deleteWhere(new Filter.Equal("k", "1"))),
        new Write("create a collection", store -> store.create("fresh", Map.of("m", "1"))),
        new Write(
            "create a collection whose hash is taken",
            store -> store.create("collection-132664", Map.of())),
        new Write("delete a collection", store -> store.delete("notes", Scope.ALL)),
        new Write("delete a collection with a model", store -> store.delete("texts", Scope.ALL)));
  }

  @ParameterizedTest
  @MethodSource("writes")
  void aFailedWriteDoesNotBecomeVisible(Write write) throws Exception {
    int n = 0;
    boolean failed = true;
    while (failed) {
      n++;
      assertThat(n).as("operations of one write").isLessThan(MOST_OPERATIONS);
      failed = failsWithout(write, n, root.beside("run-" + n));
    }
    assertThat(n).as("operations that failed in turn").isGreaterThan(1);
  }

  /** One run with the nth operation failing; false where the write has no such operation. */
  private static boolean failsWithout(Write write, int n, Path folder) throws IOException {
    FaultyDisk disk = new FaultyDisk("injected");
    boolean failed;
    StoreOptions options =
        StoreOptions.defaults()
            .withDisk(disk)
            .withEmbedder(new ToyEmbedder("toy"))
            .withKeeper(BY_HAND);
    try (VectorStore store = VectorStore.open(folder, options)) {
      fill(store);
      Map<String, Map<String, String>> before = contents(store);
      disk.failAt(n);
      boolean refused = isRefused(write, store);
      failed = disk.hasFailed();
      disk.disarm();
      if (refused) {
        assertThat(failed).isTrue();
        assertThat(contents(store)).as("served after fault %d", n).isEqualTo(before);
        assertThat(contentsOfCopy(folder)).as("on disk after fault %d", n).isEqualTo(before);
        write.action().accept(store);
      }
      assertThat(collection(store, "other").query(Query.nearest(new float[] {1, 0}, 1)))
          .satisfies(result -> assertThat(hits(result)).containsExactly("o"));
      collection(store, "other").upsert(List.of(doc("next", 1, 0)));
      assertThat(contents(store)).isNotEqualTo(before);
      store.checkpoint(); // one that failed is tried again in the background
      assertThat(contentsOfCopy(folder)).as("on disk after a write").isEqualTo(contents(store));
    }
    assertThat(StoreRoot.check(folder).damage()).isEmpty();
    return failed;
  }

  private static boolean isRefused(Write write, VectorStore store) {
    try {
      write.action().accept(store);
      return false;
    } catch (StoreException e) {
      assertThat(e.code()).isEqualTo(ErrorCode.STORAGE_FAILED);
      assertThat(e).hasMessageContaining("injected");
      return true;
    }
  }

  private static void fill(VectorStore store) {
    store
        .getOrCreate("notes", Scope.ALL)
        .upsert(
            List.of(
                doc("a", 1, 0).withMetadata(Map.of("k", "1")),
                doc("b", 0, 1).withMetadata(Map.of("k", "1")),
                doc("doc-17633", 1, 1)));
    store.create("empty", Map.of());
    store.create("collection-15820", Map.of());
    store.getOrCreate("texts", Scope.ALL).upsert(List.of(NewDocument.ofText("t", "a text")));
    store.getOrCreate("other", Scope.ALL).upsert(List.of(doc("o", 1, 0)));
  }

  /** What another process would find if this one ended now. */
  private static Map<String, Map<String, String>> contentsOfCopy(Path root) throws IOException {
    Path folder = Files.createTempDirectory(root.getParent(), "copy-").resolve("store");
    Fixtures.copyTree(root, folder);
    StoreOptions options = StoreOptions.defaults().withEmbedder(new ToyEmbedder("toy"));
    try (VectorStore store = VectorStore.open(folder, options)) {
      return contents(store);
    }
  }

  /** It went to the trash before the write failed, and stayed there. */
  @Test
  void anUnservedVersionStaysInItsPlaceWhereTheWriteFails() throws Exception {
    boolean failed = true;
    for (int n = 1; failed; n++) {
      Path store = root.beside("run-" + n);
      Path folder = Given.folder(store, Names.hash("notes"), "notes");
      Given.file(folder, Names.hash("a") + ".gob", "a", "", 1, 0);
      Given.file(folder, Names.hash("b") + ".gob", "b", "", 0, 1);
      Given.file(folder, Names.hash("odd") + ".gob", "odd", "", 1, 0, 0);
      Given.file(folder, "copy.gob", "odd", "", 1, 1, 1);
      failed = keepsTheUnserved(n, store);
    }
  }

  private static boolean keepsTheUnserved(int n, Path folder) throws IOException {
    FaultyDisk disk = new FaultyDisk("injected");
    StoreOptions options = StoreOptions.defaults().withDisk(disk).withKeeper(BY_HAND);
    try (VectorStore store = VectorStore.open(folder, options)) {
      List<Damage> before = store.damage();
      assertThat(before).hasSize(2);
      Write write =
          new Write("", opened -> collection(opened, "notes").upsert(List.of(doc("odd", 1, 1))));
      disk.failAt(n);
      boolean refused = isRefused(write, store);
      boolean failed = disk.hasFailed();
      disk.disarm();
      if (refused) {
        assertThat(store.damage()).isEqualTo(before);
        assertThat(StoreRoot.check(folder).damage()).containsExactlyInAnyOrderElementsOf(before);
        write.action().accept(store);
      }
      assertThat(store.damage()).isEmpty();
      store.checkpoint();
      assertThat(StoreRoot.check(folder).damage()).isEmpty();
      return failed;
    }
  }

  @Test
  void aFullDiskIsSaidToBeFull() throws Exception {
    FaultyDisk disk = new FaultyDisk("/a/file: No space left on device");
    try (VectorStore store =
        VectorStore.open(root.path(), StoreOptions.defaults().withDisk(disk))) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      disk.failAt(1);
      assertThatThrownBy(() -> notes.upsert(List.of(doc("a", 1, 0))))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORAGE_FULL))
          .hasMessageContaining("free some space");
      assertThat(notes.count()).isZero();
      notes.upsert(List.of(doc("a", 1, 0)));
      assertThat(notes.count()).isEqualTo(1);
    }
  }

  @Test
  void aWriteWhoseOutcomeIsUnknownSaysSoAndACheckpointEndsThat() throws Exception {
    PowerCalls calls = new PowerCalls();
    FaultyCalls faulty = new FaultyCalls(calls);
    StoreOptions options =
        StoreOptions.defaults().withDisk(new LocalDisk(faulty)).withKeeper(BY_HAND);
    Path folder = PowerWorkload.ROOT;
    VectorStore store = VectorStore.open(folder, options);
    VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
    faulty.fault((call, path) -> {
      boolean isSegment = path.toString().endsWith(".log");
      if (isSegment && (call == FaultyCalls.Call.FORCE || call == FaultyCalls.Call.CREATE)) {
        throw new IOException("Input/output error");
      }
    });
    assertThatThrownBy(() -> notes.upsert(List.of(doc("a", 1, 0))))
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTCOME_UNKNOWN))
        .hasMessageContaining("not known until the journal can be written again")
        .hasMessageNotContaining("nothing changed");
    assertThat(notes.count()).isZero();
    assertThat(contents(PowerWorkload.open(calls.kill(calls.logLength()))).get("notes"))
        .as("what a kill would have left")
        .containsKey("a");
    store.checkpoint(); // It needs no journal, and covers the write's number.
    assertThat(contents(PowerWorkload.open(calls.kill(calls.logLength()))).get("notes"))
        .doesNotContainKey("a");
    faulty.heal();
    notes.upsert(List.of(doc("b", 1, 0)));
    assertThat(contents(PowerWorkload.open(calls.kill(calls.logLength()))).get("notes"))
        .containsKey("b")
        .doesNotContainKey("a");
    store.close();
    assertThat(store.closeFailure()).isEmpty();
  }

  @Test
  void aFolderThatCannotBeWrittenIsServedReadOnly() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      store.getOrCreate("notes", Scope.ALL).upsert(List.of(doc("a", 1, 0)));
    }
    FaultyDisk disk = new FaultyDisk("Read-only file system");
    disk.failAt(2); // The first operation asks whether the root is there, the second writes.
    try (VectorStore store =
        VectorStore.open(root.path(), StoreOptions.defaults().withDisk(disk))) {
      assertThat(store.readOnlyReason())
          .hasValue("its folder cannot be written: Read-only file system");
      VectorCollection notes = collection(store, "notes");
      assertThat(notes.count()).isEqualTo(1);
      assertThat(store.create("notes", Map.of())).isFalse();
      List<Consumer<VectorCollection>> writes =
          List.of(
              handle -> handle.upsert(List.of(doc("b", 1, 0))),
              handle -> handle.delete(List.of("a")),
              handle -> handle.deleteWhere(new Filter.And(List.of())),
              handle -> store.create("more", Map.of()),
              handle -> store.delete("notes", Scope.ALL));
      for (Consumer<VectorCollection> write : writes) {
        assertThatThrownBy(() -> write.accept(notes))
            .isInstanceOfSatisfying(
                StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.READ_ONLY))
            .hasMessageContaining("Read-only file system");
      }
      assertThat(notes.get("a")).isPresent();
    }
  }

  @Test
  void aClosedStoreRefusesWrites() throws Exception {
    VectorStore store = Given.open(root.path());
    VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
    notes.upsert(List.of(doc("a", 1, 0)));
    store.close();
    List<Runnable> writes =
        List.of(
            () -> notes.upsert(List.of(doc("b", 1, 0))),
            () -> notes.delete(List.of("a")),
            () -> store.create("more", Map.of()),
            () -> store.delete("notes", Scope.ALL));
    for (Runnable write : writes) {
      assertThatThrownBy(write::run)
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CLOSED));
    }
  }
}
