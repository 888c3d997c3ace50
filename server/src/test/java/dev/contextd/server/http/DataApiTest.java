package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The data API as a client sees it. */
class DataApiTest extends NotesApi {
  @Test
  void aCollectionIsCreatedOnceAndConflictsWithOtherMetadata() {
    String body = "{\"name\":\"notes\",\"metadata\":{\"owner\":\"me\"}}";
    RunningServer.Answer created = server.post("/api/v1/collections", body);
    assertThat(created.status()).isEqualTo(201);
    assertThat(created.json().get("dimension").isNull()).isTrue();
    assertThat(created.json().get("health").asText()).isEqualTo("healthy");
    assertThat(server.post("/api/v1/collections", body).status()).isEqualTo(200);
    RunningServer.Answer other = server.post("/api/v1/collections", "{\"name\":\"notes\"}");
    assertThat(other.status()).isEqualTo(409);
    assertThat(other.code()).isEqualTo("collection_exists");
    assertThat(server.delete(NOTES).status()).isEqualTo(204);
    assertThat(server.get(NOTES).status()).isEqualTo(404);
    assertThat(root.path().resolve(".contextd/trash")).isNotEmptyDirectory();
  }

  @Test
  void documentsAreAddedReadReplacedAndDeleted() {
    addThree();
    JsonNode a = server.get(NOTES + "/documents/a").json();
    assertThat(a.toString())
        .isEqualTo("{\"id\":\"a\",\"content\":\"first\",\"metadata\":{\"n\":\"1\"}}");
    server.post(
        NOTES + "/documents",
        "{\"documents\":[{\"id\":\"a\",\"content\":\"new\",\"embedding\":[1,1]}]}");
    assertThat(server.get(NOTES + "/documents/a").json().get("content").asText()).isEqualTo("new");
    assertThat(server.delete(NOTES + "/documents/a").status()).isEqualTo(204);
    assertThat(server.delete(NOTES + "/documents/a").status()).isEqualTo(404);
    assertThat(server.get(NOTES).json().get("count").asInt()).isEqualTo(2);
    assertThat(server.get(NOTES).json().get("dimension").asInt()).isEqualTo(2);
  }

  @Test
  void generatedIdsComeBackInOrder() {
    RunningServer.Answer answer =
        server.post(
            NOTES + "/documents",
            "{\"documents\":[{\"content\":\"x\",\"embedding\":[1]},{\"id\":\"i\",\"embedding\":[2]}]}");
    List<String> ids = new ArrayList<>();
    answer.json().get("ids").forEach(id -> ids.add(id.asText()));
    assertThat(ids).hasSize(2);
    assertThat(ids.get(0)).hasSize(36);
    assertThat(ids.get(1)).isEqualTo("i");
  }

