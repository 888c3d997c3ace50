package dev.contextd.qdrant.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.contextd.qdrant.testkit.FlakyProxy.Mode;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Collections.VectorParams;
import io.qdrant.client.grpc.Collections.VectorsConfig;
import io.qdrant.client.grpc.CollectionsGrpc;
import io.qdrant.client.grpc.JsonWithInt.Value;
import io.qdrant.client.grpc.Points.CountPoints;
import io.qdrant.client.grpc.Points.DenseVector;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.UpsertPoints;
import io.qdrant.client.grpc.Points.Vector;
import io.qdrant.client.grpc.Points.Vectors;
import io.qdrant.client.grpc.PointsGrpc;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every mode of the proxy, between a real gRPC client and the fake Qdrant. */
final class FlakyProxyTest {
  private static final String UPSERT = "qdrant.Points/Upsert";
  private static final String ID = "e80a5539-989c-5319-bbca-a3f350367375";

  /** So long that it fills several chunks, and its transfer can be cut. */
  private static final String CONTENT = "word ".repeat(20_000);

  private static final Duration SHORT_DEADLINE = Duration.ofMillis(500);
  private static final Duration AMPLE_DEADLINE = Duration.ofSeconds(30);

  private final FakeQdrant qdrant = FakeQdrant.open();
  private final FlakyProxy proxy = FlakyProxy.before(qdrant.port());
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final ManagedChannel channel = open();

  /** Every test starts with a connection that is open and has been used. */
  @BeforeEach
  void createThroughTheProxy() {
    assertThat(
            CollectionsGrpc.newBlockingStub(channel)
                .create(
                    CreateCollection.newBuilder()
                        .setCollectionName("c")
                        .setVectorsConfig(
                            VectorsConfig.newBuilder()
                                .setParams(
                                    VectorParams.newBuilder()
                                        .setSize(2)
                                        .setDistance(Distance.Cosine)))
                        .build())
                .getResult())
        .isTrue();
  }

