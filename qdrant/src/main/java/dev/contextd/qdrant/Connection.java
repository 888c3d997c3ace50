package dev.contextd.qdrant;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.stub.MetadataUtils;
import io.qdrant.client.grpc.CollectionsGrpc;
import io.qdrant.client.grpc.PointsGrpc;
import io.qdrant.client.grpc.QdrantGrpc;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The channel to a server, which connects again by itself, and what its failures mean. */
final class Connection implements AutoCloseable {
  private static final Metadata.Key<String> API_KEY =
      Metadata.Key.of("api-key", Metadata.ASCII_STRING_MARSHALLER);
  private static final int CONNECT_SECONDS = 1;
  private static final int CLOSE_SECONDS = 2;

  private final ManagedChannel channel;
  private final QdrantOptions options;
  private final Metadata headers = new Metadata();

  /**
   * Does not call the server yet.
   *
   * @throws IOException where the certificates cannot be read
   */
  Connection(QdrantOptions options) throws IOException {
    this.options = options;
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(options.host(), options.port())
            .maxInboundMessageSize(options.maxMessageBytes())
            .disableRetry();
    if (options.tls()) {
      SslContextBuilder tls = GrpcSslContexts.forClient();
      if (options.caFile().isPresent()) {
        tls.trustManager(options.caFile().get().toFile());
      }
      builder.sslContext(tls.build());
    } else {
      builder.usePlaintext();
    }
    this.channel = builder.build();
    options.apiKey().ifPresent(key -> headers.put(API_KEY, key));
  }

  /** Connects at once, whatever pause was due after attempts before; returns whether it could. */
  boolean isReadySoon() {
    channel.resetConnectBackoff();
    CountDownLatch ready = new CountDownLatch(1);
    watch(channel.getState(true), ready);
    try {
      return ready.await(CONNECT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void watch(ConnectivityState now, CountDownLatch ready) {
    if (now == ConnectivityState.READY) {
      ready.countDown();
    } else if (now != ConnectivityState.SHUTDOWN) {
      channel.notifyWhenStateChanged(now, () -> watch(channel.getState(true), ready));
    }
  }

  CollectionsGrpc.CollectionsBlockingStub collections() {
    return CollectionsGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .withDeadlineAfter(options.timeout().toMillis(), TimeUnit.MILLISECONDS);
  }

  PointsGrpc.PointsBlockingStub points() {
    return PointsGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .withDeadlineAfter(options.timeout().toMillis(), TimeUnit.MILLISECONDS);
  }

  QdrantGrpc.QdrantBlockingStub server() {
    return QdrantGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .withDeadlineAfter(options.timeout().toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Makes a call; a failure becomes ours. */
  <T> T call(String what, Supplier<T> call) {
    try {
      return call.get();
    } catch (StatusRuntimeException e) {
      throw failure(what, e);
    }
  }

  /** What is asked of a collection; empty where there is none. */
  static <T> Optional<T> ifThere(Supplier<Optional<T>> question) {
    try {
      return question.get();
    } catch (StoreException e) {
      if (e.code() == ErrorCode.COLLECTION_NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private StoreException failure(String what, StatusRuntimeException e) {
    Status status = e.getStatus();
    String said = said(status, e);
    ErrorCode code =
        switch (status.getCode()) {
          case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, ABORTED -> ErrorCode.REMOTE_UNAVAILABLE;
          case NOT_FOUND -> ErrorCode.COLLECTION_NOT_FOUND;
          default ->
              said.contains("Vector dimension error")
                  ? ErrorCode.DIMENSION_MISMATCH
                  : ErrorCode.REMOTE_FAILED;
        };
    return new StoreException(
        code,
        "%s: the Qdrant server %s answered %s: %s".formatted(what, options, status.getCode(), said),
        e);
  }

  /** Of a connection that failed gRPC says no more than so; its cause says why. */
  private static String said(Status status, StatusRuntimeException e) {
    String said = status.getDescription() == null ? e.toString() : status.getDescription();
    Throwable cause = status.getCause();
    return cause == null || cause.getMessage() == null ? said : said + ", " + cause.getMessage();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
