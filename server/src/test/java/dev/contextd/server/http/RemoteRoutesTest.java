package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.qdrant.QdrantOptions;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.qdrant.testkit.Point;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What operators are told of the remote store, and what they may ask of it. */
class RemoteRoutesTest {
  private static final String REMOTE = "/api/v1/admin/remote";
  private static final String NOTES = "/api/v1/collections/notes";
  private static final String FIRST_TWO =
      "{\"documents\":[{\"id\":\"a\",\"embedding\":[1,0]},{\"id\":\"b\",\"embedding\":[0,1]}]}";

  @RegisterExtension final StoreRoot root = new StoreRoot();
  private final FakeQdrant qdrant = FakeQdrant.open();
  private final QdrantStore remote;

  RemoteRoutesTest() throws IOException {
    remote =
        QdrantStore.open(
            new QdrantOptions(
                "127.0.0.1",
                qdrant.port(),
                false,
                Optional.empty(),
                Optional.empty(),
                Duration.ofSeconds(5),
                64 << 20,
                2),
            Optional.empty());
  }

  @AfterEach
  void close() {
    remote.close();
    qdrant.close();
  }

  private RunningServer start() throws IOException {
    return RunningServer.inFrontOf(root.path(), remote);
  }

  /** The answer, which is as the OpenAPI document says. */
  private static JsonNode post(RunningServer server, String path, String body) {
    RunningServer.Answer answer = server.post(REMOTE + path, body);
    assertThat(answer.status()).as("%s", answer.json()).isEqualTo(200);
    requireDescribed(server, REMOTE + path, "post", answer);
    return answer.json();
  }

  private static void requireDescribed(
      RunningServer server, String path, String method, RunningServer.Answer answer) {
    JsonNode document = server.get("/openapi.json").json();
    JsonNode schema =
        document
            .at("/paths/" + path.replace("/", "~1") + "/" + method)
            .at("/responses/200/content/application~1json/schema");
    new Schema(document, schema).requireValid(answer.json(), path);
  }

  @Test
  void whatWasWrittenIsThereAfterASyncAndEveryPlaceSaysSo() throws Exception {
    try (RunningServer server = start()) {
      assertThat(server.post(NOTES + "/documents", FIRST_TWO).status()).isEqualTo(201);
      JsonNode status = post(server, "/sync", "{}");
      assertThat(qdrant.points("notes")).hasSize(2);
      assertThat(status.path("address").asText()).contains("127.0.0.1:" + qdrant.port());
      assertThat(status.path("state").asText()).isEqualTo("up");
      assertThat(status.path("breaker").asText()).isEqualTo("closed");
      assertThat(status.path("paused").asBoolean(true)).isFalse();
      assertThat(status.path("waiting_bytes").asLong(-1)).isZero();
      assertThat(status.path("oldest").isNull()).isTrue();
      assertThat(status.path("oldest_age_seconds").asLong(-1)).isZero();
      assertThat(Instant.parse(status.path("last_sync").asText())).isBefore(Instant.now());
      assertThat(status.path("last_error").isNull()).isTrue();
      assertThat(status.path("gap").isNull()).isTrue();
      assertThat(status.path("mode").asText()).isEqualTo("fallback");
      assertThat(status.path("owner").asText()).contains(root.path().toString());
      assertThat(status.path("waiting_writes").asLong(-1)).isZero();
      assertThat(status.path("acknowledged").asLong()).isPositive();
      assertThat(status.path("shipped").asLong()).isGreaterThanOrEqualTo(2);
      RunningServer.Answer again = server.get(REMOTE);
      requireDescribed(server, REMOTE, "get", again);
      assertThat(again.json().path("state").asText()).isEqualTo("up");
      for (String path : List.of("/health", "/api/v1/health/metadata")) {
        RunningServer.Answer health = server.get(path);
        requireDescribed(server, path, "get", health);
        assertThat(health.json().at("/remote/state").asText()).as(path).isEqualTo("up");
        assertThat(health.json().at("/remote/pending_bytes").asLong(-1)).isZero();
      }
      assertThat(server.get("/api/v1/status").json().path("provider").asText()).isEqualTo("qdrant");
      assertThat(server.get("/api/v1/status").json().path("counted").asText()).isEqualTo("local");
      assertThat(server.text("/metrics"))
          .contains(
              "contextd_remote_configured 1.0",
              "contextd_remote_up 1.0",
              "contextd_remote_waiting_bytes 0.0",
              "contextd_remote_waiting_bytes_limit 1.073741824E9",
              "contextd_remote_oldest_waiting_seconds_limit 604800.0",
              "contextd_remote_gap 0.0")
          .containsPattern("contextd_remote_shipped_total [2-9]");
    }
  }

