package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.engine.Given.doc;
import static dev.contextd.engine.Given.hits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.check.Damage;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The faults of chromem-go v0.7.0 that this store must not share, each reproduced there; failed
 * writes have a test of their own.
 */
class ChromemFaultsTest {
  /** Two ids of hash 23590e50. */
  private static final List<String> TWINS = List.of("doc-17633", "doc-29150");

  /** An id of hash 00000000, the name of the collection's metadata file. */
  private static final String ZERO = "doc-7113356497";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  @Test
  void twoIdsOfOneHashBothSurviveARestart() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc(TWINS.get(0), 1, 0)));
      notes.upsert(List.of(doc(TWINS.get(1), 0, 1)));
    }
    assertThat(files("notes")).contains("23590e50.gob", "23590e50-1.gob");
    assertServed(Map.of(TWINS.get(0), 1f, TWINS.get(1), 0f));
  }

  @Test
  void twoIdsOfOneHashInOneBatchBothSurviveARestart() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      store
          .getOrCreate("notes", Scope.ALL)
          .upsert(List.of(doc(TWINS.get(1), 0, 1), doc("between", 1, 1), doc(TWINS.get(0), 1, 0)));
    }
    try (VectorStore store = Given.open(root.path())) {
      collection(store, "notes").delete(List.of("between"));
    }
    assertServed(Map.of(TWINS.get(0), 1f, TWINS.get(1), 0f));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void oneOfTwoIdsOfOneHashCanBeDeleted(int deleted) throws Exception {
    String gone = TWINS.get(deleted);
    String kept = TWINS.get(1 - deleted);
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc(TWINS.get(0), 1, 0), doc(TWINS.get(1), 1, 0)));
      assertThat(notes.delete(List.of(gone))).isEqualTo(1);
    }
    assertServed(Map.of(kept, 1f));
    try (VectorStore store = Given.open(root.path())) {
      collection(store, "notes").upsert(List.of(doc(gone, 0, 1)));
    }
    assertServed(Map.of(kept, 1f, gone, 0f));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void oneOfTwoIdsOfOneHashCanBeReplaced(int replaced) throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      store
          .getOrCreate("notes", Scope.ALL)
          .upsert(List.of(doc(TWINS.get(0), 1, 0), doc(TWINS.get(1), 1, 0)));
    }
    try (VectorStore store = Given.open(root.path())) {
      collection(store, "notes").upsert(List.of(doc(TWINS.get(replaced), 0, 1)));
    }
    assertServed(Map.of(TWINS.get(replaced), 0f, TWINS.get(1 - replaced), 1f));
  }

  @Test
  void anIdThatHashesToZeroLeavesTheMetadataAlone() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      store.create("notes", Map.of("owner", "platform"));
      VectorCollection notes = collection(store, "notes");
      notes.upsert(List.of(doc(ZERO, 1, 0), doc("other", 0, 1)));
      notes.upsert(List.of(doc(ZERO, 1, 0)));
    }
    assertThat(files("notes")).contains("00000000.gob", "00000000-1.gob");
    assertServed(Map.of(ZERO, 1f, "other", 0f));
    try (VectorStore store = Given.open(root.path())) {
      assertThat(collection(store, "notes").info().metadata()).containsEntry("owner", "platform");
      collection(store, "notes").delete(List.of(ZERO));
    }
    assertServed(Map.of("other", 0f));
  }

  @Test
  void twoCollectionsOfOneHashBothSurviveARestart() throws Exception {
    List<String> names = List.of("collection-15820", "collection-132664");
    try (VectorStore store = Given.open(root.path())) {
      for (String name : names) {
        assertThat(store.create(name, Map.of("of", name))).isTrue();
        collection(store, name).upsert(List.of(doc("in " + name, 1, 0)));
      }
    }
    assertThat(root.path().resolve("dacebbbc-1")).isDirectory();
    try (VectorStore store = Given.open(root.path())) {
      for (String name : names) {
        assertThat(collection(store, name).info().metadata()).containsEntry("of", name);
        assertThat(collection(store, name).get("in " + name)).isPresent();
      }
      store.delete(names.getFirst(), Scope.ALL);
    }
    try (VectorStore store = Given.open(root.path())) {
      assertThat(store.collections(Scope.ALL))
          .extracting(CollectionInfo::name)
          .containsExactly(names.getLast());
      store.create(names.getFirst(), Map.of());
      assertThat(collection(store, names.getFirst()).count()).isZero();
      assertThat(collection(store, names.getLast()).count()).isEqualTo(1);
    }
  }

  @Test
  void aZeroVectorIsRefused() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc("a", 1, 0)));
      assertRefused(
          () -> notes.upsert(List.of(doc("b", 1, 0), doc("c", 0, -0f))),
          ErrorCode.INVALID_VECTOR,
          "documents[1].embedding");
      assertRefused(
          () -> notes.upsert(List.of(doc("b", Float.NaN, 0))),
          ErrorCode.INVALID_VECTOR,
          "documents[0].embedding");
      assertRefused(
          () -> notes.upsert(List.of(doc("b", Float.NEGATIVE_INFINITY, 0))),
          ErrorCode.INVALID_VECTOR,
          "finite");
      assertRefused(
          () -> notes.query(Query.nearest(new float[] {0, 0}, 1)),
          ErrorCode.INVALID_VECTOR,
          "the query's vector");
      assertThat(notes.count()).isEqualTo(1);
    }
  }

  @Test
  void aVectorOfAnotherDimensionIsRefusedAndBreaksNoQuery() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      assertRefused(
          () -> notes.upsert(List.of(doc("a", 1, 0), doc("b", 1, 0, 0))),
          ErrorCode.DIMENSION_MISMATCH,
          "documents[1].embedding has dimension 3, the collection has 2");
      assertThat(notes.count()).isZero();
      notes.upsert(List.of(doc("a", 1, 0)));
      assertRefused(
          () -> notes.upsert(List.of(doc("b", 1, 0, 0))),
          ErrorCode.DIMENSION_MISMATCH,
          "documents[0].embedding has dimension 3, the collection has 2");
      assertRefused(
          () -> notes.query(Query.nearest(new float[] {1}, 1)),
          ErrorCode.DIMENSION_MISMATCH,
          "the query's vector has dimension 1, the collection has 2");
      assertThat(hits(notes.query(Query.nearest(new float[] {1, 1}, 1)))).containsExactly("a");
    }
  }

  @Test
  void ofTwoBatchesOfDifferentDimensionExactlyOneWins() throws Exception {
    try (VectorStore store = Given.open(root.path());
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      for (int round = 0; round < 50; round++) {
        VectorCollection race = store.getOrCreate("race-" + round, Scope.ALL);
        Callable<Boolean> two = () -> isWritten(race, doc("two", 1, 0));
        Callable<Boolean> three = () -> isWritten(race, doc("three", 1, 0, 0));
        List<Boolean> won = new ArrayList<>();
        for (Future<Boolean> future : threads.invokeAll(List.of(two, three))) {
          won.add(future.get());
        }
        assertThat(won).as("round %d", round).containsExactlyInAnyOrder(true, false);
        assertThat(race.count()).isEqualTo(1);
        assertThat(race.info().dimension()).hasValue(won.getFirst() ? 2 : 3);
      }
    }
  }

  private static boolean isWritten(VectorCollection collection, NewDocument document) {
    try {
      collection.upsert(List.of(document));
      return true;
    } catch (StoreException e) {
      assertThat(e.code()).isEqualTo(ErrorCode.DIMENSION_MISMATCH);
      return false;
    }
  }

  @Test
  void anEmptiedCollectionMayBeginAgainWithAnotherDimension() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc("a", 1, 0), doc("b", 1, 0)));
      notes.delete(List.of("a", "b"));
      assertThat(notes.info().dimension()).isEmpty();
      notes.upsert(List.of(doc("c", 1, 0, 0)));
      assertThat(hits(notes.query(Query.nearest(new float[] {1, 0, 0}, 5)))).containsExactly("c");
    }
    try (VectorStore store = Given.open(root.path())) {
      assertThat(collection(store, "notes").info().dimension()).hasValue(3);
    }
  }

  @Test
  void aLimitAboveTheCountReturnsWhatThereIs() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      Query query = Query.nearest(new float[] {1, 0}, Limits.MAX_QUERY_RESULTS);
      assertThat(notes.query(query).hits()).isEmpty();
      notes.upsert(List.of(doc("a", 1, 0), doc("b", 0, 1)));
      assertThat(hits(notes.query(query))).containsExactly("a", "b");
    }
  }

  /** In chromem-go an empty {@code where} beside ids deletes everything. */
  @Test
  void deletingByIdsDeletesJustThose() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc("a", 1, 0), doc("b", 0, 1), doc("c", 0, 1)));
      assertThat(notes.delete(List.of("b"))).isEqualTo(1);
      assertThat(notes.delete(List.of())).isZero();
      assertThat(notes.delete(List.of("b", "nobody"))).isZero();
      assertThat(notes.delete(List.of("a", "a"))).isEqualTo(1);
    }
    assertServed(Map.of("c", 0f));
  }

  @Test
  void aHandleOfADeletedCollectionRefusesEverythingAndWritesNothing() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection stale = store.getOrCreate("notes", Scope.ALL);
      stale.upsert(List.of(doc("a", 1, 0)));
      Path folder = root.path().resolve(stale.info().folder());
      store.delete("notes", Scope.ALL);
      assertStale(stale);
      assertThat(folder).doesNotExist();
      store.create("notes", Map.of());
      assertStale(stale);
      assertThat(collection(store, "notes").count()).isZero();
      assertThat(folder).isDirectoryNotContaining("glob:**/*[!0].gob");
    }
  }

  private static void assertStale(VectorCollection stale) {
    List<Runnable> calls =
        List.of(
            stale::info,
            stale::count,
            () -> stale.upsert(List.of(doc("b", 1, 0))),
            () -> stale.get("a"),
            () -> stale.get(List.of("a")),
            () -> stale.page(Optional.empty(), 10),
            () -> stale.delete(List.of("a")),
            () -> stale.deleteWhere(new Filter.And(List.of())),
            () -> stale.query(Query.nearest(new float[] {1, 0}, 1)));
    for (Runnable call : calls) {
      assertRefused(call, ErrorCode.COLLECTION_NOT_FOUND, "there is no collection \"notes\"");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"copy.gob", "ca978112 (copy).gob", "ca978112-copy.gob", "0.gob.gz"})
  void aStrayCopyBringsNoDeletedDocumentBack(String copy) throws Exception {
    root.expect(Damage.DocumentMisplaced.class);
    try (VectorStore store = Given.open(root.path())) {
      store.getOrCreate("notes", Scope.ALL).upsert(List.of(doc("a", 1, 0), doc("b", 0, 1)));
      copy(store, "ca978112.gob", copy);
      collection(store, "notes").delete(List.of("a"));
    }
    assertServed(Map.of("b", 0f));
  }

  @Test
  void aStrayCopyBringsNoReplacedDocumentBack() throws Exception {
    root.expect(Damage.DocumentMisplaced.class);
    try (VectorStore store = Given.open(root.path())) {
      store.getOrCreate("notes", Scope.ALL).upsert(List.of(doc("a", 1, 0)));
      copy(store, "ca978112.gob", "zz-copy.gob");
      collection(store, "notes").upsert(List.of(doc("a", 0, 1)));
    }
    assertServed(Map.of("a", 0f));
  }

  @ParameterizedTest
  @ValueSource(strings = {"copy.gob", "ca978112-1.gob", "ca978112.gob.gz"})
  void aCopySeenAtTheStartGoesToTheTrashWithItsDocument(String copy) throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      store.getOrCreate("notes", Scope.ALL).upsert(List.of(doc("a", 1, 0), doc("b", 0, 1)));
      copy(store, "ca978112.gob", copy);
    }
    try (VectorStore store = Given.open(root.path())) {
      assertThat(store.damage()).singleElement().isInstanceOf(Damage.DocumentCopy.class);
      collection(store, "notes").delete(List.of("a"));
      assertThat(store.damage()).isEmpty();
    }
    assertServed(Map.of("b", 0f));
  }

  private void copy(VectorStore store, String file, String copy) throws IOException {
    store.checkpoint();
    Path folder = root.path().resolve(collection(store, "notes").info().folder());
    Files.copy(folder.resolve(file), folder.resolve(copy));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aWrongCompressFlagOpensAllTheSame(boolean compressed) throws Exception {
    root.copyOf(compressed ? "chromem-go/gzip" : "chromem-go/plain");
    StoreOptions wrong = StoreOptions.defaults().withCompression(!compressed);
    try (VectorStore store = VectorStore.open(root.path(), wrong)) {
      VectorCollection memories = collection(store, "contextd_memories");
      assertThat(memories.count()).isEqualTo(6);
      float[] vector = memories.get("mem-1").orElseThrow().embedding();
      memories.upsert(List.of(NewDocument.of("new", "text", vector)));
      store.getOrCreate("fresh", Scope.ALL).upsert(List.of(doc("x", 1, 0)));
    }
    String extension = compressed ? ".gob.gz" : ".gob";
    String other = compressed ? ".gob" : ".gob.gz";
    assertThat(list(root.path().resolve("e9f85bf6"))).allMatch(name -> name.endsWith(extension));
    try (VectorStore store = Given.open(root.path())) {
      assertThat(collection(store, "contextd_memories").get("new")).isPresent();
      String fresh = collection(store, "fresh").info().folder();
      assertThat(list(root.path().resolve(fresh))).allMatch(name -> name.endsWith(other));
    }
  }

  /** Opens the store anew: the collection holds these and no others, by their first coordinate. */
  private void assertServed(Map<String, Float> expected) throws IOException {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      Page page = notes.page(Optional.empty(), 1_000);
      assertThat(page.documents()).hasSize(expected.size());
      for (Document document : page.documents()) {
        assertThat(document.embedding()[0]).isEqualTo(expected.get(document.id()));
        assertThat(document.content()).isEqualTo("content of " + document.id());
      }
    }
  }

  private List<String> files(String name) throws IOException {
    try (VectorStore store = Given.open(root.path())) {
      return list(root.path().resolve(collection(store, name).info().folder()));
    }
  }

  private static List<String> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    }
  }

  private static void assertRefused(Runnable call, ErrorCode code, String message) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(StoreException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining(message);
  }
}
