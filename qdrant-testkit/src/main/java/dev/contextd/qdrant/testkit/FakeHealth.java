package dev.contextd.qdrant.testkit;

import grpc.health.v1.HealthCheck.HealthCheckRequest;
import grpc.health.v1.HealthCheck.HealthCheckResponse;
import grpc.health.v1.HealthGrpc.HealthImplBase;
import io.grpc.stub.StreamObserver;
import io.qdrant.client.grpc.QdrantGrpc.QdrantImplBase;
import io.qdrant.client.grpc.QdrantOuterClass;
import io.qdrant.client.grpc.QdrantOuterClass.HealthCheckReply;

/** The two health services: Qdrant's own, which names the version, and the standard one of gRPC. */
final class FakeHealth {
  private static final String TITLE = "qdrant - vector search engine";
  private static final String VERSION = "1.18.3";

  private FakeHealth() {}

  /** The service {@code qdrant.Qdrant}. */
  static final class OfQdrant extends QdrantImplBase {
    @Override
    public void healthCheck(
        QdrantOuterClass.HealthCheckRequest request, StreamObserver<HealthCheckReply> client) {
      client.onNext(HealthCheckReply.newBuilder().setTitle(TITLE).setVersion(VERSION).build());
      client.onCompleted();
    }
  }

  /** The service {@code grpc.health.v1.Health}. */
  static final class OfGrpc extends HealthImplBase {
    @Override
    public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> client) {
      client.onNext(
          HealthCheckResponse.newBuilder()
              .setStatus(HealthCheckResponse.ServingStatus.SERVING)
              .build());
      client.onCompleted();
    }
  }
}
