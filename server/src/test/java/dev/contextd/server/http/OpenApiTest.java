package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.testkit.StoreRoot;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The OpenAPI document says what is served, no more and no less. */
class OpenApiTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  @Test
  void documentNamesExactlyTheRoutesThatAreServed() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      RunningServer.Answer answer = server.get("/openapi.json");
      assertThat(answer.status()).isEqualTo(200);
      List<String> described = new ArrayList<>();
      for (Map.Entry<String, JsonNode> path : answer.json().get("paths").properties()) {
        for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
          described.add(method.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey());
        }
      }
      assertThat(described).containsExactlyInAnyOrderElementsOf(server.server().routes());
    }
  }

  @Test
  void everyReferenceInTheDocumentLeadsSomewhere() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      JsonNode document = server.get("/openapi.json").json();
      List<JsonNode> references = document.findValues("$ref");
      assertThat(references).isNotEmpty();
      for (JsonNode reference : references) {
        String pointer = reference.asText().substring(1);
        assertThat(document.at(pointer).isMissingNode()).as(pointer).isFalse();
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GET|/health||200",
        "GET|/livez||200",
        "GET|/readyz||200",
        "GET|/api/v1/status||200",
        "GET|/api/v1/collections||200",
        "POST|/api/v1/collections|{\"name\":\"new\"}|201",
        "POST|/api/v1/collections|{\"name\":\"notes\",\"metadata\":{}}|200",
        "POST|/api/v1/collections|{\"name\":\"notes\",\"metadata\":{\"a\":\"b\"}}|409",
        "GET|/api/v1/collections/{name}||200",
        "GET|/api/v1/collections/{name}/documents||200",
        "GET|/api/v1/collections/{name}/documents?limit=1||200",
        "POST|/api/v1/collections/{name}/documents|{\"documents\":[{\"embedding\":[1,1]}]}|201",
        "POST|/api/v1/collections/{name}/documents/get|{\"ids\":[\"a\"]}|200",
        "POST|/api/v1/collections/{name}/documents/delete|{\"ids\":[\"z\"]}|200",
        "GET|/api/v1/collections/{name}/documents/{id}||200",
        "POST|/api/v1/collections/{name}/query|{\"embedding\":[1,0],\"include\":[\"content\",\"metadata\",\"embedding\"]}|200",
        "POST|/api/v1/collections/{name}/query|{\"embedding\":[1]}|400",
        "GET|/api/v1/admin/trash||200",
        "POST|/api/v1/admin/trash/restore|{\"entry\":\"none\"}|400",
        "POST|/api/v1/admin/purge|{\"older_than\":\"720h\"}|200",
        "POST|/api/v1/admin/scrub||200",
        "GET|/api/v1/health/metadata||200",
        "GET|/api/v1/admin/remote/conflicts||200",
        "GET|/api/v1/admin/remote||404"
      })
  void everyAnswerIsAsTheDocumentDescribesIt(
      String method, String path, @Nullable String body, int status) throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      addTwo(server);
      JsonNode document = server.get("/openapi.json").json();
      String call = path.replace("{name}", "notes").replace("{id}", "a");
      RunningServer.Answer answer = server.send(method, call, body);
      assertThat(answer.status()).isEqualTo(status);
      JsonNode operation =
          document.get("paths").get(path.split("\\?", 2)[0]).get(method.toLowerCase(Locale.ROOT));
      JsonNode responses = operation.get("responses");
      JsonNode response =
          responses.has("" + status) ? responses.get("" + status) : responses.get("default");
      JsonNode described = new Schema(document, response).resolved().schema();
      JsonNode schema = described.get("content").get(answer.contentType()).get("schema");
      new Schema(document, schema).requireValid(answer.json(), "the answer");
    }
  }

  @Test
  void everyBodyTakesTheFieldsThatTheDocumentNames() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      addTwo(server);
      JsonNode document = server.get("/openapi.json").json();
      int bodies = 0;
      for (Map.Entry<String, JsonNode> path : document.get("paths").properties()) {
        JsonNode schema = path.getValue().at("/post/requestBody/content/application~1json/schema");
        if (!schema.isMissingNode()) {
          String call = path.getKey().replace("{name}", "notes");
          String detail = server.post(call, "{\"unheard-of\":1}").json().get("detail").asText();
          String known = detail.substring(detail.indexOf('[') + 1, detail.lastIndexOf(']'));
          assertThat(Set.of(known.split(", ", -1)))
              .as(call)
              .isEqualTo(new Schema(document, schema).fields());
          bodies++;
        }
      }
      assertThat(bodies).isEqualTo(16);
    }
  }

  private static void addTwo(RunningServer server) {
    String documents =
        """
        {"documents":[
          {"id":"a","content":"first","embedding":[1,0],"metadata":{"n":"1"}},
          {"id":"b","content":"second","embedding":[0,2]}]}\
        """;
    assertThat(server.post("/api/v1/collections/notes/documents", documents).status())
        .isEqualTo(201);
  }
}
