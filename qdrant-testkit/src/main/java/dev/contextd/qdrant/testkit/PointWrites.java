package dev.contextd.qdrant.testkit;

import io.qdrant.client.grpc.Collections.PayloadSchemaInfo;
import io.qdrant.client.grpc.Collections.PayloadSchemaType;
import io.qdrant.client.grpc.Points.CreateFieldIndexCollection;
import io.qdrant.client.grpc.Points.DeletePoints;
import io.qdrant.client.grpc.Points.FieldType;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.PointsOperationResponse;
import io.qdrant.client.grpc.Points.PointsSelector;
import io.qdrant.client.grpc.Points.SetPayloadPoints;
import io.qdrant.client.grpc.Points.UpdateMode;
import io.qdrant.client.grpc.Points.UpdateResult;
import io.qdrant.client.grpc.Points.UpdateStatus;
import io.qdrant.client.grpc.Points.UpsertPoints;
import java.util.ArrayList;
import java.util.List;

/** The calls that write points. Each is checked whole before the first point changes. */
final class PointWrites {
  private final Memory memory;

  PointWrites(Memory memory) {
    this.memory = memory;
  }

  PointsOperationResponse upsert(UpsertPoints request) {
    if (request.getPointsCount() == 0) {
      throw Refusals.emptyUpdate();
    }
    if (request.hasUpdateFilter() || request.getUpdateMode() != UpdateMode.Upsert) {
      throw Refusals.notFaked("conditional upserts");
    }
    List<String> ids =
        request.getPointsList().stream().map(point -> Ids.canonical(point.getId())).toList();
    StoredCollection collection = memory.collection(request.getCollectionName());
    List<Point> points = new ArrayList<>();
    for (PointStruct point : request.getPointsList()) {
      float[] vector = collection.admitted(Vectors.read(point.getVectors()));
      points.add(new Point(ids.get(points.size()), point.getPayloadMap(), vector));
    }
    memory.beforeWriting(collection, ids);
    long operation = collection.nextOperation();
    for (Point point : points) {
      collection.set(point, operation);
    }
    return done(request.getWait(), operation);
  }

  PointsOperationResponse delete(DeletePoints request) {
    List<String> ids = selected(request.getCollectionName(), request.getPoints());
    StoredCollection collection = memory.collection(request.getCollectionName());
    memory.beforeWriting(collection, ids);
    long operation = collection.nextOperation();
    ids.forEach(collection::remove);
    return done(request.getWait(), operation);
  }

  PointsOperationResponse setPayload(SetPayloadPoints request) {
    if (request.hasKey()) {
      throw Refusals.notFaked("payload set below a key");
    }
    List<String> ids = selected(request.getCollectionName(), request.getPointsSelector());
    StoredCollection collection = memory.collection(request.getCollectionName());
    List<Point> changed = new ArrayList<>();
    for (String id : ids) {
      Point old = collection.get(id).orElseThrow(() -> Refusals.noPoint(id)).point();
      var payload = StoredCollection.merged(old.payload(), request.getPayloadMap());
      changed.add(new Point(id, payload, old.vector()));
    }
    memory.beforeWriting(collection, ids);
    long operation = collection.nextOperation();
    for (Point point : changed) {
      collection.set(point, operation);
    }
    return done(request.getWait(), operation);
  }

  PointsOperationResponse createFieldIndex(CreateFieldIndexCollection request) {
    StoredCollection collection = memory.collection(request.getCollectionName());
    collection
        .indexes()
        .put(
            request.getFieldName(),
            PayloadSchemaInfo.newBuilder().setDataType(schemaType(request.getFieldType())).build());
    // An index takes two operations, of which the second is answered.
    collection.nextOperation();
    return done(request.getWait(), collection.nextOperation());
  }

  private List<String> selected(String name, PointsSelector selector) {
    return switch (selector.getPointsSelectorOneOfCase()) {
      case POINTS -> {
        if (selector.getPoints().getIdsCount() == 0) {
          throw Refusals.emptyUpdate();
        }
        yield Ids.canonical(selector.getPoints().getIdsList());
      }
      case FILTER ->
          memory.collection(name).matching(Filters.predicate(selector.getFilter())).stream()
              .map(stored -> stored.point().uuid())
              .toList();
      case POINTSSELECTORONEOF_NOT_SET -> throw Refusals.missing("the selection of points");
    };
  }

  private static PointsOperationResponse done(boolean waited, long operation) {
    return PointsOperationResponse.newBuilder()
        .setResult(
            UpdateResult.newBuilder()
                .setOperationId(operation)
                .setStatus(waited ? UpdateStatus.Completed : UpdateStatus.Acknowledged))
        .build();
  }

  private static PayloadSchemaType schemaType(FieldType type) {
    return switch (type) {
      case FieldTypeKeyword -> PayloadSchemaType.Keyword;
      case FieldTypeInteger -> PayloadSchemaType.Integer;
      case FieldTypeFloat -> PayloadSchemaType.Float;
      case FieldTypeGeo -> PayloadSchemaType.Geo;
      case FieldTypeText -> PayloadSchemaType.Text;
      case FieldTypeBool -> PayloadSchemaType.Bool;
      case FieldTypeDatetime -> PayloadSchemaType.Datetime;
      case FieldTypeUuid -> PayloadSchemaType.Uuid;
      case UNRECOGNIZED -> throw Refusals.notFaked("such index");
    };
  }
}