  @AfterEach
  void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    proxy.close();
    qdrant.close();
  }

  @Test
  void passes() {
    assertThat(upsert(channel, AMPLE_DEADLINE)).isEqualTo(Status.Code.OK);
    assertThat(count(channel, AMPLE_DEADLINE)).isEqualTo(Status.Code.OK);
    assertThat(qdrant.points("c")).extracting(Point::uuid).containsExactly(ID);
  }

  @Test
  void refusesConnectionsThatWereOpenAndNewOnes() {
    int port = proxy.port();
    proxy.mode(Mode.REFUSE);
    assertThat(count(channel, AMPLE_DEADLINE)).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(count(open(), AMPLE_DEADLINE)).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(qdrant.calls()).isEqualTo(1);

    proxy.mode(Mode.PASS);
    awaitOk(channel);
    assertThat(proxy.port()).isEqualTo(port);
  }

  @Test
  void hangsOnConnectionsThatWereOpenAndNewOnes() {
    proxy.mode(Mode.HANG);
    assertThat(count(channel, SHORT_DEADLINE)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    ManagedChannel opened = open();
    assertThat(count(opened, SHORT_DEADLINE)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(qdrant.calls()).isEqualTo(1);

    proxy.mode(Mode.PASS);
    awaitOk(channel);
    awaitOk(opened);
  }

  @Test
  void aHangThatEndsInTimeIsNotNoticed() {
    proxy.mode(Mode.HANG);
    var answer =
        PointsGrpc.newFutureStub(channel)
            .count(CountPoints.newBuilder().setCollectionName("c").build());
    proxy.mode(Mode.PASS);
    await().until(answer::isDone);
    assertThat(answer.resultNow().getResult().getCount()).isZero();
  }

  @Test
  void resetsAmidTheTransferOnce() {
    proxy.resetAfterBytes(CONTENT.length() / 2);
    assertThat(upsert(channel, AMPLE_DEADLINE)).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(qdrant.points("c")).isEmpty();

    awaitOk(channel);
    assertThat(upsert(channel, AMPLE_DEADLINE)).isEqualTo(Status.Code.OK);
    assertThat(qdrant.points("c")).hasSize(1);
  }

  /** On a plain socket, as a gRPC client may send a byte of its own before the call. */
  @Test
  void resetsAtTheNextByte() throws IOException {
    try (FlakyProxy own = FlakyProxy.before(qdrant.port());
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), own.port())) {
      own.mode(Mode.RESET);
      socket.getOutputStream().write(0);
      assertThatThrownBy(() -> socket.getInputStream().transferTo(OutputStream.nullOutputStream()))
          .isInstanceOf(SocketException.class);
    }
  }

  @Test
  void slowsDown() {
    proxy.slow(Duration.ofMinutes(10));
    assertThat(count(channel, SHORT_DEADLINE)).isEqualTo(Status.Code.DEADLINE_EXCEEDED);

    proxy.slow(Duration.ofMillis(5));
    assertThat(upsert(channel, AMPLE_DEADLINE)).isEqualTo(Status.Code.OK);
    assertThat(qdrant.points("c")).hasSize(1);
  }

  @Test
  void losesTheAnswerToAWriteThatWasDone() {
    proxy.mode(Mode.LOSE_ANSWERS);
    assertThat(upsert(channel, AMPLE_DEADLINE)).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(qdrant.calls(UPSERT)).isEqualTo(1);
    assertThat(qdrant.points("c")).hasSize(1);

    proxy.mode(Mode.PASS);
    awaitOk(channel);
  }

  @Test
  void losesTheAnswerOnANewConnection() {
    proxy.mode(Mode.LOSE_ANSWERS);
    assertThat(upsert(open(), AMPLE_DEADLINE)).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(qdrant.points("c")).hasSize(1);
  }

  @Test
  void losesTheAnswerToARequestBeyondTheFlowControlWindow() {
    proxy.mode(Mode.LOSE_ANSWERS);
    String content = CONTENT.repeat(50);
    assertThat(upsert(channel, content, AMPLE_DEADLINE)).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(qdrant.points("c")).hasSize(1);
  }

  @Test
  void aServerThatIsGoneIsSeenThroughTheProxy() {
    qdrant.stop();
    assertThat(count(channel, AMPLE_DEADLINE)).isEqualTo(Status.Code.UNAVAILABLE);
    qdrant.start();
    awaitOk(channel);
  }

  private ManagedChannel open() {
    ManagedChannel opened =
        NettyChannelBuilder.forAddress("127.0.0.1", proxy.port()).usePlaintext().build();
    channels.add(opened);
    return opened;
  }

  private static void awaitOk(ManagedChannel channel) {
    await()
        .atMost(AMPLE_DEADLINE)
        .until(() -> {
          channel.resetConnectBackoff();
          return count(channel, SHORT_DEADLINE) == Status.Code.OK;
        });
  }

  private static Status.Code count(ManagedChannel channel, Duration deadline) {
    CountPoints count = CountPoints.newBuilder().setCollectionName("c").build();
    return code(() -> stub(channel, deadline).count(count));
  }

  private static Status.Code upsert(ManagedChannel channel, Duration deadline) {
    return upsert(channel, CONTENT, deadline);
  }

  private static Status.Code upsert(ManagedChannel channel, String content, Duration deadline) {
    DenseVector dense = DenseVector.newBuilder().addData(1).addData(0).build();
    PointStruct point =
        PointStruct.newBuilder()
            .setId(Ids.id(ID))
            .putPayload("content", Value.newBuilder().setStringValue(content).build())
            .setVectors(Vectors.newBuilder().setVector(Vector.newBuilder().setDense(dense)))
            .build();
    UpsertPoints upsert =
        UpsertPoints.newBuilder().setCollectionName("c").setWait(true).addPoints(point).build();
    return code(() -> stub(channel, deadline).upsert(upsert));
  }

  private static PointsGrpc.PointsBlockingStub stub(ManagedChannel channel, Duration deadline) {
    return PointsGrpc.newBlockingStub(channel)
        .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Status.Code code(Runnable call) {
    try {
      call.run();
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }
}
