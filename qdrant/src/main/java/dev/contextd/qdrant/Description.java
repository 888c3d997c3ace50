package dev.contextd.qdrant;

import io.qdrant.client.grpc.JsonWithInt.Struct;
import io.qdrant.client.grpc.JsonWithInt.Value;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of a collection on the server. What Qdrant has no place for stands in the
 * collection's own metadata:
 *
 * <pre>
 * contextd.metadata  object of texts: the collection's metadata as ours have them
 * contextd.model     text: which model made its vectors
 * contextd.owner     text: which daemon writes to it
 * </pre>
 *
 * @param dimension of its vectors
 */
record Description(
    Map<String, String> metadata, int dimension, Optional<String> model, Optional<String> owner) {
  private static final String METADATA = "contextd.metadata";
  private static final String MODEL = "contextd.model";
  private static final String OWNER = "contextd.owner";

  Description {
    metadata = Map.copyOf(metadata);
  }

  /** A new collection, whose dimension is not known where there is no model. */
  static Description of(Map<String, String> metadata, Optional<Integer> dimension) {
    return new Description(metadata, dimension.orElse(0), Optional.empty(), Optional.empty());
  }

  Description withMetadata(Map<String, String> newMetadata) {
    return new Description(newMetadata, dimension, model, owner);
  }

  Description withDimension(int newDimension) {
    return new Description(metadata, newDimension, model, owner);
  }

  Description withModel(String newModel) {
    return new Description(metadata, dimension, Optional.of(newModel), owner);
  }

  Description withOwner(String newOwner) {
    return new Description(metadata, dimension, model, Optional.of(newOwner));
  }

  Map<String, Value> encode() {
    Struct.Builder all = Struct.newBuilder();
    metadata.forEach((key, value) -> all.putFields(key, Payloads.text(value)));
    Map<String, Value> encoded = new HashMap<>();
    encoded.put(METADATA, Value.newBuilder().setStructValue(all).build());
    model.ifPresent(name -> encoded.put(MODEL, Payloads.text(name)));
    owner.ifPresent(name -> encoded.put(OWNER, Payloads.text(name)));
    return encoded;
  }

  static Description decode(Map<String, Value> encoded, int dimension) {
    Map<String, String> metadata = new HashMap<>();
    Value all = encoded.getOrDefault(METADATA, Value.getDefaultInstance());
    all.getStructValue()
        .getFieldsMap()
        .forEach((key, value) -> Payloads.read(value).ifPresent(text -> metadata.put(key, text)));
    return new Description(
        metadata,
        dimension,
        Optional.ofNullable(encoded.get(MODEL)).flatMap(Payloads::read),
        Optional.ofNullable(encoded.get(OWNER)).flatMap(Payloads::read));
  }
}
