package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.testkit.ChromemGo.withoutNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.contextd.engine.VectorStore.ExportOptions;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.testkit.ChromemGo;
import dev.contextd.testkit.ChromemGo.Coll;
import dev.contextd.testkit.ChromemGo.Doc;
import dev.contextd.testkit.StoreRoot;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The real chromem-go reads what we write, and we read what it writes, to the last bit. */
class ChromemGoInteropTest {
  /** Names and ids whose hashes collide, and an id with the hash of the metadata file. */
  private static final String NAME_A = "collection-15820";

  private static final String NAME_B = "collection-132664";
  private static final String ID_A = "doc-17633";
  private static final String ID_B = "doc-29150";
  private static final String ID_ZERO = "doc-7113356497";

  private static final String KEY = "0123456789abcdef0123456789abcdef";
  private static final float[] UNIT = {0.6f, -0.8f, 0};

  private static Optional<ChromemGo> built = Optional.empty();

  @RegisterExtension final StoreRoot root = new StoreRoot();

  @BeforeAll
  static void build() throws Exception {
    built = ChromemGo.build();
  }

  /** What a test does with chromem-go; where that cannot be built, the reason was printed. */
  @FunctionalInterface
  private interface Body {
    void run(ChromemGo go) throws Exception;
  }

  private static void withGo(Body body) throws Exception {
    if (built.isPresent()) {
      body.run(built.get());
    }
  }

  private static VectorStore open(Path path, boolean compress) throws Exception {
    return VectorStore.open(path, StoreOptions.defaults().withCompression(compress));
  }

  /** All that we serve, in the form in which chromem-go tells its own. */
  private static Map<String, Coll> view(VectorStore store) {
    Map<String, Coll> view = new TreeMap<>();
    for (CollectionInfo info : store.collections(Scope.ALL)) {
      Map<String, Doc> documents = new TreeMap<>();
      collection(store, info.name())
          .page(Optional.empty(), Limits.MAX_PAGE_DOCUMENTS)
          .documents()
          .forEach(found ->
              documents.put(
                  found.id(),
                  new Doc(found.metadata(), ChromemGo.bits(found.embedding()), found.content())));
      view.put(info.name(), new Coll(info.metadata(), documents));
    }
    return view;
  }

  private static Map<String, Coll> viewOf(Path path) throws Exception {
    try (VectorStore store = Given.open(path)) {
      return view(store);
    }
  }

  private static NewDocument doc(String id, String content, Map<String, String> metadata) {
    return NewDocument.of(id, content, UNIT).withMetadata(metadata);
  }

