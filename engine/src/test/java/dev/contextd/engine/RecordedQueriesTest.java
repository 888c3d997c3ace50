package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.contextd.testkit.Fixtures;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Queries that chromem-go answered over the fixtures: ours gives the same answers. */
class RecordedQueriesTest {
  /** chromem-go adds up in single precision. */
  private static final double TOLERANCE = 1e-6;

  @RegisterExtension final StoreRoot root = new StoreRoot();

  record Expected(String id, double similarity) {}

  record Recorded(Query query, List<Expected> expected) {}

  @ParameterizedTest
  @ValueSource(strings = {"chromem-go/plain", "chromem-go/gzip"})
  void theRecordedQueriesGetTheRecordedAnswers(String fixture) throws Exception {
    root.copyOf(fixture);
    StoreOptions options = StoreOptions.defaults().withEmbedder(new ToyEmbedder("test-8d"));
    try (VectorStore store = VectorStore.open(root.path(), options)) {
      VectorCollection checkpoints = collection(store, "contextd_checkpoints");
      List<Recorded> recorded = recorded();
      assertThat(recorded).hasSize(4);
      for (Recorded one : recorded) {
        List<QueryResult.Hit> hits = checkpoints.query(one.query()).hits();
        assertThat(hits)
            .extracting(hit -> hit.document().id())
            .containsExactlyElementsOf(one.expected().stream().map(Expected::id).toList());
        for (int i = 0; i < hits.size(); i++) {
          assertThat(hits.get(i).score())
              .isCloseTo(one.expected().get(i).similarity(), within(TOLERANCE));
        }
      }
    }
  }

  @Test
  void theFixturesWereEmbeddedByTheToy() throws Exception {
    root.copyOf("chromem-go/plain");
    try (VectorStore store = Given.open(root.path())) {
      Page page = collection(store, "contextd_checkpoints").page(Optional.empty(), 1_000);
      assertThat(page.documents()).hasSize(40);
      for (Document document : page.documents()) {
        assertThat(ToyEmbedder.vector(document.content()))
            .containsExactly(document.embedding(), within(1e-6f));
      }
    }
  }

  private static List<Recorded> recorded() throws IOException {
    List<Recorded> recorded = new ArrayList<>();
    try (JsonParser json =
        new JsonFactory()
            .createParser(Fixtures.path("chromem-go/queries.expected.json").toFile())) {
      json.nextToken();
      while (json.nextToken() == JsonToken.START_OBJECT) {
        recorded.add(read(json));
      }
    }
    return recorded;
  }

  private static Recorded read(JsonParser json) throws IOException {
    String text = "";
    @Nullable Filter where = null;
    @Nullable TextFilter whereDocument = null;
    List<Expected> expected = new ArrayList<>();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      JsonToken value = json.nextToken();
      switch (field) {
        case "Query" -> text = json.getText();
        case "Where" -> {
          if (value != JsonToken.VALUE_NULL) {
            where = new Filter.Equal(json.nextFieldName(), json.nextTextValue());
            json.nextToken();
          }
        }
        case "WhereDocument" -> {
          if (value != JsonToken.VALUE_NULL) {
            whereDocument = textFilter(json.nextFieldName(), json.nextTextValue());
            json.nextToken();
          }
        }
        default -> {
          while (json.nextToken() == JsonToken.START_OBJECT) {
            json.nextToken();
            String id = json.nextTextValue();
            json.nextToken();
            json.nextToken();
            expected.add(new Expected(id, json.getDoubleValue()));
            json.nextToken();
          }
        }
      }
    }
    Query query = Query.nearest(text, expected.size());
    query = where == null ? query : query.where(where);
    return new Recorded(
        whereDocument == null ? query : query.whereDocument(whereDocument), expected);
  }

  private static TextFilter textFilter(String operator, String text) {
    return operator.equals("$contains")
        ? new TextFilter.Contains(text)
        : new TextFilter.NotContains(text);
  }
}
