package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore;
import dev.contextd.qdrant.QdrantOptions;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The HTTP API where a remote store holds the documents alone. */
class PendingRoutesTest {
  private static final String REMOTE = "/api/v1/admin/remote";
  private static final String NOTES = "/api/v1/collections/notes";
  private static final String QUERY = "{\"embedding\":[1,0],\"limit\":9}";

  @RegisterExtension final StoreRoot root = new StoreRoot();
  private final FakeQdrant qdrant = FakeQdrant.open();
  private final QdrantStore remote;

  PendingRoutesTest() throws IOException {
    remote =
        QdrantStore.open(
            QdrantOptions.at("127.0.0.1", qdrant.port()).withTimeout(Duration.ofSeconds(5)),
            Optional.empty());
  }

  @AfterEach
  void close() {
    remote.close();
    qdrant.close();
  }

  private static void put(RunningServer server, String id) {
    String body = "{\"documents\":[{\"id\":\"%s\",\"embedding\":[1,0]}]}".formatted(id);
    assertThat(server.post(NOTES + "/documents", body).status()).isEqualTo(201);
  }

  private static JsonNode query(RunningServer server) {
    RunningServer.Answer answer = server.post(NOTES + "/query", QUERY);
    assertThat(answer.status()).as("%s", answer.json()).isEqualTo(200);
    JsonNode document = server.get("/openapi.json").json();
    JsonNode schema =
        document.at(
            "/paths/~1api~1v1~1collections~1{name}~1query/post/responses/200/content/application~1json/schema");
    new Schema(document, schema).requireValid(answer.json(), "query");
    return answer.json();
  }

  @Test
  void anAnswerSaysWhetherTheRemoteStoreWasSearched() throws Exception {
    try (RunningServer server = RunningServer.before(root.path(), remote)) {
      put(server, "a");
      assertThat(server.post(REMOTE + "/sync", "{}").status()).isEqualTo(200);
      put(server, "b");
      JsonNode merged = query(server);
      assertThat(merged.at("/source/store").asText()).isEqualTo("merged");
      assertThat(merged.path("results")).hasSize(2);
      qdrant.stop();
      await()
          .atMost(Duration.ofMinutes(1))
          .until(() -> {
            put(server, "c");
            return server.get(REMOTE).json().path("state").asText().equals("down");
          });
      JsonNode pending = query(server);
      assertThat(pending.at("/source/store").asText()).isEqualTo("pending");
      assertThat(pending.at("/coverage/unavailable").isNull()).isTrue();
      assertThat(pending.at("/coverage/searched").asInt())
          .isEqualTo(pending.path("results").size());
      assertThat(pending.path("results").findValuesAsText("id")).contains("c").doesNotContain("a");
      for (String path : List.of(NOTES, NOTES + "/documents", NOTES + "/documents/a")) {
        RunningServer.Answer away = server.get(path);
        assertThat(away.status()).as(path).isEqualTo(503);
        assertThat(away.json().path("code").asText()).isEqualTo("remote_unavailable");
      }
      assertThat(server.get(NOTES + "/documents/c").status()).isEqualTo(200);
      assertThat(server.get("/health").status()).isEqualTo(200);
      qdrant.start();
      server.post(REMOTE + "/breaker/reset", "{}");
      await()
          .atMost(Duration.ofMinutes(1))
          .until(() -> server.post(REMOTE + "/sync", "{}").status() == 200);
      assertThat(query(server).path("results")).hasSize(3);
      JsonNode verified = server.post(REMOTE + "/verify", "{}").json();
      assertThat(verified.path("same").asBoolean()).isTrue();
      assertThat(verified.path("compared").asInt()).isEqualTo(3);
      assertThat(Instant.parse(verified.path("since").asText())).isBefore(Instant.now());
    }
  }

  /** What acts on documents here would act on none, and look as if it had done its work. */
  @Test
  void whatNeedsDocumentsHereIsRefused() throws Exception {
    try (VectorStore before = VectorStore.open(root.path(), StoreOptions.defaults())) {
      before.upsert("notes", List.of(NewDocument.of("old", "", new float[] {1, 0})), Scope.ALL);
    }
    try (RunningServer server = RunningServer.before(root.path(), remote)) {
      for (String path : List.of("/backups/create", "/backups/restore", "/import")) {
        assertRefused(server.post("/api/v1/admin" + path, "{}"));
      }
      assertRefused(server.post("/api/v1/admin/trash/restore", "{\"entry\":\"x\"}"));
      assertRefused(server.get("/api/v1/admin/export"));
      assertThat(server.get("/health").json().at("/remote/note").asText())
          .contains("1 documents", "are not served");
      assertThat(server.get(REMOTE).json().path("note").asText()).contains("not served");
      assertThat(server.get("/api/v1/collections").json().path("collections")).isEmpty();
    }
  }

  private static void assertRefused(RunningServer.Answer answer) {
    assertThat(answer.status()).isEqualTo(409);
    assertThat(answer.json().path("code").asText()).isEqualTo("remote_alone");
    assertThat(answer.json().path("next").asText()).contains("ctxd migrate --from qdrant");
  }
}
