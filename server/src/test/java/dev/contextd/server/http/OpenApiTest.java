package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.testkit.StoreRoot;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

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
}