  /** The vector is another one, a point is gone, and one is there that nobody here wrote. */
  @Test
  void whatDiffersIsToldAndOnRequestMadeAsItIsHere() throws Exception {
    try (RunningServer server = start()) {
      assertThat(server.post(NOTES + "/documents", FIRST_TWO).status()).isEqualTo(201);
      assertThat(post(server, "/verify", "{}").path("same").asBoolean()).isTrue();
      Point changed = qdrant.points("notes").getFirst();
      Point lost = qdrant.points("notes").getLast();
      qdrant.put("notes", new Point(changed.uuid(), changed.payload(), new float[] {-1, 0.5f}));
      qdrant.remove("notes", lost.uuid());
      JsonNode found = post(server, "/verify", "{\"repair\":false}");
      assertThat(found.path("same").asBoolean(true)).isFalse();
      assertThat(found.path("compared").asLong()).isEqualTo(2);
      assertThat(found.path("different").asLong()).isEqualTo(1);
      assertThat(found.path("missing").asLong()).isEqualTo(1);
      assertThat(found.path("examples").toString()).contains("is missing there");
      assertThat(post(server, "/verify", "{\"repair\":true}").path("same").asBoolean()).isTrue();
      assertThat(post(server, "/verify", "{}").path("different").asLong(-1)).isZero();
      RunningServer.Answer conflicts = server.get(REMOTE + "/conflicts");
      requireDescribed(server, REMOTE + "/conflicts", "get", conflicts);
      assertThat(conflicts.json().path("total").asInt()).isEqualTo(1);
      JsonNode conflict = conflicts.json().path("conflicts").path(0);
      assertThat(conflict.path("what").asText()).isEqualTo("remote_replaced");
      assertThat(conflict.path("id").asText()).isIn("a", "b");
      assertThat(conflict.path("next").asText())
          .isEqualTo("ctxd trash restore " + conflict.path("entry").asText());
      requireDescribed(server, "/api/v1/admin/trash", "get", server.get("/api/v1/admin/trash"));
      assertThat(server.text("/metrics")).contains("contextd_remote_conflicts_total 1.0");
      assertThat(qdrant.points("notes")).hasSize(2);
    }
  }

  @Test
  void aPauseHoldsUntilItIsEnded() throws Exception {
    try (RunningServer server = start()) {
      assertThat(post(server, "/pause", "{}").path("paused").asBoolean()).isTrue();
      RunningServer.Answer refused = server.post(REMOTE + "/sync", "{}");
      assertThat(refused.status()).isEqualTo(400);
      assertThat(refused.json().path("detail").asText()).contains("ctxd remote resume");
      assertThat(server.text("/metrics")).contains("contextd_remote_paused 1.0");
      assertThat(post(server, "/resume", "{}").path("paused").asBoolean(true)).isFalse();
      assertThat(post(server, "/sync", "{}").path("state").asText()).isEqualTo("up");
    }
  }

