package dev.contextd.qdrant.testkit;

import io.grpc.stub.StreamObserver;
import io.qdrant.client.grpc.Collections.CollectionConfig;
import io.qdrant.client.grpc.Collections.CollectionDescription;
import io.qdrant.client.grpc.Collections.CollectionExists;
import io.qdrant.client.grpc.Collections.CollectionExistsRequest;
import io.qdrant.client.grpc.Collections.CollectionExistsResponse;
import io.qdrant.client.grpc.Collections.CollectionInfo;
import io.qdrant.client.grpc.Collections.CollectionOperationResponse;
import io.qdrant.client.grpc.Collections.CollectionParams;
import io.qdrant.client.grpc.Collections.CollectionStatus;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.DeleteCollection;
import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Collections.GetCollectionInfoRequest;
import io.qdrant.client.grpc.Collections.GetCollectionInfoResponse;
import io.qdrant.client.grpc.Collections.ListCollectionsRequest;
import io.qdrant.client.grpc.Collections.ListCollectionsResponse;
import io.qdrant.client.grpc.Collections.OptimizerStatus;
import io.qdrant.client.grpc.Collections.UpdateCollection;
import io.qdrant.client.grpc.Collections.VectorParams;
import io.qdrant.client.grpc.Collections.VectorsConfig;
import io.qdrant.client.grpc.CollectionsGrpc.CollectionsImplBase;
import io.qdrant.client.grpc.JsonWithInt.Value;
import java.util.Map;

/** The service {@code qdrant.Collections}: create, delete, describe. */
final class FakeCollections extends CollectionsImplBase {
  private static final int MAX_VECTOR_SIZE = 65_536;
  private static final int MAX_NAME_LENGTH = 255;
  private static final String FORBIDDEN_IN_NAMES = "<>:\"/\\|?*";

  private final Memory memory;

  FakeCollections(Memory memory) {
    this.memory = memory;
  }

  @Override
  public void create(CreateCollection request, StreamObserver<CollectionOperationResponse> client) {
    memory.answer(
        client,
        () -> {
          checkName(request.getCollectionName());
          VectorParams params = params(request.getVectorsConfig());
          memory.create(
              request.getCollectionName(), new StoredCollection(params, request.getMetadataMap()));
          return result(true);
        });
  }

  @Override
  public void update(UpdateCollection request, StreamObserver<CollectionOperationResponse> client) {
    memory.answer(
        client,
        () -> {
          Map<String, Value> metadata = memory.collection(request.getCollectionName()).metadata();
          var merged = StoredCollection.merged(metadata, request.getMetadataMap());
          metadata.clear();
          metadata.putAll(merged);
          return result(true);
        });
  }

  @Override
  public void delete(DeleteCollection request, StreamObserver<CollectionOperationResponse> client) {
    memory.answer(client, () -> result(memory.delete(request.getCollectionName())));
  }

  @Override
  public void collectionExists(
      CollectionExistsRequest request, StreamObserver<CollectionExistsResponse> client) {
    memory.answer(
        client,
        () ->
            CollectionExistsResponse.newBuilder()
                .setResult(
                    CollectionExists.newBuilder()
                        .setExists(memory.has(request.getCollectionName())))
                .build());
  }

  @Override
  public void list(ListCollectionsRequest request, StreamObserver<ListCollectionsResponse> client) {
    memory.answer(
        client,
        () -> {
          ListCollectionsResponse.Builder list = ListCollectionsResponse.newBuilder();
          for (String name : memory.names()) {
            list.addCollections(CollectionDescription.newBuilder().setName(name));
          }
          return list.build();
        });
  }

  @Override
  public void get(
      GetCollectionInfoRequest request, StreamObserver<GetCollectionInfoResponse> client) {
    memory.answer(
        client,
        () ->
            GetCollectionInfoResponse.newBuilder()
                .setResult(info(memory.collection(request.getCollectionName())))
                .build());
  }

  private static CollectionOperationResponse result(boolean done) {
    return CollectionOperationResponse.newBuilder().setResult(done).build();
  }

  private static CollectionInfo info(StoredCollection collection) {
    CollectionParams params =
        CollectionParams.newBuilder()
            .setShardNumber(1)
            .setOnDiskPayload(true)
            .setReplicationFactor(1)
            .setWriteConsistencyFactor(1)
            .setVectorsConfig(VectorsConfig.newBuilder().setParams(collection.params()))
            .build();
    return CollectionInfo.newBuilder()
        .setStatus(CollectionStatus.Green)
        .setOptimizerStatus(OptimizerStatus.newBuilder().setOk(true))
        .setPointsCount(collection.size())
        .setIndexedVectorsCount(0)
        .putAllPayloadSchema(collection.indexes())
        .setConfig(
            CollectionConfig.newBuilder().setParams(params).putAllMetadata(collection.metadata()))
        .build();
  }

  private static void checkName(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME_LENGTH) {
      // The text of this one is not recorded.
      throw Refusals.invalidField(
          "collection_name",
          "value \"" + name + "\" invalid, must be from 1 to " + MAX_NAME_LENGTH + " characters");
    }
    name.chars()
        .filter(sign -> FORBIDDEN_IN_NAMES.indexOf(sign) >= 0)
        .findFirst()
        .ifPresent(sign -> {
          throw Refusals.invalidField(
              "collection_name",
              "collection name cannot contain \"" + Character.toString(sign) + "\" char");
        });
  }

  private static VectorParams params(VectorsConfig config) {
    if (!config.hasParams()) {
      throw Refusals.notFaked("collections without the one nameless vector");
    }
    VectorParams params = config.getParams();
    if (params.getSize() < 1 || params.getSize() > MAX_VECTOR_SIZE) {
      throw Refusals.invalidField(
          "vectors_config.config.size",
          "value " + params.getSize() + " invalid, must be from 1 to " + MAX_VECTOR_SIZE);
    }
    if (params.getDistance() == Distance.UnknownDistance) {
      throw Refusals.missing("the distance");
    }
    return params;
  }
}
