package dev.contextd.qdrant.testkit;

import static io.grpc.stub.ClientCalls.blockingUnaryCall;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.google.protobuf.Message;
import dev.contextd.testkit.Fixtures;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.qdrant.client.grpc.Collections.GetCollectionInfoResponse;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.QueryResponse;
import io.qdrant.client.grpc.Points.ScoredPoint;
import io.qdrant.client.grpc.QdrantOuterClass.HealthCheckReply;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The fake holds to what a real Qdrant 1.18.3 answered: every recorded call, in order, over a real
 * channel; status code, description and message.
 *
 * <p>Not compared, as it says something of the machine that was recorded and not of Qdrant:
 *
 * <ul>
 *   <li>times: they are not in the recording either;
 *   <li>{@code commit} of the health check: which build answered;
 *   <li>{@code segments_count}, {@code update_queue}, and the configuration of HNSW, optimizers and
 *       write-ahead log in a collection's info: how it stores and indexes, of which the fake has
 *       nothing.
 * </ul>
 *
 * <p>Compared within limits: scores to 1e-6, NaN being equal to NaN; and the order of points whose
 * scores are equal. Qdrant's changes from call to call (the two NaN points are recorded in either
 * order), and with it which of them a limit cuts off. So each recorded point must be one that the
 * fake finds with that score when the limit is lifted.
 */
final class RecordedTest {
  private static final Offset<Float> SCORE_TOLERANCE = Offset.offset(1e-6f);
  private static final long LIFTED_LIMIT = 100_000;

  private final FakeQdrant qdrant = FakeQdrant.open();
  private final ManagedChannel channel =
      NettyChannelBuilder.forAddress("127.0.0.1", qdrant.port()).usePlaintext().build();

  @AfterEach
  void close() {
    channel.shutdownNow();
    qdrant.close();
  }

  @TestFactory
  List<DynamicTest> answersAsRecorded() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (String line : Files.readAllLines(Fixtures.path("qdrant/recorded.jsonl"))) {
      RecordedCall recorded = RecordedCall.parse(line);
      tests.add(dynamicTest(recorded.what(), () -> replay(recorded)));
    }
    return tests;
  }

  private void replay(RecordedCall recorded) {
    Message answer;
    try {
      answer = call(recorded, recorded.request());
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode()).as(e.toString()).isEqualTo(recorded.code());
      assertThat(e.getStatus().getDescription()).isEqualTo(recorded.details());
      return;
    }
    assertThat(Status.Code.OK).isEqualTo(recorded.code());
    if (answer instanceof QueryResponse hits) {
      QueryPoints lifted =
          ((QueryPoints) recorded.request()).toBuilder().setLimit(LIFTED_LIMIT).build();
      compareHits(
          hits.getResultList(),
          ((QueryResponse) recorded.response()).getResultList(),
          ((QueryResponse) call(recorded, lifted)).getResultList());
    } else {
      assertThat(comparable(answer)).isEqualTo(comparable(recorded.response()));
    }
  }

  private Message call(RecordedCall recorded, Message request) {
    return blockingUnaryCall(channel, recorded.method(), CallOptions.DEFAULT, request);
  }

  private static void compareHits(
      List<ScoredPoint> hits, List<ScoredPoint> recorded, List<ScoredPoint> all) {
    assertThat(hits).hasSameSizeAs(recorded);
    for (int i = 0; i < hits.size(); i++) {
      compareScores(hits.get(i), recorded.get(i));
    }
    assertThat(recorded).extracting(ScoredPoint::getId).doesNotHaveDuplicates();
    for (ScoredPoint hit : recorded) {
      ScoredPoint same =
          all.stream()
              .filter(point -> point.getId().equals(hit.getId()))
              .findFirst()
              .orElseThrow(() -> new AssertionError("not found: " + hit));
      compareScores(same, hit);
      assertThat(same.toBuilder().clearScore().build())
          .isEqualTo(hit.toBuilder().clearScore().build());
    }
  }

  private static void compareScores(ScoredPoint actual, ScoredPoint recorded) {
    if (Float.isNaN(recorded.getScore())) {
      assertThat(actual.getScore()).isNaN();
    } else {
      assertThat(actual.getScore()).isCloseTo(recorded.getScore(), SCORE_TOLERANCE);
    }
  }

  /** The message without what this test says it does not compare. */
  private static Message comparable(Message message) {
    return switch (message) {
      case HealthCheckReply health -> health.toBuilder().clearCommit().build();
      case GetCollectionInfoResponse info -> {
        GetCollectionInfoResponse.Builder cleared = info.toBuilder();
        cleared.getResultBuilder().clearSegmentsCount().clearUpdateQueue();
        cleared
            .getResultBuilder()
            .getConfigBuilder()
            .clearHnswConfig()
            .clearOptimizerConfig()
            .clearWalConfig();
        yield cleared.build();
      }
      default -> message;
    };
  }
}
