package dev.contextd.qdrant.testkit;

import static io.qdrant.client.ConditionFactory.matchKeyword;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.qdrant.client.PointIdFactory;
import io.qdrant.client.QdrantClient;
import io.qdrant.client.QdrantGrpcClient;
import io.qdrant.client.ValueFactory;
import io.qdrant.client.VectorsFactory;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Collections.UpdateCollection;
import io.qdrant.client.grpc.Collections.VectorParams;
import io.qdrant.client.grpc.Collections.VectorsConfig;
import io.qdrant.client.grpc.Common.Filter;
import io.qdrant.client.grpc.Points.PointStruct;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the recording does not show: the handles for tests, keys, metadata, restarts. */
final class FakeQdrantTest {
  private static final String A = "00000000-0000-0000-0000-00000000000a";
  private static final String B = "00000000-0000-0000-0000-00000000000b";

  private final FakeQdrant qdrant = FakeQdrant.withKey("secret");
  private final QdrantClient client = client("secret");

  @BeforeEach
  void create() {
    done(
        client.createCollectionAsync(
            CreateCollection.newBuilder()
                .setCollectionName("c")
                .setVectorsConfig(
                    VectorsConfig.newBuilder()
                        .setParams(
                            VectorParams.newBuilder().setSize(2).setDistance(Distance.Cosine)))
                .putMetadata("owner", ValueFactory.value("one"))
                .build()));
  }

  @AfterEach
  void close() {
    client.close();
    qdrant.close();
  }

  @Test
  void theWrongKeyIsRefusedButNotByTheHealthCheck() {
    try (QdrantClient stranger = client("guessed")) {
      assertThat(done(stranger.healthCheckAsync()).getVersion()).isEqualTo("1.18.3");
      assertThatThrownBy(() -> done(stranger.listCollectionsAsync()))
          .hasRootCauseMessage("UNAUTHENTICATED: Invalid API key or JWT");
    }
  }

  @Test
  void metadataIsKeptAndMerged() {
    done(
        client.updateCollectionAsync(
            UpdateCollection.newBuilder()
                .setCollectionName("c")
                .putMetadata("model", ValueFactory.value("m"))
                .build()));
    assertThat(done(client.getCollectionInfoAsync("c")).getConfig().getMetadataMap())
        .isEqualTo(Map.of("owner", ValueFactory.value("one"), "model", ValueFactory.value("m")));
  }

  @Test
  void whatIsHeldSurvivesARestartOnTheSamePort() {
    upsert(A, "x");
    int port = qdrant.port();
    qdrant.stop();
    qdrant.start();
    assertThat(qdrant.port()).isEqualTo(port);
    try (QdrantClient again = client("secret")) {
      assertThat(done(again.countAsync("c"))).isEqualTo(1);
    }
  }

  @Test
  void theLastWritesAreForgottenNewestFirst() {
    upsert(A, "x");
    upsert(A, "y");
    upsert(B, "z");
    done(client.deleteAsync("c", List.of(PointIdFactory.id(UUID.fromString(A)))));

    qdrant.forgetLast(1);
    assertThat(qdrant.points("c")).extracting(Point::uuid).containsExactly(A, B);
    qdrant.forgetLast(2);
    assertThat(qdrant.points("c"))
        .singleElement()
        .satisfies(point -> assertThat(point.payload()).containsValue(ValueFactory.value("x")));
    qdrant.forgetLast(100);
    assertThat(qdrant.points("c")).isEmpty();
  }

  @Test
  void somebodyElseWrites() {
    qdrant.put("c", new Point(A, Map.of("kind", ValueFactory.value("x")), new float[] {3, 4}));
    assertThat(qdrant.points("c").getFirst().vector()).containsExactly(0.6f, 0.8f);
    assertThat(
            done(
                client.countAsync(
                    "c", Filter.newBuilder().addMust(matchKeyword("kind", "x")).build(), true)))
        .isEqualTo(1);
    qdrant.remove("c", A);
    assertThat(qdrant.points("c")).isEmpty();
    assertThat(qdrant.collections()).containsExactly("c");
  }

  @Test
  void callsAreCounted() {
    long before = qdrant.calls();
    upsert(A, "x");
    upsert(B, "x");
    assertThat(qdrant.calls() - before).isEqualTo(2);
    assertThat(qdrant.calls("qdrant.Points/Upsert")).isEqualTo(2);
    assertThat(qdrant.calls("qdrant.Points/Scroll")).isZero();
  }

  @Test
  void whatTheFakeDoesNotKnowIsRefused() {
    assertThatThrownBy(() -> done(client.listAliasesAsync()))
        .rootCause()
        .satisfies(e ->
            assertThat(Status.fromThrowable(e).getCode()).isEqualTo(Status.Code.UNIMPLEMENTED));
  }

  private void upsert(String uuid, String kind) {
    done(
        client.upsertAsync(
            "c",
            List.of(
                PointStruct.newBuilder()
                    .setId(PointIdFactory.id(UUID.fromString(uuid)))
                    .putPayload("kind", ValueFactory.value(kind))
                    .setVectors(VectorsFactory.vectors(1f, 0f))
                    .build())));
  }

  private QdrantClient client(String key) {
    return new QdrantClient(
        QdrantGrpcClient.newBuilder("127.0.0.1", qdrant.port(), false).withApiKey(key).build());
  }

  private static <T> T done(Future<T> call) {
    try {
      return call.get();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }
}