  @Test
  void pagesHoldEveryDocumentOnceInTheOrderOfTheirBytes() {
    String documents =
        IntStream.range(0, 25)
            .mapToObj(i -> "{\"id\":\"d" + i + "\",\"embedding\":[1]}")
            .collect(Collectors.joining(","));
    server.post(NOTES + "/documents", "{\"documents\":[" + documents + "]}");
    List<String> seen = new ArrayList<>();
    String cursor = "";
    do {
      JsonNode page = server.get(NOTES + "/documents?limit=7" + cursor).json();
      page.get("documents").forEach(document -> seen.add(document.get("id").asText()));
      cursor =
          page.get("next_cursor").isNull() ? null : "&cursor=" + page.get("next_cursor").asText();
    } while (cursor != null);
    assertThat(seen).hasSize(25).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void queriesAnswerWithScoresCoverageAndWhatIsIncluded() {
    addThree();
    JsonNode answer =
        server
            .post(NOTES + "/query", "{\"embedding\":[5,0],\"limit\":2,\"include\":[\"embedding\"]}")
            .json();
    assertThat(answer.toString())
        .isEqualTo(
            "{\"results\":[{\"id\":\"a\",\"score\":1.0,\"embedding\":[1.0,0.0]},"
                + "{\"id\":\"c\",\"score\":0.7071067811865476,\"embedding\":[0.70710677,0.70710677]}],"
                + "\"coverage\":{\"searched\":3,\"unavailable\":0},\"truncated\":false}");
  }

  @Test
  void contentFiltersAndDeletingByFilter() {
    addThree();
    JsonNode answer =
        server
            .post(
                NOTES + "/query",
                "{\"embedding\":[1,1],\"where_document\":{\"$or\":[{\"$contains\":\"fir\"},{\"$contains\":\"thi\"}]}}")
            .json();
    assertThat(answer.get("results")).hasSize(2);
    assertThat(
            server
                .post(NOTES + "/documents/delete", "{\"where\":{\"n\":\"1\"}}")
                .json()
                .get("deleted")
                .asInt())
        .isEqualTo(1);
    assertThat(
            server
                .post(NOTES + "/documents/delete", "{\"ids\":[\"b\",\"zzz\"],\"where\":{}}")
                .json()
                .get("deleted")
                .asInt())
        .isEqualTo(1);
    assertThat(server.post(NOTES + "/documents/delete", "{\"where\":{}}").status()).isEqualTo(400);
    assertThat(server.post(NOTES + "/documents/delete", "{}").status()).isEqualTo(400);
    for (String empty : List.of("{\"$and\":[]}", "{\"$and\":[{}]}", "{\"$not\":{\"$or\":[]}}")) {
      assertThat(server.post(NOTES + "/documents/delete", "{\"where\":" + empty + "}").code())
          .as(empty)
          .isEqualTo("invalid_filter");
    }
    assertThat(server.get(NOTES).json().get("count").asInt()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a/b", "ü ö/?#%", "..", "世界 🚨", "a;b=c", "a+b", "\\", "x%2Fy", "\u0001\u007f"})
  void idsOfAnyCharactersTravelInPaths(String id) throws Exception {
    String json = new com.fasterxml.jackson.databind.ObjectMapper().writeValueAsString(id);
    String body = "{\"documents\":[{\"id\":" + json + ",\"content\":\"c\",\"embedding\":[1]}]}";
    assertThat(server.post(NOTES + "/documents", body).status()).isEqualTo(201);
    String path =
        URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20").replace(".", "%2E");
    RunningServer.Answer found = server.get(NOTES + "/documents/" + path);
    assertThat(found.status()).as(path).isEqualTo(200);
    assertThat(found.json().get("id").asText()).isEqualTo(id);
    JsonNode many = server.post(NOTES + "/documents/get", "{\"ids\":[" + json + "]}").json();
    assertThat(many.get("documents")).hasSize(1);
    assertThat(server.delete(NOTES + "/documents/" + path).status()).isEqualTo(204);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[1]},{\"id\":\"x\",\"embedding\":[1]}]}|documents[1]",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[1],\"metadata\":{\"a\":1}}]}|documents[0].metadata.a",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[1],\"metadata\":{\"a\":null}}]}|documents[0].metadata.a",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[1],\"metadata\":{\"$a\":\"1\"}}]}|documents[0].metadata",
        "{\"documents\":[{\"id\":\"x\"}]}|documents[0]",
        "{\"documents\":[{\"id\":\"\",\"embedding\":[1]}]}|documents[0].id",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[0,0]}]}|documents[0].embedding",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[1e39]}]}|documents[0].embedding",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[1,null]}]}|documents[0].embedding[1]",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[\"1\"]}]}|documents[0].embedding[0]",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":\"P4AAAAAAAAA=\"}]}|documents[0].embedding",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[1]},{\"id\":\"y\",\"embedding\":[1,2]}]}|documents[1].embedding",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[1],\"colour\":\"red\"}]}|documents[0].colour",
        "{\"documents\":[null]}|documents[0]",
        "{\"documents\":[]}|at least one document",
        "{\"documents\":[{\"id\":\"x\",\"embedding\":[1]}]} trailing|trailing",
        "{\"documents\":[{\"id\":\"x\",\"id\":\"x\",\"embedding\":[1]}]}|Duplicate field",
        "{|line 1",
        "null|null",
        "{}|documents is missing",
      })
  void aBadBatchIsRefusedWholeAndNamesThePlace(String body, String place) {
    RunningServer.Answer answer = server.post(NOTES + "/documents", body);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.contentType()).isEqualTo("application/problem+json");
    assertThat(answer.json().get("detail").asText()).containsIgnoringCase(place);
    assertThat(server.get("/api/v1/collections").json().get("collections")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"embedding\":[1,0,0]}|dimension_mismatch|dimension 3",
        "{\"embedding\":[0,0]}|invalid_vector|zero",
        "{\"embedding\":[1,0],\"text\":\"x\"}|invalid_argument|exactly one",
        "{}|invalid_argument|exactly one",
        "{\"embedding\":[1,0],\"limit\":0}|invalid_argument|limit",
        "{\"embedding\":[1,0],\"limit\":10001}|invalid_argument|limit",
        "{\"embedding\":[1,0],\"limit\":1.5}|malformed_json|limit",
        "{\"embedding\":[1,0],\"where\":{\"n\":{\"$like\":\"x\"}}}|invalid_filter|where.n.$like",
        "{\"embedding\":[1,0],\"where\":{\"n\":1}}|invalid_filter|where.n",
        "{\"embedding\":[1,0],\"where\":{\"n\":{\"$in\":\"1\"}}}|invalid_filter|where.n.$in",
        "{\"embedding\":[1,0],\"where\":{\"$xor\":[]}}|invalid_filter|where.$xor",
        "{\"embedding\":[1,0],\"where_document\":{\"$regex\":\"x\"}}|invalid_filter|$regex",
        "{\"embedding\":[1,0],\"include\":[\"score\"]}|invalid_argument|include",
        "{\"text\":\"x\"}|no_embedder|embeddings.provider",
      })
  void aBadQuerySaysWhichAndWhere(String body, String code, String detail) {
    addThree();
    RunningServer.Answer answer = server.post(NOTES + "/query", body);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.code()).isEqualTo(code);
    assertThat(answer.json().get("detail").asText()).contains(detail);
  }

  @Test
  void headAnswersAsGetWould() {
    addThree();
    for (String path :
        List.of("/health", NOTES, NOTES + "/documents/a", "/api/v1/collections/no")) {
      RunningServer.Answer head = server.send("HEAD", path, null);
      assertThat(head.status()).as(path).isEqualTo(server.get(path).status());
      assertThat(head.contentType()).as(path).isEqualTo(server.get(path).contentType());
    }
  }

  @Test
  void cursorsAndParametersOfOthersAreRefused() {
    addThree();
    for (String query :
        List.of("cursor=!!", "cursor=YWJj", "limit=x", "limit=0", "limt=5", "limit=1&limit=2")) {
      assertThat(server.get(NOTES + "/documents?" + query).status()).as(query).isEqualTo(400);
    }
  }

  @Test
  void whatIsWrittenOverHttpIsThereAfterARestart() throws Exception {
    addThree();
    server.delete(NOTES + "/documents/b");
    server.close();
    server = RunningServer.over(root.path());
    assertThat(server.get(NOTES).json().get("count").asInt()).isEqualTo(2);
    assertThat(server.get("/health").status()).isEqualTo(200);
  }
}