  /** Writes one of everything; returns what is served at the end. */
  private static Map<String, Coll> writeOurs(Path path, boolean compress) throws Exception {
    try (VectorStore store = open(path, compress)) {
      store.create("notes", Map.of("owner", "platform", "", "多"));
      collection(store, "notes")
          .upsert(
              List.of(
                  doc(ID_A, "first of two", Map.of()),
                  doc(ID_B, "second of two", Map.of("k", "v")),
                  doc(ID_ZERO, "hashes to zero", Map.of()),
                  doc("多/🚨 \n", "Grüße, 世界 🚨 and \0 a NUL", Map.of("", "", "lang", "多")),
                  doc("empty", "", Map.of()),
                  doc("replaced", "old", Map.of("old", "1")),
                  doc("deleted", "gone", Map.of()),
                  NewDocument.of("long", "normalised", new float[] {3, 1e-30f, -7})));
      collection(store, "notes").upsert(List.of(doc("replaced", "new", Map.of())));
      collection(store, "notes").upsert(List.of(doc(ID_B, "second again", Map.of())));
      collection(store, "notes").delete(List.of("deleted"));
      store.getOrCreate(NAME_A, Scope.ALL).upsert(List.of(doc("a", "in A", Map.of())));
      store.getOrCreate(NAME_B, Scope.ALL).upsert(List.of(doc("a", "in B", Map.of())));
      store.getOrCreate("Grüße 🚨", Scope.ALL);
      store.getOrCreate("dropped", Scope.ALL).upsert(List.of(doc("a", "gone", Map.of())));
      store.delete("dropped", Scope.ALL);
      return view(store);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void chromemGoReadsWhatWeWrite(boolean compress) throws Exception {
    withGo(go -> {
      Map<String, Coll> ours = writeOurs(root.path(), compress);
      assertThat(ours).containsOnlyKeys("notes", NAME_A, NAME_B, "Grüße 🚨");
      assertThat(ours.get("notes")).satisfies(notes -> assertThat(notes.documents()).hasSize(7));
      assertThat(withoutNull(go.dump(root.path(), compress))).isEqualTo(ours);
      assertThat(viewOf(root.path())).isEqualTo(ours);
    });
  }

  private static Coll coll(@Nullable Map<String, String> metadata, Map<String, Doc> documents) {
    return new Coll(metadata, documents);
  }

  private static Doc written(String content, @Nullable Map<String, String> metadata, float... v) {
    return new Doc(metadata, ChromemGo.bits(v), content);
  }

  private static Map<String, Coll> theirs() {
    Map<String, Doc> documents = new TreeMap<>();
    documents.put("plain", written("text", Map.of("k", "v", "", ""), 0.6f, 0.8f));
    documents.put("nil", written("nil metadata", null, 3, 4));
    documents.put("bare", written("", Map.of(), -1e-3f, 1e3f));
    Map<String, Doc> one = Map.of("only", written("x", null, 5));
    documents.put("多 🚨", written("Grüße \0 <&> \u2028 世界", null, -0f, 1));
    return new TreeMap<>(
        Map.of(
            "memories", coll(Map.of("owner", "多"), documents),
            "nil", coll(null, one),
            "nothing", coll(Map.of(), Map.of())));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void weReadWhatChromemGoWrites(boolean compress) throws Exception {
    withGo(go -> {
      go.write(root.path(), compress, theirs());
      Map<String, Coll> dumped = go.dump(root.path(), compress);
      assertThat(dumped).containsOnlyKeys("memories", "nil", "nothing");
      try (VectorStore store = Given.open(root.path())) {
        assertThat(store.openReport().damage()).isEmpty();
        assertThat(view(store)).isEqualTo(withoutNull(dumped));
      }
    });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bothUseOneFolderInTurn(boolean compress) throws Exception {
    withGo(go -> {
      writeOurs(root.path(), compress);
      Map<String, Doc> change = new HashMap<>();
      change.put("replaced", written("by Go", null, 1, 2, 2));
      change.put("new", written("from Go", Map.of("by", "go"), 0, 0, 1));
      go.write(root.path(), compress, Map.of("notes", coll(null, change)));
      go.delete(root.path(), compress, "notes", List.of("empty"));
      go.delete(root.path(), compress, NAME_A, List.of());
      try (VectorStore store = open(root.path(), compress)) {
        assertThat(store.openReport().damage())
            .extracting(damage -> (Object) damage.getClass())
            .containsExactlyInAnyOrder(
                Damage.DocumentChanged.class,
                Damage.DocumentMissing.class,
                Damage.CollectionVanished.class);
        VectorCollection notes = collection(store, "notes");
        assertThat(notes.get("replaced").orElseThrow().content()).isEqualTo("by Go");
        assertThat(notes.get("new").orElseThrow().content()).isEqualTo("from Go");
        // One document gone is a loss, whoever did it; a whole collection gone is a deletion.
        assertThat(notes.get("empty")).isPresent();
        assertThat(store.collection(NAME_A, Scope.ALL)).isEmpty();
        notes.upsert(List.of(doc("new", "ours again", Map.of()), doc("empty", "", Map.of())));
        store.checkpoint();
        assertThat(store.trash())
            .extracting(VectorStore.TrashEntry::kind)
            .contains("versions", "collection");
      }
      assertThat(withoutNull(go.dump(root.path(), compress))).isEqualTo(viewOf(root.path()));
    });
  }

  @Test
  void whatChromemGoWritesLaterWinsOverANumberedFile() throws Exception {
    withGo(go -> {
      try (VectorStore store = Given.open(root.path())) {
        VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
        notes.upsert(List.of(doc(ID_A, "a", Map.of()), doc(ID_B, "older", Map.of())));
        store.checkpoint();
        notes.delete(List.of(ID_A));
      }
      Map<String, Doc> change = Map.of(ID_B, written("newer", null, UNIT));
      go.write(root.path(), false, Map.of("notes", coll(null, change)));
      Map<String, Coll> dumped = go.dump(root.path(), false);
      assertThat(withoutNull(dumped)).isEqualTo(viewOf(root.path()));
      assertThat(dumped.toString()).contains("newer").doesNotContain("older");
      root.expect(Damage.DocumentDuplicate.class);
    });
  }

  @ParameterizedTest
  @CsvSource({"false,false", "true,false", "false,true", "true,true"})
  void chromemGoImportsWhatWeExport(boolean zipped, boolean encrypted) throws Exception {
    withGo(go -> {
      Map<String, Coll> ours = writeOurs(root.path(), false);
      Path file = root.beside("export");
      Optional<String> key = encrypted ? Optional.of(KEY) : Optional.empty();
      try (VectorStore store = Given.open(root.path())) {
        store.exportTo(file, new ExportOptions(zipped, key.map(ChromemGoInteropTest::bytes)));
      }
      assertThat(withoutNull(go.dumpExport(file, key))).isEqualTo(ours);
    });
  }

  @ParameterizedTest
  @CsvSource({"false,false", "true,false", "false,true", "true,true"})
  void weImportWhatChromemGoExports(boolean zipped, boolean encrypted) throws Exception {
    withGo(go -> {
      Path elsewhere = root.beside("theirs");
      go.write(elsewhere, false, theirs());
      Path file = root.beside("export");
      Optional<String> key = encrypted ? Optional.of(KEY) : Optional.empty();
      go.export(elsewhere, false, file, zipped, key);
      try (VectorStore store = Given.open(root.path())) {
        var imported = store.importFrom(file, key.map(ChromemGoInteropTest::bytes));
        assertThat(imported.refused()).isEmpty();
        assertThat(imported.documents()).isEqualTo(5);
        assertThat(view(store)).isEqualTo(withoutNull(go.dump(elsewhere, false)));
      }
    });
  }

  private static byte[] bytes(String key) {
    return key.getBytes(StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void chromemGoOpensAFolderWithQuarantineAndTrash(boolean compress) throws Exception {
    withGo(go -> {
      writeOurs(root.path(), compress);
      String extension = compress ? ".gob.gz" : ".gob";
      StoreFolder folder = new StoreFolder(new LocalDisk(), root.path(), Clock.systemUTC());
      String notes = folderOf("notes");
      Files.writeString(root.path().resolve(notes).resolve("11111111" + extension), "garbage");
      folder.quarantine().move(notes, "11111111" + extension, "test", "It is garbage.");
      Files.delete(root.path().resolve("dacebbbc").resolve("00000000" + extension));
      folder.quarantine().move("dacebbbc", "", "test", "It has no metadata.");
      try (VectorStore store = open(root.path(), compress)) {
        collection(store, "notes").delete(List.of("long"));
      }
      assertThat(hidden(root.path(), extension)).hasSizeGreaterThan(4);
      Map<String, Coll> dumped = go.dump(root.path(), compress);
      assertThat(dumped).containsOnlyKeys("notes", NAME_B, "Grüße 🚨");
      assertThat(withoutNull(dumped)).isEqualTo(viewOf(root.path()));
    });
  }

  private String folderOf(String name) throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      return collection(store, name).info().folder();
    }
  }

  /** Files below our own folders that chromem-go would read one level higher. */
  private static List<Path> hidden(Path root, String extension) throws Exception {
    List<Path> found = new ArrayList<>();
    for (String ours : List.of(".quarantine", ".contextd")) {
      try (var walk = Files.walk(root.resolve(ours))) {
        walk.filter(path -> path.toString().endsWith(extension)).forEach(found::add);
      }
    }
    return found;
  }

  @Test
  void bothFindTheSameWithTheSameScores() throws Exception {
    withGo(go -> {
      long seed = Long.getLong("seed", System.nanoTime());
      System.out.println("bothFindTheSameWithTheSameScores: repeat with -Dseed=" + seed);
      Random random = new Random(seed);
      try (VectorStore store = Given.open(root.path())) {
        store.getOrCreate("vectors", Scope.ALL).upsert(randomDocuments(random));
        store.checkpoint();
        for (int n = 0; n < 10; n++) {
          float[] target = randomVector(random);
          requireSameHits(go, collection(store, "vectors"), target, Map.of());
          requireSameHits(go, collection(store, "vectors"), target, Map.of("topic", "" + n % 5));
        }
      }
    });
  }

  private static List<NewDocument> randomDocuments(Random random) {
    List<NewDocument> documents = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      documents.add(
          NewDocument.of("d" + i, "", randomVector(random))
              .withMetadata(Map.of("topic", "" + i % 5)));
    }
    return documents;
  }

  private static float[] randomVector(Random random) {
    float[] vector = new float[48];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) random.nextGaussian();
    }
    return vector;
  }

  private void requireSameHits(
      ChromemGo go, VectorCollection ours, float[] target, Map<String, String> where)
      throws Exception {
    Query query = Query.nearest(target, 10);
    for (var condition : where.entrySet()) {
      query = query.where(new Filter.Equal(condition.getKey(), condition.getValue()));
    }
    List<QueryResult.Hit> hits = ours.query(query).hits();
    var theirs = go.query(root.path(), "vectors", target, 10, where);
    assertThat(hits).hasSameSizeAs(theirs);
    for (int i = 0; i < hits.size(); i++) {
      // Neighbours closer than chromem-go's rounding may change places, their scores may not.
      assertThat(hits.get(i).score()).isCloseTo(theirs.get(i).getValue(), within(1e-5));
    }
    assertThat(theirs)
        .filteredOn(hit -> hit.getValue() > hits.getLast().score() + 1e-5)
        .extracting(Map.Entry::getKey)
        .isSubsetOf(hits.stream().map(hit -> hit.document().id()).toList());
  }

  /** chromem-go refuses the whole database afterwards: one lost file took all services down. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theIncidentsLikelyCauseIsServed(boolean isElsewhere) throws Exception {
    withGo(go -> {
      root.copyOf("chromem-go/plain");
      assertThat(go.writeThroughKeptHandle(root.path(), "contextd_memories", isElsewhere))
          .isEqualTo("delete <nil>\nadd through the kept handle <nil>\n");
      assertThatThrownBy(() -> go.dump(root.path(), false))
          .hasMessageContaining("collection metadata file not found");
      try (VectorStore store = open(root.path(), false)) {
        CollectionInfo memories = collection(store, "contextd_memories").info();
        assertThat(memories.count()).isEqualTo(1);
        assertThat(memories.lostMetadata()).isPresent();
        assertThat(collection(store, "contextd_checkpoints").count()).isEqualTo(40);
        store.settleMetadata("contextd_memories", Optional.empty());
      }
      assertThat(go.dump(root.path(), false).keySet()).contains("contextd_memories");
    });
  }
}
