package dev.contextd.qdrant.testkit;

import io.grpc.stub.StreamObserver;
import io.qdrant.client.grpc.Points.BatchResult;
import io.qdrant.client.grpc.Points.CountPoints;
import io.qdrant.client.grpc.Points.CountResponse;
import io.qdrant.client.grpc.Points.CreateFieldIndexCollection;
import io.qdrant.client.grpc.Points.DeletePoints;
import io.qdrant.client.grpc.Points.GetPoints;
import io.qdrant.client.grpc.Points.GetResponse;
import io.qdrant.client.grpc.Points.PointsOperationResponse;
import io.qdrant.client.grpc.Points.QueryBatchPoints;
import io.qdrant.client.grpc.Points.QueryBatchResponse;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.QueryResponse;
import io.qdrant.client.grpc.Points.ScrollPoints;
import io.qdrant.client.grpc.Points.ScrollResponse;
import io.qdrant.client.grpc.Points.SetPayloadPoints;
import io.qdrant.client.grpc.Points.UpsertPoints;
import io.qdrant.client.grpc.PointsGrpc.PointsImplBase;

/** The service {@code qdrant.Points}; a call that is not here is answered UNIMPLEMENTED. */
final class FakePoints extends PointsImplBase {
  private final Memory memory;
  private final PointReads reads;
  private final PointWrites writes;

  FakePoints(Memory memory) {
    this.memory = memory;
    this.reads = new PointReads(memory);
    this.writes = new PointWrites(memory);
  }

  @Override
  public void upsert(UpsertPoints request, StreamObserver<PointsOperationResponse> client) {
    memory.answer(client, () -> writes.upsert(request));
  }

  @Override
  public void delete(DeletePoints request, StreamObserver<PointsOperationResponse> client) {
    memory.answer(client, () -> writes.delete(request));
  }

  @Override
  public void setPayload(SetPayloadPoints request, StreamObserver<PointsOperationResponse> client) {
    memory.answer(client, () -> writes.setPayload(request));
  }

  @Override
  public void createFieldIndex(
      CreateFieldIndexCollection request, StreamObserver<PointsOperationResponse> client) {
    memory.answer(client, () -> writes.createFieldIndex(request));
  }

  @Override
  public void get(GetPoints request, StreamObserver<GetResponse> client) {
    memory.answer(client, () -> reads.get(request));
  }

  @Override
  public void scroll(ScrollPoints request, StreamObserver<ScrollResponse> client) {
    memory.answer(client, () -> reads.scroll(request));
  }

  @Override
  public void count(CountPoints request, StreamObserver<CountResponse> client) {
    memory.answer(client, () -> reads.count(request));
  }

  @Override
  public void query(QueryPoints request, StreamObserver<QueryResponse> client) {
    memory.answer(
        client, () -> QueryResponse.newBuilder().addAllResult(reads.query(request)).build());
  }

  @Override
  public void queryBatch(QueryBatchPoints request, StreamObserver<QueryBatchResponse> client) {
    memory.answer(
        client,
        () -> {
          QueryBatchResponse.Builder answer = QueryBatchResponse.newBuilder();
          for (QueryPoints query : request.getQueryPointsList()) {
            // The batch names the collection; its queries need not.
            QueryPoints named =
                query.toBuilder().setCollectionName(request.getCollectionName()).build();
            answer.addResult(BatchResult.newBuilder().addAllResult(reads.query(named)));
          }
          return answer.build();
        });
  }
}
