package dev.contextd.engine;

import static dev.contextd.engine.Given.doc;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.testkit.StoreRoot;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Each number of {@link Limits}: the last that is taken, the first that is refused. */
class LimitsTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  private void with(Consumer<VectorCollection> test) throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      test.accept(store.getOrCreate("notes", Scope.ALL));
    }
  }

  @Test
  void idsOf1To512Bytes() throws Exception {
    with(notes -> {
      String longest = "ü".repeat(256);
      notes.upsert(List.of(doc(longest, 1, 0), doc("a", 1, 0)));
      assertThat(notes.get(longest)).isPresent();
      for (String id : List.of("", longest + "x", "x".repeat(513))) {
        refused(() -> notes.upsert(List.of(doc(id, 1, 0))), "documents[0].id has", "1 to 512");
      }
      assertThat(notes.count()).isEqualTo(2);
    });
  }

  @Test
  void namesOf1To255BytesWithoutControlCharacters() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      String longest = "é".repeat(127) + "x";
      assertThat(store.create(longest, Map.of())).isTrue();
      for (String name : List.of("", longest + "x")) {
        refused(() -> store.create(name, Map.of()), "1 to 255 bytes of UTF-8");
        refused(() -> store.getOrCreate(name, Scope.ALL), "1 to 255 bytes of UTF-8");
      }
      for (String name : List.of("a\nb", "\0", "a\u007f", "a\u0085")) {
        refused(() -> store.create(name, Map.of()), "control characters");
      }
      assertThat(store.collections(Scope.ALL)).hasSize(1);
    }
  }

  @Test
  void batchesOf1To1000DocumentsEachIdOnce() throws Exception {
    with(notes -> {
      List<NewDocument> most =
          new ArrayList<>(
              IntStream.range(0, Limits.MAX_BATCH_DOCUMENTS)
                  .mapToObj(i -> doc("doc " + i, 1, 0))
                  .toList());
      assertThat(notes.upsert(most).ids()).hasSize(Limits.MAX_BATCH_DOCUMENTS);
      most.add(doc("one more", 1, 0));
      refused(ErrorCode.TOO_LARGE, () -> notes.upsert(most), "at most 1000 documents, found 1001");
      refused(() -> notes.upsert(List.of()), "at least one document");
      refused(
          () -> notes.upsert(List.of(doc("a", 1, 0), doc("b", 1, 0), doc("a", 0, 1))),
          "documents[2].id \"a\" stands in the batch already");
      assertThat(notes.count()).isEqualTo(Limits.MAX_BATCH_DOCUMENTS);
    });
  }

  @Test
  void getsAndDeletesOfUpTo10000Ids() throws Exception {
    with(notes -> {
      notes.upsert(List.of(doc("a", 1, 0)));
      List<String> most = new ArrayList<>(Collections.nCopies(Limits.MAX_IDS, "a"));
      assertThat(notes.get(most)).hasSize(1);
      most.add("a");
      refused(ErrorCode.TOO_LARGE, () -> notes.get(most), "at most 10000 ids");
      refused(ErrorCode.TOO_LARGE, () -> notes.delete(most), "at most 10000 ids");
      assertThat(notes.count()).isEqualTo(1);
    });
  }

  @Test
  void pagesOf1To1000() throws Exception {
    with(notes -> {
      for (int limit : new int[] {0, -1, 1_001, Integer.MAX_VALUE}) {
        refused(() -> notes.page(Optional.empty(), limit), "limit must be 1 to 1000", "" + limit);
      }
      assertThat(notes.page(Optional.empty(), 1_000).documents()).isEmpty();
    });
  }

  @Test
  void queriesFor1To10000Results() {
    for (int limit : new int[] {0, -1, 10_001}) {
      refused(() -> Query.nearest(new float[] {1}, limit), "limit must be 1 to 10000", "" + limit);
    }
    assertThat(Query.nearest("text", 10_000).limit()).isEqualTo(10_000);
  }

  @Test
  void vectorsOf1To65536Dimensions() throws Exception {
    with(notes -> {
      float[] longest = new float[Limits.MAX_DIMENSION];
      longest[longest.length - 1] = 1;
      for (float[] vector : List.of(new float[0], new float[Limits.MAX_DIMENSION + 1])) {
        refused(
            ErrorCode.INVALID_VECTOR,
            () -> notes.upsert(List.of(doc("b", vector))),
            "has " + vector.length + " values, expected 1 to 65536");
        refused(
            ErrorCode.INVALID_VECTOR,
            () -> notes.query(Query.nearest(vector, 1)),
            "the query's vector");
      }
      notes.upsert(List.of(doc("a", longest)));
      assertThat(notes.query(Query.nearest(longest, 1)).hits()).hasSize(1);
    });
  }

  @Test
  void filtersOfUpTo16Levels() throws Exception {
    with(notes -> {
      Query query = Query.nearest(new float[] {1, 0}, 1);
      notes.upsert(List.of(doc("a", 1, 0)));
      Filter deepest = not(15, new Filter.Exists("missing", true));
      assertThat(notes.query(query.where(deepest)).hits()).hasSize(1);
      refused(
          ErrorCode.INVALID_FILTER,
          () -> notes.query(query.where(new Filter.Or(List.of(deepest)))),
          "at most 16 levels");
      refused(
          ErrorCode.INVALID_FILTER,
          () -> notes.deleteWhere(not(1_000, deepest)),
          "at most 16 levels");
      TextFilter deepestText = nested(15);
      assertThat(notes.query(query.whereDocument(deepestText)).hits()).hasSize(1);
      refused(
          ErrorCode.INVALID_FILTER,
          () -> notes.query(query.whereDocument(nested(16))),
          "at most 16 levels");
    });
  }

  private static Filter not(int times, Filter filter) {
    return times == 0 ? filter : not(times - 1, new Filter.Not(filter));
  }

  private static TextFilter nested(int times) {
    return times == 0
        ? new TextFilter.Contains("content")
        : new TextFilter.Or(List.of(nested(times - 1)));
  }

  @Test
  void filtersOfUpTo1000ValuesAnd10000Conditions() throws Exception {
    with(notes -> {
      notes.upsert(List.of(doc("a", Map.of("n", "7"))));
      assertThat(notes.query(where(new Filter.In("n", numbers(1_000)))).hits()).hasSize(1);
      assertThat(notes.query(where(new Filter.NotIn("n", numbers(1_000)))).hits()).isEmpty();
      Set<String> tooMany = numbers(1_001);
      refused(
          ErrorCode.INVALID_FILTER,
          () -> new Filter.In("n", tooMany),
          "at most 1000",
          "found 1001");
      refused(
          ErrorCode.INVALID_FILTER,
          () -> new Filter.NotIn("n", tooMany),
          "at most 1000",
          "found 1001");
      Filter one = new Filter.Equal("n", "7");
      assertThat(notes.query(where(new Filter.And(Collections.nCopies(10_000, one)))).hits())
          .hasSize(1);
      refused(
          ErrorCode.INVALID_FILTER,
          () -> notes.query(where(new Filter.Or(Collections.nCopies(10_001, one)))),
          "at most 10000 conditions, found 10001");
    });
  }

  private static Query where(Filter filter) {
    return Query.nearest(new float[] {1, 0}, 1).where(filter);
  }

  private static Set<String> numbers(int count) {
    return IntStream.range(0, count).mapToObj(Integer::toString).collect(Collectors.toSet());
  }

  @Test
  void metadataKeysBeginWithNoDollar() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(doc("a", Map.of("a$", "$value"))));
      refused(
          () -> notes.upsert(List.of(doc("b", Map.of()), doc("c", Map.of("$eq", "1")))),
          "documents[1].metadata",
          "\"$eq\" may not begin with $");
      refused(() -> store.create("more", Map.of("$", "1")), "collection.metadata");
      assertThat(notes.count()).isEqualTo(1);
    }
  }

  @Test
  void unpairedSurrogatesAreRefusedBecauseTheyWouldComeBackAltered() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      for (String bad : List.of("\ud800", "a\udc00", "\udc00\ud800", "\ud83d\ud83d\udea8")) {
        List<NewDocument> documents =
            List.of(
                doc("id " + bad, 1, 0),
                NewDocument.of("a", bad, new float[] {1, 0}),
                doc("a", Map.of(bad, "1")),
                doc("a", Map.of("k", bad)));
        for (NewDocument document : documents) {
          refused(() -> notes.upsert(List.of(document)), "documents[0].", "unpaired surrogate");
        }
        refused(() -> store.create(bad, Map.of()), "the collection name", "unpaired surrogate");
        refused(() -> store.create("more", Map.of("k", bad)), "unpaired surrogate");
      }
      assertThat(notes.count()).isZero();
      notes.upsert(List.of(doc("\ud83d\udea8", 1, 0)));
      assertThat(notes.count()).isEqualTo(1);
    }
  }

  @Test
  void aDocumentWithNeitherEmbeddingNorTextIsRefused() throws Exception {
    with(notes ->
        refused(
            () -> notes.upsert(List.of(doc("a", 1, 0), NewDocument.ofText("b", " \n"))),
            "documents[1] has neither an embedding nor a content"));
  }

  private static void refused(Runnable call, String... parts) {
    refused(ErrorCode.INVALID_ARGUMENT, call, parts);
  }

  private static void refused(ErrorCode code, Runnable call, String... parts) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(StoreException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContainingAll(parts);
  }

  /** Were each key compared with all before it, this would take minutes. */
  @Test
  void metadataKeysOfOneHashCodeAreWrittenInReasonableTime() throws Exception {
    int bits = 17;
    Map<String, String> metadata = new HashMap<>();
    for (int n = 0; n < 1 << bits; n++) {
      StringBuilder key = new StringBuilder();
      for (int bit = 0; bit < bits; bit++) {
        key.append((n >> bit & 1) == 0 ? "Aa" : "BB");
      }
      metadata.put(key.toString(), "v");
    }
    with(notes -> {
      notes.upsert(List.of(doc("a", 1, 0).withMetadata(metadata)));
      assertThat(notes.get("a").orElseThrow().metadata()).isEqualTo(metadata);
    });
  }
}
