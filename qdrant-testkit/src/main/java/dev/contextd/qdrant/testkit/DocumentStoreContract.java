package dev.contextd.qdrant.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Decimal;
import dev.contextd.engine.Document;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Filter;
import dev.contextd.engine.Filter.Compare.Order;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Page;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.QueryResult.Hit;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.TextFilter;
import dev.contextd.engine.VectorCollection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What callers of the data API rely on, wherever documents lie: every store passes it. */
public abstract class DocumentStoreContract {
  private static final String NOTES = "notes";
  private static final double SCORE_TOLERANCE = 1e-5;
  private static final Scope TENANT = new Scope(Map.of("tenant_id", "t1"), Set.of("tenant_id"));
  private static final Scope OTHER = new Scope(Map.of("tenant_id", "t2"), Set.of("tenant_id"));

  private DocumentStore store;

  /** A store that is empty. */
  protected abstract DocumentStore open() throws Exception;

  /** Runs when the test is over and the store closed. */
  protected void verify() throws Exception {}

  /** Opens the store. */
  @BeforeEach
  public void begin() throws Exception {
    store = open();
  }

  /** Closes it. */
  @AfterEach
  public void end() throws Exception {
    store.close();
    verify();
  }

  private VectorCollection notes() {
    return store.collection(NOTES, Scope.ALL).orElseThrow();
  }

  private static NewDocument document(String id, float x, float y, String... metadata) {
    Map<String, String> map = new java.util.HashMap<>();
    for (int i = 0; i < metadata.length; i += 2) {
      map.put(metadata[i], metadata[i + 1]);
    }
    return NewDocument.of(id, "content of " + id, new float[] {x, y}).withMetadata(map);
  }

