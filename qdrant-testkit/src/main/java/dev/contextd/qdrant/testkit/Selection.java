package dev.contextd.qdrant.testkit;

import io.qdrant.client.grpc.JsonWithInt.Value;
import io.qdrant.client.grpc.Points.RetrievedPoint;
import io.qdrant.client.grpc.Points.ScoredPoint;
import io.qdrant.client.grpc.Points.WithPayloadSelector;
import io.qdrant.client.grpc.Points.WithVectorsSelector;
import java.util.HashMap;
import java.util.Map;

/**
 * What of a point an answer shows.
 *
 * @param payload which fields of the payload
 * @param vectors whether the vector
 */
record Selection(WithPayloadSelector payload, WithVectorsSelector vectors) {

  RetrievedPoint show(Point point) {
    RetrievedPoint.Builder shown =
        RetrievedPoint.newBuilder()
            .setId(Ids.id(point.uuid()))
            .putAllPayload(shownPayload(point.payload()));
    if (showsVectors()) {
      shown.setVectors(Vectors.write(point.vector()));
    }
    return shown.build();
  }

  ScoredPoint show(Point point, float score, long version) {
    ScoredPoint.Builder shown =
        ScoredPoint.newBuilder()
            .setId(Ids.id(point.uuid()))
            .putAllPayload(shownPayload(point.payload()))
            .setScore(score)
            .setVersion(version);
    if (showsVectors()) {
      shown.setVectors(Vectors.write(point.vector()));
    }
    return shown.build();
  }

  private boolean showsVectors() {
    return switch (vectors.getSelectorOptionsCase()) {
      case ENABLE -> vectors.getEnable();
      case INCLUDE -> throw Refusals.notFaked("named vectors");
      case SELECTOROPTIONS_NOT_SET -> false;
    };
  }

  private Map<String, Value> shownPayload(Map<String, Value> whole) {
    Map<String, Value> shown = new HashMap<>(whole);
    switch (payload.getSelectorOptionsCase()) {
      case ENABLE -> {
        if (!payload.getEnable()) {
          shown.clear();
        }
      }
      case INCLUDE -> shown.keySet().retainAll(payload.getInclude().getFieldsList());
      case EXCLUDE -> payload.getExclude().getFieldsList().forEach(shown::remove);
      case SELECTOROPTIONS_NOT_SET -> shown.clear();
    }
    return shown;
  }
}
