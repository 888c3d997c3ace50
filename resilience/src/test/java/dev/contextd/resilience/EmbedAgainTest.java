package dev.contextd.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.contextd.engine.Document;
import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore.TrashEntry;
import dev.contextd.resilience.RepairWork.Kind;
import dev.contextd.resilience.RepairWork.Outcome;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EmbedAgainTest {
  private static final String NOTES = "notes";
  private static final String FOLDER = Names.hash(NOTES);

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private record FixedEmbedder() implements Embedder {
    @Override
    public String model() {
      return "fixed";
    }

    @Override
    public int dimension() {
      return 3;
    }

    @Override
    public List<EmbeddedText> embed(List<String> texts) {
      return texts.stream()
          .map(text -> new EmbeddedText(new float[] {0, text.length(), 0}, false))
          .toList();
    }

    @Override
    public void close() {
      // Nothing is held.
    }
  }

  private ResilientStore open(StoreOptions options) throws IOException {
    return ResilientStore.open(root.path(), options);
  }

  private static StoreOptions withModel() {
    return StoreOptions.defaults().withEmbedder(new FixedEmbedder());
  }

  private String file(String id) {
    return Names.hash(id) + ".gob";
  }

  /** A collection, beside which a Go program left vectors that cannot be searched. */
  @BeforeEach
  void fill() throws IOException {
    try (ResilientStore store = open(StoreOptions.defaults())) {
      var notes = store.store().getOrCreate(NOTES, Scope.ALL);
      notes.upsert(
          List.of(
              NewDocument.of("a", "one", new float[] {1, 0, 0}),
              NewDocument.of("b", "two", new float[] {0, 0, 1})));
    }
    write(new StoredDocument("short", Map.of("of", "go"), new float[] {1, 0}, "three"));
    write(new StoredDocument("zero", Map.of(), new float[3], "four"));
  }

  private void write(StoredDocument document) throws IOException {
    Files.write(
        root.path().resolve(FOLDER).resolve(file(document.id())),
        DocumentFormat.encode(document, Compression.PLAIN));
  }

  @Test
  void aVectorIsMadeAnewWhereItIsAskedForAndNotBefore() throws Exception {
    try (ResilientStore store = open(withModel())) {
      assertThat(store.repairs().plan(false))
          .extracting(RepairWork.Step::kind, RepairWork.Step::next)
          .containsOnly(tuple(Kind.OPERATOR, "ctxd repair --embed"));
      assertThat(store.repairs().execute(false)).isEmpty();
      assertThat(store.health().isDegraded()).isTrue();
      List<Outcome> done = store.repairs().execute(true);
      assertThat(done).hasSize(2).allMatch(one -> one.failure().isEmpty());
      assertThat(done).noneMatch(one -> one.step().isLossless());
      assertServed(store);
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(store.repairs().plan(true)).isEmpty();
    }
    try (ResilientStore store = open(withModel())) {
      assertServed(store);
      assertThat(store.store().trash())
          .extracting(TrashEntry::kind, TrashEntry::documents)
          .contains(tuple("versions", 2));
      Map<String, String> line = store.audit(1).getFirst();
      assertThat(line).containsEntry("what", "embedded").containsEntry("folder", FOLDER);
      assertThat(line.get("before")).startsWith("file:");
      assertThat(line.get("after")).isEqualTo(store.store().checksum(NOTES));
    }
  }

  private static void assertServed(ResilientStore store) {
    Document found =
        store.store().collection(NOTES, Scope.ALL).flatMap(all -> all.get("short")).orElseThrow();
    assertThat(found.content()).isEqualTo("three");
    assertThat(found.metadata()).isEqualTo(Map.of("of", "go"));
    assertThat(found.embedding()).containsExactly(0, 1, 0);
    assertThat(store.store().collection(NOTES, Scope.ALL).orElseThrow().info().count())
        .isEqualTo(4);
  }

  @Test
  void withoutAModelTheStepFailsAndNothingChanges() throws Exception {
    root.expect(Damage.DimensionMismatch.class);
    root.expect(Damage.VectorUnusable.class);
    try (ResilientStore store = open(StoreOptions.defaults())) {
      List<Outcome> done = store.repairs().execute(true);
      assertThat(done)
          .hasSize(2)
          .extracting(Outcome::failure)
          .allSatisfy(why -> assertThat(why.orElse("")).contains("embed"));
      assertThat(store.store().collection(NOTES, Scope.ALL).flatMap(all -> all.get("zero")))
          .isEqualTo(Optional.empty());
    }
    assertThat(root.path().resolve(FOLDER).resolve(file("zero"))).exists();
  }

  /** One against one: what the store wrote itself says what its dimension is. */
  @Test
  void aStrangersVectorDoesNotOutvoteOurs() throws Exception {
    root.expect(Damage.DimensionMismatch.class);
    try (ResilientStore store = open(StoreOptions.defaults())) {
      store.store().upsert("one", List.of(NewDocument.of("z", "", new float[] {1, 0})), Scope.ALL);
      store.store().delete(NOTES, Scope.ALL);
    }
    String folder = Names.hash("one");
    Files.write(
        root.path().resolve(folder).resolve(file("a")),
        DocumentFormat.encode(
            new StoredDocument("a", null, new float[] {1, 2, 3}, ""), Compression.PLAIN));
    try (ResilientStore store = open(StoreOptions.defaults())) {
      assertThat(store.store().collection("one", Scope.ALL).flatMap(all -> all.get("z")))
          .isPresent();
    }
  }
}