  private static void assertRefused(
      ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.code()).as(e.getMessage()).isEqualTo(code));
  }

  @Test
  void collectionsAreCreatedListedAndDeleted() {
    assertThat(store.create(NOTES, Map.of("kind", "x"))).isTrue();
    assertThat(store.create(NOTES, Map.of("kind", "x"))).isFalse();
    assertRefused(ErrorCode.COLLECTION_EXISTS, () -> store.create(NOTES, Map.of("kind", "y")));
    store.upsert("diary", List.of(document("a", 1, 0)), Scope.ALL);
    assertThat(store.collections(Scope.ALL))
        .extracting(CollectionInfo::name)
        .containsExactly("diary", NOTES);
    CollectionInfo info = notes().info();
    assertThat(info.metadata()).isEqualTo(Map.of("kind", "x"));
    assertThat(info.count()).isZero();
    assertThat(info.dimension()).isEmpty();
    store.delete(NOTES, Scope.ALL);
    assertThat(store.collection(NOTES, Scope.ALL)).isEmpty();
    assertRefused(ErrorCode.COLLECTION_NOT_FOUND, () -> store.delete(NOTES, Scope.ALL));
    assertRefused(ErrorCode.FORBIDDEN, () -> store.delete("diary", TENANT));
    assertRefused(ErrorCode.INVALID_ARGUMENT, () -> store.create("a\nb", Map.of()));
  }

  @Test
  void documentsAreWrittenReplacedReadAndDeleted() {
    String uuid = "6f1c2a9e-0f2b-4a53-9a3f-0d1f7a2b3c4d";
    List<String> ids =
        List.of("a", "mit/Strich", "ü ist da", uuid, uuid.toUpperCase(java.util.Locale.ROOT));
    for (String id : ids) {
      store.upsert(NOTES, List.of(document(id, 3, 4, "of", id)), Scope.ALL);
    }
    assertThat(notes().count()).isEqualTo(ids.size());
    for (Document found : notes().get(ids)) {
      assertThat(found.metadata()).isEqualTo(Map.of("of", found.id()));
      assertThat(found.content()).isEqualTo("content of " + found.id());
      assertThat(found.embedding()[0]).isCloseTo(0.6f, within(1e-6f));
      assertThat(found.embedding()[1]).isCloseTo(0.8f, within(1e-6f));
    }
    assertThat(notes().get(List.of("ü ist da", "missing", "a", "a")))
        .extracting(Document::id)
        .containsExactly("ü ist da", "a");
    notes().upsert(List.of(document("a", 0, 1)));
    assertThat(notes().get("a").orElseThrow().metadata()).isEmpty();
    assertThat(notes().delete(List.of("a", "missing", "a"))).isOne();
    assertThat(notes().get("a")).isEmpty();
    assertThat(notes().count()).isEqualTo(ids.size() - 1);
    assertThat(notes().info().dimension()).hasValue(2);
    assertThat(
            notes()
                .upsert(
                    List.of(
                        new NewDocument(
                            Optional.empty(), "x", Optional.of(new float[] {1, 1}), Map.of())))
                .ids())
        .hasSize(1)
        .allSatisfy(id -> assertThat(notes().get(id)).isPresent());
  }

  @Test
  void whatCannotBeRightIsRefusedAndChangesNothing() {
    store.upsert(NOTES, List.of(document("a", 1, 0)), Scope.ALL);
    NewDocument good = document("b", 1, 1);
    assertRefused(
        ErrorCode.INVALID_VECTOR, () -> notes().upsert(List.of(good, document("c", Float.NaN, 1))));
    assertRefused(
        ErrorCode.INVALID_VECTOR, () -> notes().upsert(List.of(good, document("c", 0, 0))));
    assertRefused(
        ErrorCode.DIMENSION_MISMATCH,
        () -> notes().upsert(List.of(good, NewDocument.of("c", "", new float[] {1, 2, 3}))));
    assertRefused(
        ErrorCode.DIMENSION_MISMATCH,
        () -> notes().upsert(List.of(NewDocument.of("c", "", new float[] {1, 2, 3}))));
    assertRefused(ErrorCode.INVALID_ARGUMENT, () -> notes().upsert(List.of(good, good)));
    assertRefused(ErrorCode.INVALID_ARGUMENT, () -> notes().upsert(List.of()));
    assertRefused(
        ErrorCode.INVALID_ARGUMENT, () -> notes().upsert(List.of(document("c", 1, 1, "$k", "v"))));
    assertRefused(
        ErrorCode.NO_EMBEDDER, () -> notes().upsert(List.of(NewDocument.ofText("c", "text"))));
    assertRefused(
        ErrorCode.DIMENSION_MISMATCH, () -> notes().query(Query.nearest(new float[] {1, 2, 3}, 3)));
    assertRefused(
        ErrorCode.INVALID_VECTOR, () -> notes().query(Query.nearest(new float[] {0, 0}, 3)));
    assertThat(notes().count()).isOne();
  }

  @Test
  void aHandleOfADeletedCollectionFindsNothing() {
    store.upsert(NOTES, List.of(document("a", 1, 0)), Scope.ALL);
    VectorCollection handle = notes();
    store.delete(NOTES, Scope.ALL);
    assertRefused(ErrorCode.COLLECTION_NOT_FOUND, handle::count);
    assertRefused(ErrorCode.COLLECTION_NOT_FOUND, () -> handle.delete(List.of("a")));
    assertRefused(
        ErrorCode.COLLECTION_NOT_FOUND, () -> handle.upsert(List.of(document("a", 1, 0))));
    assertRefused(
        ErrorCode.COLLECTION_NOT_FOUND, () -> handle.query(Query.nearest(new float[] {1, 0}, 1)));
    assertThat(store.collection(NOTES, Scope.ALL)).isEmpty();
    store.upsert(NOTES, List.of(NewDocument.of("a", "", new float[] {1, 2, 3})), Scope.ALL);
    assertThat(notes().info().dimension()).hasValue(3);
  }

  @Test
  void pagesVisitEveryDocumentOnce() {
    List<NewDocument> documents = new ArrayList<>();
    for (int i = 0; i < 57; i++) {
      documents.add(document("d" + i, 1, i, "tenant_id", i % 3 == 0 ? "t1" : "t2"));
    }
    store.upsert(NOTES, documents, Scope.ALL);
    assertThat(visited(Scope.ALL, 10)).hasSize(57);
    assertThat(visited(Scope.ALL, 57)).hasSize(57);
    assertThat(visited(Scope.ALL, 1)).hasSize(57);
    assertThat(visited(TENANT, 7)).hasSize(19);
  }

  private Set<String> visited(Scope scope, int limit) {
    VectorCollection collection = store.collection(NOTES, scope).orElseThrow();
    Set<String> visited = new TreeSet<>();
    Optional<String> after = Optional.empty();
    do {
      Page page = collection.page(after, limit);
      assertThat(page.documents()).hasSizeLessThanOrEqualTo(limit);
      page.documents().forEach(one -> assertThat(visited.add(one.id())).as(one.id()).isTrue());
      after = page.next();
    } while (after.isPresent());
    return visited;
  }

  private static Filter compare(String field, Order order, String bound) {
    return new Filter.Compare(field, order, Decimal.parse(bound));
  }

  private static List<Filter> filters() {
    Filter red = new Filter.Equal("colour", "red");
    Filter many = compare("n", Order.GREATER, "9");
    return List.of(
        red,
        new Filter.NotEqual("colour", "red"),
        new Filter.In("colour", Set.of("red", "blue")),
        new Filter.In("colour", Set.of()),
        new Filter.NotIn("colour", Set.of("red", "blue")),
        new Filter.NotIn("colour", Set.of()),
        new Filter.Exists("colour", true),
        new Filter.Exists("colour", false),
        new Filter.Exists("nothing", true),
        many,
        compare("n", Order.GREATER_OR_EQUAL, "10"),
        compare("n", Order.LESS, "9.5"),
        compare("n", Order.LESS_OR_EQUAL, "-1e1"),
        compare("colour", Order.GREATER, "0"),
        new Filter.Equal("a.b", "dotted"),
        new Filter.NotEqual("a.b", "dotted"),
        new Filter.Exists("a.b", true),
        new Filter.Equal("empty", ""),
        new Filter.Exists("empty", true),
        new Filter.Equal("truth", "true"),
        new Filter.Equal("n", "10"),
        new Filter.Equal("n", "10.0"),
        new Filter.And(List.of()),
        new Filter.Or(List.of()),
        new Filter.Not(red),
        new Filter.Not(many),
        new Filter.Not(new Filter.Not(many)),
        new Filter.Not(new Filter.Or(List.of())),
        new Filter.Not(new Filter.And(List.of())),
        new Filter.And(List.of(red, many)),
        new Filter.Or(List.of(red, many)),
        new Filter.Not(new Filter.Or(List.of(red, many))),
        new Filter.Not(new Filter.And(List.of(red, many))),
        new Filter.Not(new Filter.In("colour", Set.of("red", "green"))),
        new Filter.Not(new Filter.Exists("colour", true)),
        new Filter.Or(
            List.of(
                new Filter.And(List.of(red, new Filter.Not(many))),
                new Filter.Equal("truth", "true"))));
  }

  private static List<NewDocument> coloured() {
    return List.of(
        document("1", 1, 0, "colour", "red", "n", "9"),
        document("2", 1, 0.1f, "colour", "red", "n", "10"),
        document("3", 1, 0.2f, "colour", "blue", "n", "10.0"),
        document("4", 1, 0.3f, "colour", "green", "n", "-11"),
        document("5", 1, 0.4f, "n", "ten"),
        document("6", 1, 0.5f, "a.b", "dotted", "colour", ""),
        document("7", 1, 0.6f, "empty", "", "truth", "true"),
        document("8", 1, 0.7f));
  }

  @Test
  void everyFilterFindsWhatItsMeaningSays() {
    store.upsert(NOTES, coloured(), Scope.ALL);
    for (Filter filter : filters()) {
      List<String> expected =
          coloured().stream()
              .filter(one -> filter.holdsFor(one.metadata()))
              .map(one -> one.id().orElseThrow())
              .toList();
      for (int limit : new int[] {1, 3, 8, 1000}) {
        QueryResult found = notes().query(Query.nearest(new float[] {1, 0}, limit).where(filter));
        assertThat(found.hits())
            .as(filter + ", limit " + limit)
            .extracting(hit -> hit.document().id())
            .containsExactlyElementsOf(expected.subList(0, Math.min(limit, expected.size())));
        assertThat(found.coverage().searched()).isEqualTo(8);
      }
    }
  }

  @Test
  void whatAFilterFindsCanBeDeleted() {
    for (Filter filter : filters()) {
      store.upsert(NOTES, coloured(), Scope.ALL);
      long expected = coloured().stream().filter(one -> filter.holdsFor(one.metadata())).count();
      assertThat(notes().deleteWhere(filter)).as(filter.toString()).isEqualTo((int) expected);
      assertThat(notes().count()).isEqualTo(8 - expected);
    }
  }

  @Test
  void contentIsSearchedLetterForLetter() {
    store.upsert(NOTES, coloured(), Scope.ALL);
    Query query = Query.nearest(new float[] {1, 0}, 5);
    assertThat(notes().query(query.whereDocument(new TextFilter.Contains("of 3"))).hits())
        .extracting(hit -> hit.document().id())
        .containsExactly("3");
    assertThat(notes().query(query.whereDocument(new TextFilter.Contains("OF 3"))).hits())
        .isEmpty();
    TextFilter neither =
        new TextFilter.And(
            List.of(new TextFilter.NotContains("of 1"), new TextFilter.NotContains("of 3")));
    assertThat(notes().query(query.whereDocument(neither)).hits())
        .extracting(hit -> hit.document().id())
        .containsExactly("2", "4", "5", "6", "7");
  }

  @Test
  void theNearestComeFirstAndEqualOnesInTheOrderOfTheirIds() {
    store.upsert(
        NOTES,
        List.of(
            document("b", 2, 0), document("a", 1, 0), document("c", 0, 1), document("d", -1, 0)),
        Scope.ALL);
    List<Hit> hits = notes().query(Query.nearest(new float[] {5, 0}, 10)).hits();
    assertThat(hits).extracting(hit -> hit.document().id()).containsExactly("a", "b", "c", "d");
    assertThat(hits.getFirst().score()).isCloseTo(1, within(SCORE_TOLERANCE));
    assertThat(hits.get(2).score()).isCloseTo(0, within(SCORE_TOLERANCE));
    assertThat(hits.getLast().score()).isCloseTo(-1, within(SCORE_TOLERANCE));
    assertThat(hits.getFirst().document().embedding()).containsExactly(1, 0);
    assertThat(notes().query(Query.nearest(new float[] {5, 0}, 2)).hits())
        .extracting(hit -> hit.document().id())
        .containsExactly("a", "b");
  }

  @Test
  void anEmptyCollectionAnswersWithNothing() {
    store.create(NOTES, Map.of());
    assertThat(notes().query(Query.nearest(new float[] {1, 2, 3}, 3)).hits()).isEmpty();
    assertThat(notes().page(Optional.empty(), 10).documents()).isEmpty();
    assertThat(notes().deleteWhere(new Filter.And(List.of()))).isZero();
    assertThat(notes().get("a")).isEmpty();
  }

  @Test
  void tenantsSeeTheirOwnAlone() {
    store.upsert(NOTES, List.of(document("mine", 1, 0, "k", "v")), TENANT);
    store.upsert(NOTES, List.of(document("theirs", 1, 0, "k", "v")), OTHER);
    store.upsert(NOTES, List.of(document("nobodys", 1, 0, "k", "v")), Scope.ALL);
    VectorCollection mine = store.collection(NOTES, TENANT).orElseThrow();
    assertThat(mine.count()).isOne();
    assertThat(mine.info().count()).isOne();
    assertThat(mine.get(List.of("mine", "theirs", "nobodys")))
        .extracting(Document::id)
        .containsExactly("mine");
    assertThat(mine.query(Query.nearest(new float[] {1, 0}, 9)).hits()).hasSize(1);
    assertThat(mine.query(Query.nearest(new float[] {1, 0}, 9)).coverage().searched()).isOne();
    assertThat(mine.page(Optional.empty(), 9).documents()).hasSize(1);
    assertRefused(
        ErrorCode.DOCUMENT_CONFLICT, () -> mine.upsert(List.of(document("theirs", 0, 1))));
    assertRefused(
        ErrorCode.FORBIDDEN, () -> mine.upsert(List.of(document("x", 0, 1, "tenant_id", "t2"))));
    assertRefused(
        ErrorCode.FORBIDDEN,
        () ->
            mine.query(
                Query.nearest(new float[] {1, 0}, 9).where(new Filter.Equal("tenant_id", "t2"))));
    assertThat(mine.delete(List.of("theirs", "nobodys"))).isZero();
    assertThat(mine.deleteWhere(new Filter.Equal("k", "v"))).isOne();
    assertThat(notes().count()).isEqualTo(2);
    assertThat(notes().get("theirs").orElseThrow().metadata())
        .isEqualTo(Map.of("k", "v", "tenant_id", "t2"));
  }
}
