package dev.contextd.qdrant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Filter;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Query;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.qdrant.testkit.Point;
import io.qdrant.client.grpc.JsonWithInt.Value;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is Qdrant's own about the store, beside what every store keeps. */
class QdrantStoreTest {
  private static final String NOTES = "notes";
  private static final float[] RIGHT = {1, 0};

  private static QdrantStore open(FakeQdrant server) throws IOException {
    return open(server, Optional.empty());
  }

  private static QdrantStore open(FakeQdrant server, Optional<String> key) throws IOException {
    return QdrantStore.open(
        QdrantOptions.at("localhost", server.port()).withApiKey(key), Optional.empty());
  }

  private static void assertRefused(
      ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String... words) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StoreException.class,
            e -> {
              assertThat(e.code()).isEqualTo(code);
              List.of(words).forEach(word -> assertThat(e).hasMessageContaining(word));
            });
  }

  /** The ids that were recorded. */
  @Test
  void aTextBecomesTheUuidOfItsName() {
    assertThat(PointIds.uuid("contextd_memories", "a"))
        .isEqualTo("e80a5539-989c-5319-bbca-a3f350367375");
    String uuid = "6f1c2a9e-0f2b-4a53-9a3f-0d1f7a2b3c4d";
    assertThat(PointIds.uuid(NOTES, uuid)).isEqualTo(uuid);
    assertThat(PointIds.uuid(NOTES, "1-1-1-1-1")).isNotEqualTo("1-1-1-1-1");
  }

  @Test
  void aDocumentIsAPointAsContextdWritesIt() throws Exception {
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore store = open(server)) {
      NewDocument document =
          NewDocument.of("a", "text", RIGHT)
              .withMetadata(Map.of("tenant_id", "t1", "project_id", "p"));
      store.upsert(NOTES, List.of(document), Scope.ALL);
      store.upsert(NOTES, List.of(document), Scope.ALL);
      Point point = server.points(NOTES).getFirst();
      assertThat(server.points(NOTES)).hasSize(1);
      assertThat(point.uuid()).isEqualTo(PointIds.uuid(NOTES, "a"));
      assertThat(point.payload())
          .isEqualTo(
              Map.of(
                  "content", Payloads.text("text"),
                  "id", Payloads.text("a"),
                  "tenant_id", Payloads.text("t1"),
                  "project_id", Payloads.text("p")));
    }
  }

  @Test
  void whatItCannotHoldIsRefusedBeforeAnythingIsSent() throws Exception {
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore store = open(server)) {
      NewDocument named = NewDocument.of("a", "", RIGHT).withMetadata(Map.of("id", "x"));
      NewDocument nan = NewDocument.of("a", "", new float[] {Float.NaN, 1});
      assertRefused(
          ErrorCode.INVALID_ARGUMENT,
          () -> store.upsert(NOTES, List.of(named), Scope.ALL),
          "\"id\"",
          "choose another name");
      assertRefused(
          ErrorCode.INVALID_ARGUMENT, () -> store.create("a/b", Map.of()), "no / in its name");
      assertRefused(ErrorCode.INVALID_VECTOR, () -> store.upsert(NOTES, List.of(nan), Scope.ALL));
      assertThat(server.calls()).isZero();
      assertThat(store.refusal(NOTES, List.of(named))).isPresent();
      assertThat(store.refusal(NOTES, List.of(NewDocument.of("a", "", RIGHT)))).isEmpty();
    }
  }

  @Test
  void aCollectionThatGoesWhileAllAreListedIsLeftOut() throws Exception {
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore store = open(server);
        QdrantStore another = open(server)) {
      store.create("going", Map.of());
      store.create("staying", Map.of());
      server.beforeNext("qdrant.Points/Count", () -> another.delete("going", Scope.ALL));
      assertThat(store.collections(Scope.ALL))
          .extracting(CollectionInfo::name)
          .containsExactly("staying");
      assertThat(server.collections()).containsExactly("staying");
    }
  }

  /** Another program may write numbers, and vectors that are none. */
  @Test
  void pointsOfOthersAreReadAndNeverLeadByNoScore() throws Exception {
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore store = open(server)) {
      store.upsert(NOTES, List.of(NewDocument.of("a", "", RIGHT)), Scope.ALL);
      Value seven = Value.newBuilder().setIntegerValue(7).build();
      Value yes = Value.newBuilder().setBoolValue(true).build();
      String uuid = "019c2786-6a94-5d74-9e64-6d464032c6d2";
      server.put(NOTES, new Point(uuid, Map.of("n", seven, "flag", yes), new float[] {0.9f, 0.1f}));
      server.put(
          NOTES,
          new Point("045e8d12-e66b-5381-862d-a6c10b149cdb", Map.of(), new float[] {Float.NaN, 1}));
      VectorCollection notes = store.collection(NOTES, Scope.ALL).orElseThrow();
      Document others = notes.get(uuid).orElseThrow();
      assertThat(others.metadata()).isEqualTo(Map.of("n", "7", "flag", "true"));
      assertThat(notes.query(Query.nearest(RIGHT, 1)).hits())
          .extracting(hit -> hit.document().id())
          .containsExactly("a");
      for (Filter filter :
          List.of(
              new Filter.Equal("n", "7"),
              new Filter.Equal("flag", "true"),
              new Filter.Exists("n", true))) {
        assertThat(notes.query(Query.nearest(RIGHT, 9).where(filter)).hits())
            .as(filter.toString())
            .extracting(hit -> hit.document().id())
            .containsExactly(uuid);
      }
    }
  }

  @Test
  void aBatchThatIsLargerThanAMessageArrivesWhole() throws Exception {
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore store = open(server)) {
      List<NewDocument> large =
          java.util.stream.IntStream.range(0, 300)
              .mapToObj(i -> NewDocument.of("d" + i, "x".repeat(100_000), new float[] {1, i}))
              .toList();
      store.upsert(NOTES, large, Scope.ALL);
      assertThat(store.collection(NOTES, Scope.ALL).orElseThrow().count()).isEqualTo(300);
      assertThat(server.calls("qdrant.Points/Upsert")).isGreaterThan(1);
    }
  }

  @Test
  void aKeyIsSentAndNeverTold() throws Exception {
    try (FakeQdrant server = FakeQdrant.withKey("very secret");
        QdrantStore store = open(server, Optional.of("very secret"));
        QdrantStore stranger = open(server, Optional.of("another secret"))) {
      store.ping();
      assertThatThrownBy(stranger::ping)
          .hasMessageContaining("UNAUTHENTICATED")
          .hasMessageNotContaining("secret");
      assertThat(store.address()).isEqualTo("localhost:" + server.port());
    }
  }

  @Test
  void aServerIsBelievedForTheCertificatesThatAreNamed(@TempDir Path folder) throws Exception {
    SelfSigned own = SelfSigned.make(folder, "own");
    SelfSigned other = SelfSigned.make(folder, "other");
    try (FakeQdrant server = FakeQdrant.withTls(own.key(), own.certificate());
        QdrantStore store = open(server, true, Optional.of(own.pem()));
        QdrantStore misled = open(server, true, Optional.of(other.pem()));
        QdrantStore trusting = open(server, true, Optional.empty());
        QdrantStore plain = open(server, false, Optional.empty())) {
      store.ping();
      store.upsert(NOTES, List.of(NewDocument.of("a", "text", RIGHT)), Scope.ALL);
      assertThat(store.collection(NOTES, Scope.ALL).orElseThrow().count()).isEqualTo(1);
      assertThat(store.address()).isEqualTo("localhost:" + server.port() + " (TLS)");
      long calls = server.calls();
      for (QdrantStore refused : List.of(misled, trusting, plain)) {
        assertRefused(ErrorCode.REMOTE_UNAVAILABLE, refused::ping, "localhost:" + server.port());
      }
      assertThat(server.calls()).as("nothing was said to it").isEqualTo(calls);
    }
  }

  private static QdrantStore open(FakeQdrant server, boolean tls, Optional<Path> caFile)
      throws IOException {
    QdrantOptions plain = QdrantOptions.at("localhost", server.port());
    return QdrantStore.open(
        new QdrantOptions(
            plain.host(),
            plain.port(),
            tls,
            caFile,
            plain.apiKey(),
            plain.timeout(),
            plain.maxMessageBytes(),
            plain.vectorSize()),
        Optional.empty());
  }

  @Test
  void whatTenantsAndFiltersLookAtIsIndexedOnce() throws Exception {
    String index = "qdrant.Points/CreateFieldIndex";
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore store = open(server)) {
      store.upsert(NOTES, List.of(NewDocument.of("a", "", RIGHT)), Scope.ALL);
      assertThat(server.calls(index)).as("tenant, team and project").isEqualTo(3);
      Query byKind = Query.nearest(RIGHT, 1).where(new Filter.Equal("kind", "x"));
      for (int i = 0; i < 2; i++) {
        store.collection(NOTES, Scope.ALL).orElseThrow().query(byKind);
        assertThat(server.calls(index)).isEqualTo(4);
      }
    }
  }

  @Test
  void aServerThatIsAwayIsToldFromOneThatRefuses() throws Exception {
    FakeQdrant server = FakeQdrant.open();
    try (QdrantStore store =
        QdrantStore.open(
            QdrantOptions.at("localhost", server.port()).withTimeout(Duration.ofSeconds(5)),
            Optional.empty())) {
      store.create(NOTES, Map.of());
      store.claim(NOTES, "me");
      assertThat(store.owner(NOTES)).contains("me");
      server.stop();
      // The first call may still meet the old connection's end.
      org.awaitility.Awaitility.await()
          .untilAsserted(() ->
              assertRefused(
                  ErrorCode.REMOTE_UNAVAILABLE,
                  store::ping,
                  "localhost:" + server.port(),
                  "Connection refused"));
      assertRefused(ErrorCode.REMOTE_UNAVAILABLE, () -> store.collection(NOTES, Scope.ALL));
      server.start();
      org.awaitility.Awaitility.await()
          .ignoreExceptions()
          .until(() -> store.owner(NOTES).equals(Optional.of("me")));
    } finally {
      server.close();
    }
  }
}
