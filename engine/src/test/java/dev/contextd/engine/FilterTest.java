package dev.contextd.engine;

import static dev.contextd.engine.Given.doc;
import static dev.contextd.engine.Given.ids;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.Filter.And;
import dev.contextd.engine.Filter.Compare;
import dev.contextd.engine.Filter.Compare.Order;
import dev.contextd.engine.Filter.Equal;
import dev.contextd.engine.Filter.Exists;
import dev.contextd.engine.Filter.In;
import dev.contextd.engine.Filter.Not;
import dev.contextd.engine.Filter.NotEqual;
import dev.contextd.engine.Filter.NotIn;
import dev.contextd.engine.Filter.Or;
import dev.contextd.testkit.StoreRoot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Every operator through the collection, where the field is there and where it is missing. */
class FilterTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();
  private VectorStore store;
  private VectorCollection notes;

  @BeforeEach
  void fourDocuments() throws Exception {
    store = Given.open(root.path());
    notes = store.getOrCreate("notes", Scope.ALL);
    notes.upsert(
        List.of(
            doc("five", Map.of("n", "5", "lang", "en")),
            doc("none", Map.of()),
            doc("ten", Map.of("n", "10", "lang", "de")),
            doc("word", Map.of("n", "many", "lang", ""))));
  }

  @AfterEach
  void close() {
    store.close();
  }

  private void assertFinds(Filter filter, String... expected) {
    Query query = Query.nearest(new float[] {1, 0}, 10).where(filter);
    assertThat(Given.hits(notes.query(query))).as("%s", filter).containsExactly(expected);
    Query negated = Query.nearest(new float[] {1, 0}, 10).where(new Not(filter));
    assertThat(Given.hits(notes.query(negated)))
        .as("not %s", filter)
        .noneMatch(List.of(expected)::contains)
        .hasSize(4 - expected.length);
  }

  @Test
  void equality() {
    assertFinds(new Equal("lang", "en"), "five");
    assertFinds(new Equal("lang", ""), "word");
    assertFinds(new Equal("n", "5.0"));
    assertFinds(new Equal("nowhere", ""));
    assertFinds(new NotEqual("lang", "en"), "none", "ten", "word");
    assertFinds(new NotEqual("nowhere", "x"), "five", "none", "ten", "word");
  }

  @Test
  void membership() {
    assertFinds(new In("lang", Set.of("en", "", "fr")), "five", "word");
    assertFinds(new In("lang", Set.of()));
    assertFinds(new In("nowhere", Set.of("")));
    assertFinds(new NotIn("lang", Set.of("en", "")), "none", "ten");
    assertFinds(new NotIn("lang", Set.of()), "five", "none", "ten", "word");
    assertFinds(new NotIn("nowhere", Set.of("x")), "five", "none", "ten", "word");
  }

  @Test
  void comparisonOfNumbersAndOfNothingElse() {
    assertFinds(new Compare("n", Order.GREATER, Decimal.parse("5")), "ten");
    assertFinds(new Compare("n", Order.GREATER_OR_EQUAL, Decimal.parse("5.0")), "five", "ten");
    assertFinds(new Compare("n", Order.LESS, Decimal.parse("1e1")), "five");
    assertFinds(new Compare("n", Order.LESS_OR_EQUAL, Decimal.parse("1e1")), "five", "ten");
    assertFinds(new Compare("n", Order.LESS_OR_EQUAL, Decimal.parse("z")));
    assertFinds(new Compare("lang", Order.GREATER, Decimal.parse("-1e300")));
    assertFinds(new Compare("nowhere", Order.LESS, Decimal.parse("1")));
  }

  @Test
  void existence() {
    assertFinds(new Exists("lang", true), "five", "ten", "word");
    assertFinds(new Exists("lang", false), "none");
    assertFinds(new Exists("nowhere", false), "five", "none", "ten", "word");
    assertFinds(new Exists("nowhere", true));
  }

  @Test
  void combinations() {
    Filter en = new Equal("lang", "en");
    Filter number = new Compare("n", Order.GREATER, Decimal.parse("0"));
    assertFinds(new And(List.of()), "five", "none", "ten", "word");
    assertFinds(new Or(List.of()));
    assertFinds(new And(List.of(en, number)), "five");
    assertFinds(new Or(List.of(en, number)), "five", "ten");
    assertFinds(new And(List.of(number, new Not(en))), "ten");
    assertFinds(
        new Not(new Or(List.of(new And(List.of(en, number)), new Exists("lang", false)))),
        "ten",
        "word");
  }

  @Test
  void aDocumentMatchesByWhatItHasNowAndNotByWhatItHad() {
    notes.upsert(List.of(doc("five", Map.of("n", "6"))));
    assertFinds(new Equal("n", "5"));
    assertFinds(new Equal("n", "6"), "five");
    assertFinds(new Exists("lang", true), "ten", "word");
    notes.delete(List.of("ten"));
    assertThat(notes.deleteWhere(new Exists("lang", true))).isEqualTo(1);
    assertThat(ids(notes.get(List.of("five", "none", "ten", "word"))))
        .containsExactly("five", "none");
  }

  @Test
  void theSameIsFoundAfterARestart() throws Exception {
    List<NewDocument> many = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      Map<String, String> metadata =
          i % 5 == 0 ? Map.of() : Map.of("n", Integer.toString(i), "tenth", "t" + i % 10);
      many.add(doc("many-%03d".formatted(i), metadata));
    }
    notes.upsert(many);
    notes.delete(List.of("many-011", "many-021"));
    List<Filter> filters =
        List.of(
            new Equal("tenth", "t1"),
            new Not(new Exists("n", true)),
            new And(
                List.of(
                    new In("tenth", Set.of("t1", "t2", "t7")),
                    new Compare("n", Order.LESS, Decimal.parse("500")))));
    List<List<String>> before = filters.stream().map(this::found).toList();
    store.close();
    store = Given.open(root.path());
    notes = store.collection("notes", Scope.ALL).orElseThrow();
    assertThat(filters.stream().map(this::found).toList())
        .isEqualTo(before)
        .noneMatch(List::isEmpty);
    notes.upsert(List.of(doc("added", Map.of("tenth", "t1"))));
    assertThat(found(new Equal("tenth", "t1"))).hasSize(before.getFirst().size() + 1);
  }

  private List<String> found(Filter filter) {
    return Given.hits(notes.query(Query.nearest(new float[] {1, 0}, 10_000).where(filter)));
  }
}
