package dev.contextd.qdrant;

import dev.contextd.engine.Document;
import dev.contextd.storage.chromem.StoredDocument;
import io.qdrant.client.grpc.Common.PointId;
import io.qdrant.client.grpc.JsonWithInt.Value;
import io.qdrant.client.grpc.Points.DenseVector;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.Vector;
import io.qdrant.client.grpc.Points.VectorOutput;
import io.qdrant.client.grpc.Points.Vectors;
import io.qdrant.client.grpc.Points.VectorsOutput;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A document as a point: its vector, and in the payload {@code content}, {@code id}, and beside
 * them the metadata, flat. So contextd writes them, and so they are read.
 *
 * <p>Values that another program wrote and that are no text are read as theirs: numbers and truth
 * values as JSON has them. Null, lists and objects are passed over.
 */
final class Payloads {
  static final String CONTENT = "content";
  static final String ID = "id";

  private Payloads() {}

  static PointStruct point(String collection, StoredDocument document) {
    PointStruct.Builder point =
        PointStruct.newBuilder()
            .setId(PointIds.of(collection, document.id()))
            .setVectors(
                Vectors.newBuilder()
                    .setVector(
                        Vector.newBuilder()
                            .setDense(
                                DenseVector.newBuilder()
                                    .addAllData(floats(document.embedding())))));
    document.metadataOrEmpty().forEach((key, value) -> point.putPayload(key, text(value)));
    return point
        .putPayload(CONTENT, text(document.content()))
        .putPayload(ID, text(document.id()))
        .build();
  }

  private static List<Float> floats(float[] vector) {
    return com.google.common.primitives.Floats.asList(vector);
  }

  static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }

  static Document document(PointId point, Map<String, Value> payload, VectorsOutput vectors) {
    Map<String, String> metadata = new HashMap<>();
    payload.forEach((key, value) -> {
      if (!key.equals(CONTENT) && !key.equals(ID)) {
        read(value).ifPresent(text -> metadata.put(key, text));
      }
    });
    return new Document(
        id(point, payload),
        Optional.ofNullable(payload.get(CONTENT)).flatMap(Payloads::read).orElse(""),
        vector(vectors),
        metadata);
  }

  static String id(PointId point, Map<String, Value> payload) {
    return Optional.ofNullable(payload.get(ID))
        .flatMap(Payloads::read)
        .filter(id -> !id.isEmpty())
        .orElseGet(() -> PointIds.text(point));
  }

  @SuppressWarnings("deprecation") // Servers before 1.16 send no other form.
  private static float[] vector(VectorsOutput vectors) {
    VectorOutput vector = vectors.getVector();
    List<Float> data = vector.hasDense() ? vector.getDense().getDataList() : vector.getDataList();
    float[] values = new float[data.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = data.get(i);
    }
    return values;
  }

  static Optional<String> read(Value value) {
    return switch (value.getKindCase()) {
      case STRING_VALUE -> Optional.of(value.getStringValue());
      case INTEGER_VALUE -> Optional.of(Long.toString(value.getIntegerValue()));
      case DOUBLE_VALUE -> Optional.of(Double.toString(value.getDoubleValue()));
      case BOOL_VALUE -> Optional.of(Boolean.toString(value.getBoolValue()));
      case NULL_VALUE, STRUCT_VALUE, LIST_VALUE, KIND_NOT_SET -> Optional.empty();
    };
  }
}