  @Test
  void anAbsentRemoteStoreDegradesNobodyHere() throws Exception {
    qdrant.stop();
    try (RunningServer server = start()) {
      assertThat(server.post(NOTES + "/documents", FIRST_TWO).status()).isEqualTo(201);
      assertThat(server.post(REMOTE + "/sync", "{}").code()).isEqualTo("remote_unavailable");
      RunningServer.Answer health = server.get("/health");
      assertThat(health.status()).isEqualTo(200);
      assertThat(health.json().path("status").asText()).isEqualTo("ok");
      assertThat(health.json().at("/remote/state").asText()).isEqualTo("down");
      assertThat(health.json().at("/remote/pending_bytes").asLong()).isPositive();
      assertThat(server.text("/metrics"))
          .contains("contextd_remote_up 0.0")
          .containsPattern("contextd_remote_failures_total [1-9]");
      qdrant.start();
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> {
            post(server, "/breaker/reset", "{}");
            return server.post(REMOTE + "/sync", "{}").status() == 200;
          });
      assertThat(server.get(REMOTE).json().path("waiting_bytes").asLong(-1)).isZero();
    }
  }

  /** Another daemon's mark is on the collection. */
  @Test
  void aCollectionOfAnotherDaemonIsTakenOverOnRequestOnly() throws Exception {
    remote.create("notes", Map.of());
    remote.claim("notes", "another (elsewhere)");
    try (RunningServer server = start()) {
      assertThat(server.post(NOTES + "/documents", FIRST_TWO).status()).isEqualTo(201);
      RunningServer.Answer refused = server.post(REMOTE + "/sync", "{}");
      assertThat(refused.status()).isEqualTo(502);
      assertThat(refused.json().path("detail").asText()).contains("another (elsewhere)");
      post(server, "/breaker/reset", "{}");
      post(server, "/sync", "{\"take_over\":true}");
      assertThat(qdrant.points("notes")).hasSize(2);
    }
  }

  @Test
  void calledDirectlyItIsToldWhetherItAnswersAndWhatItHolds() throws Exception {
    try (RunningServer server = RunningServer.callingDirectly(root.path(), remote)) {
      assertThat(server.post(NOTES + "/documents", FIRST_TWO).status()).isEqualTo(201);
      RunningServer.Answer status = server.get("/api/v1/status");
      requireDescribed(server, "/api/v1/status", "get", status);
      assertThat(status.json().path("counted").asText()).isEqualTo("remote");
      assertThat(status.json().at("/collections/0/name").asText()).isEqualTo("notes");
      assertThat(status.json().at("/collections/0/count").asLong()).isEqualTo(2);
      RunningServer.Answer up = server.get(REMOTE);
      requireDescribed(server, REMOTE, "get", up);
      assertThat(up.json().path("mode").asText()).isEqualTo("direct");
      assertThat(up.json().path("state").asText()).isEqualTo("up");
      assertThat(up.json().path("address").asText()).contains("127.0.0.1:" + qdrant.port());
      qdrant.stop();
      RunningServer.Answer down = server.get(REMOTE);
      assertThat(down.status()).isEqualTo(200);
      assertThat(down.json().path("state").asText()).isEqualTo("down");
      assertThat(down.json().path("last_error").asText()).contains("127.0.0.1");
      RunningServer.Answer uncounted = server.get("/api/v1/status");
      requireDescribed(server, "/api/v1/status", "get", uncounted);
      assertThat(uncounted.status()).isEqualTo(200);
      assertThat(uncounted.json().path("collections")).isEmpty();
      assertThat(uncounted.json().path("uncounted").asText()).contains("127.0.0.1");
      RunningServer.Answer sync = server.post(REMOTE + "/sync", "{}");
      assertThat(sync.code()).isEqualTo("no_remote_store");
      assertThat(sync.json().path("detail").asText()).contains("vectorstore.fallback.enabled");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/sync", "/verify", "/pause", "/resume", "/breaker/reset"})
  void withoutARemoteStoreTheSettingsAreNamed(String path) throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      RunningServer.Answer answer = server.post(REMOTE + path, "{}");
      assertThat(answer.status()).isEqualTo(404);
      assertThat(answer.code()).isEqualTo("no_remote_store");
      assertThat(answer.json().path("detail").asText())
          .contains("vectorstore.provider", "vectorstore.fallback.enabled");
      assertThat(server.get("/health").json().path("remote").isNull()).isTrue();
      assertThat(server.get("/api/v1/status").json().path("provider").asText())
          .isEqualTo("chromem");
    }
  }
}
