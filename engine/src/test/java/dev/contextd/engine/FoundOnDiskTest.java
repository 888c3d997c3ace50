package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.engine.Given.doc;
import static dev.contextd.engine.Given.file;
import static dev.contextd.engine.Given.hits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.Names;
import dev.contextd.testkit.StoreRoot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What other programs left in the folder: odd vectors, and documents that cannot be served. */
class FoundOnDiskTest {
  private static final String FOLDER = Names.hash("notes");

  @RegisterExtension final StoreRoot root = new StoreRoot();
  private Path folder = Path.of("");

  @BeforeEach
  void aFolder() throws Exception {
    folder = Given.folder(root.path(), FOLDER, "notes");
  }

  private Path put(String id, float... vector) throws Exception {
    return file(folder, Names.hash(id) + ".gob", id, "content of " + id, vector);
  }

  @Test
  void vectorsOfAnyLengthAreScoredByTrueCosineAndReturnedBitForBit() throws Exception {
    put("long", 30, 40);
    put("short", 3e-30f, 4e-30f);
    put("unit", 0.8f, 0.6f);
    put("huge", -Float.MAX_VALUE, Float.MAX_VALUE);
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      QueryResult result = notes.query(Query.nearest(new float[] {3, 4}, 10));
      assertThat(hits(result)).containsExactly("long", "short", "unit", "huge");
      assertThat(result.hits())
          .extracting(QueryResult.Hit::score)
          .usingElementComparator((a, b) -> Math.abs(a - b) < 1e-7 ? 0 : Double.compare(a, b))
          .containsExactly(1.0, 1.0, 0.96, 0.1 * Math.sqrt(2));
      assertThat(notes.get("long").orElseThrow().embedding()).containsExactly(30, 40);
      assertThat(notes.get("short").orElseThrow().embedding()).containsExactly(3e-30f, 4e-30f);
      notes.upsert(List.of(doc("new", 1, 0)));
      assertThat(notes.get("huge").orElseThrow().embedding()[1]).isEqualTo(Float.MAX_VALUE);
    }
  }

  @Test
  void ofMixedDimensionsTheMajorityIsServedAndTheRestIsCounted() throws Exception {
    root.expect(Damage.DimensionMismatch.class);
    root.expect(Damage.VectorUnusable.class);
    put("a", 1, 0);
    put("b", 0, 1);
    put("odd", 1, 0, 0);
    put("zero", 0, 0);
    put("none");
    put("nan", Float.NaN, 1);
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      assertThat(notes.info().dimension()).hasValue(2);
      assertThat(notes.info().unserved()).isEqualTo(4);
      assertThat(notes.get("odd")).isEmpty();
      QueryResult result = notes.query(Query.nearest(new float[] {1, 0}, 10));
      assertThat(hits(result)).containsExactly("a", "b");
      assertThat(result.coverage()).isEqualTo(new QueryResult.Coverage(2, OptionalLong.of(4)));
      assertThat(store.damage()).hasSize(4);
    }
  }

  @Test
  void coverageCountsWhatLiesInQuarantineAndSaysWhereItCannotBeKnown() throws Exception {
    put("a", 1, 0);
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      store.quarantined(Map.of(FOLDER, OptionalLong.of(3), "ffffffff", OptionalLong.of(9)));
      assertThat(unavailable(notes)).hasValue(3);
      store.quarantined(Map.of(FOLDER, OptionalLong.empty()));
      assertThat(unavailable(notes)).isEmpty();
      store.quarantined(Map.of());
      assertThat(unavailable(notes)).hasValue(0);
    }
  }

  private static OptionalLong unavailable(VectorCollection notes) {
    return notes.query(Query.nearest(new float[] {1, 0}, 1)).coverage().unavailable();
  }

  @Test
  void anUnservedDocumentThatIsReplacedGoesToTheTrashAndDoesNotComeBack() throws Exception {
    put("a", 1, 0);
    put("b", 1, -1);
    put("odd", 1, 0, 0);
    file(folder, "somewhere.gob", "lost", "misplaced", 1, 1);
    Files.writeString(folder.resolve("aaaaaaaa.gob"), "rubbish");
    root.expect(Damage.DocumentUnreadable.class);
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      assertThat(notes.info().unserved()).isEqualTo(3);
      notes.upsert(List.of(doc("odd", 0, 1), doc("lost", 0, 1)));
      assertThat(notes.info().unserved()).isEqualTo(1);
      notes.delete(List.of("lost"));
    }
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      assertThat(hits(notes.query(Query.nearest(new float[] {1, 0}, 10))))
          .containsExactly("a", "b", "odd");
    }
    try (Stream<Path> trash = Files.walk(root.path().resolve(".contextd/trash"))) {
      assertThat(trash.map(path -> String.valueOf(path.getFileName())))
          .contains(Names.hash("odd") + ".gob", "somewhere.gob");
    }
  }

  @Test
  void anElderVersionIsNotServedAndGoesWithItsDocument() throws Exception {
    file(folder, Names.hash("a") + "-1.gob", "a", "elder", 1, 0);
    file(folder, Names.hash("a") + ".gob", "a", "younger", 0, 1);
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      assertThat(notes.get("a").orElseThrow().content()).isEqualTo("younger");
      assertThat(store.damage()).singleElement().isInstanceOf(Damage.DocumentDuplicate.class);
      assertThat(notes.delete(List.of("a"))).isEqualTo(1);
    }
    try (VectorStore store = Given.open(root.path())) {
      assertThat(collection(store, "notes").count()).isZero();
    }
  }

  @Test
  void damageThatWasForgottenIsNoLongerCounted() throws Exception {
    Path bad = Files.writeString(folder.resolve("aaaaaaaa.gob"), "rubbish");
    put("a", 1, 0);
    try (VectorStore store = Given.open(root.path())) {
      Damage damage = store.damage().getFirst();
      Files.move(bad, root.beside("elsewhere"));
      store.forget(damage);
      assertThat(store.damage()).isEmpty();
      assertThat(collection(store, "notes").info().unserved()).isZero();
    }
  }

  @Test
  void idsLongerThanNewOnesMayBeAreServedAndDeleted() throws Exception {
    String id = "x".repeat(600);
    put(id, 1, 0);
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      assertThat(notes.get(id)).isPresent();
      assertThat(notes.delete(List.of(id))).isEqualTo(1);
    }
  }
}
