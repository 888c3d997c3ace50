package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Filters as a client sees them. */
class FilterApiTest extends NotesApi {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"n\":\"1\"}|a",
        "{\"n\":{\"$gt\":1}}|b",
        "{\"n\":{\"$exists\":false}}|c",
        "{\"$not\":{\"n\":{\"$in\":[\"1\",\"2\"]}}}|c",
        "{\"$or\":[{\"n\":\"1\"},{\"n\":{\"$gte\":\"2\"}}]}|a b",
        "{\"n\":{\"$ne\":\"1\"}}|b c",
        "{}|a b c",
      })
  void filtersOfTheDataApi(String where, String expected) {
    addThree();
    JsonNode answer =
        server.post(NOTES + "/query", "{\"embedding\":[1,1],\"where\":" + where + "}").json();
    List<String> ids = new ArrayList<>();
    answer.get("results").forEach(hit -> ids.add(hit.get("id").asText()));
    assertThat(ids).containsExactlyInAnyOrder(expected.split(" "));
  }

  @Test
  void filtersBeyondTheLimitsAreRefused() {
    addThree();
    String deep = "{\"n\":\"1\"}";
    for (int i = 0; i < 16; i++) {
      deep = "{\"$not\":" + deep + "}";
    }
    String many =
        IntStream.range(0, 1_001).mapToObj(i -> "\"" + i + "\"").collect(Collectors.joining(","));
    for (String where : List.of(deep, "{\"n\":{\"$in\":[" + many + "]}}")) {
      RunningServer.Answer answer =
          server.post(NOTES + "/query", "{\"embedding\":[1,0],\"where\":" + where + "}");
      assertThat(answer.code()).isEqualTo("invalid_filter");
    }
  }

  @Test
  void aTextFilterOfMoreConditionsThanOthersMayHaveIsRefused() {
    addThree();
    String parts =
        IntStream.range(0, 10_001)
            .mapToObj(i -> "{\"$contains\":\"" + i + "\"}")
            .collect(Collectors.joining(","));
    RunningServer.Answer answer =
        server.post(
            NOTES + "/query", "{\"embedding\":[1,0],\"where_document\":{\"$or\":[" + parts + "]}}");
    assertThat(answer.code()).isEqualTo("invalid_filter");
  }

  /** The condition beside the empty one named a field, and so everything was deleted. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"$and\":[]}",
        "{\"$or\":[{},{\"n\":\"1\"}]}",
        "{\"$not\":{\"$and\":[{\"n\":\"1\"},{\"$or\":[]}]}}",
        "{\"n\":{\"$nin\":[]}}",
        "{\"$not\":{\"n\":{\"$in\":[]}}}"
      })
  void aDeletionByAFilterThatSparesNothingIsRefused(String where) {
    addThree();
    RunningServer.Answer answer =
        server.post(NOTES + "/documents/delete", "{\"where\":" + where + "}");
    assertThat(answer.code()).isEqualTo("invalid_filter");
    assertThat(server.get(NOTES).json().get("count").asInt()).isEqualTo(3);
  }

  /** As a double it would be rounded away from what it stands for. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"$gt\":9007199254740993.1}|1",
        "{\"$gt\":9007199254740993.3}|0",
        "{\"$lt\":12345678901234567890.5}|1",
        "{\"$gt\":-1.0E+2}|1"
      })
  void numbersInAFilterAreExact(String condition, int found) {
    server.post(
        NOTES + "/documents",
        "{\"documents\":[{\"id\":\"a\",\"embedding\":[1,0],\"metadata\":{\"n\":\"9007199254740993.25\"}}]}");
    String query = "{\"embedding\":[1,0],\"where\":{\"n\":" + condition + "}}";
    assertThat(server.post(NOTES + "/query", query).json().get("results")).hasSize(found);
  }

  /** Several conditions side by side were counted as another level. */
  @Test
  void levelsAreCountedAsTheyStandInTheJson() {
    addThree();
    String where = "{\"n\":{\"$gte\":1,\"$lt\":2},\"x\":{\"$exists\":false}}";
    String text = "{\"$contains\":\"first\",\"$not_contains\":\"z\"}";
    for (int i = 0; i < 15; i++) {
      where = "{\"$or\":[" + where + "],\"$and\":[{\"n\":\"1\"}],\"n\":\"1\"}";
      text = "{\"$or\":[" + text + "],\"$contains\":\"f\"}";
    }
    String deep = "{\"embedding\":[1,0],\"where\":%s,\"where_document\":%s}";
    assertThat(server.post(NOTES + "/query", deep.formatted("{}", text)).json().get("results"))
        .hasSize(1);
    assertThat(server.post(NOTES + "/query", deep.formatted(where, "{}")).json().get("results"))
        .hasSize(1);
  }
}
