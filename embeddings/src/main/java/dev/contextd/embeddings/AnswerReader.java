package dev.contextd.embeddings;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The strict reader of an endpoint's answers. A vector that would be taken for another text's, or
 * that cannot be stored, is worse than none.
 *
 * <p>Source of the format: OpenAI's API reference, "Create embeddings": {@code
 * {"data":[{"index":0,"embedding":[0.1,...]},...]}}; items may come in any order.
 */
final class AnswerReader {

  /** Longer vectors than those of any model. */
  private static final int MAX_DIMENSION = 65_536;

  /** Names of errors as they are, and too plain to hold a text or a secret. */
  private static final Pattern ERROR_NAME = Pattern.compile("[A-Za-z_]{1,64}");

  private final JsonMapper json =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  /** Reads as many vectors as there were inputs, or says what was found instead. */
  Reply read(byte[] body, int inputs) {
    JsonNode root;
    try {
      root = json.readTree(body);
    } catch (IOException e) {
      // The parser's message quotes the answer, so it is left out.
      return new Reply.Refused("expected JSON, found something else");
    }
    JsonNode data = root.path("data");
    if (!data.isArray()) {
      return new Reply.Refused("expected an object with the array data, found none");
    }
    if (data.size() != inputs) {
      return new Reply.Refused("expected %d vectors, found %d".formatted(inputs, data.size()));
    }
    float[] @Nullable [] vectors = new float[inputs][];
    for (JsonNode item : data) {
      JsonNode index = item.path("index");
      if (!index.isInt() || index.intValue() < 0 || index.intValue() >= inputs) {
        return new Reply.Refused(
            "expected an index from 0 to %d with each vector, found another or none"
                .formatted(inputs - 1));
      }
      if (vectors[index.intValue()] != null) {
        return new Reply.Refused("found two vectors of index %d".formatted(index.intValue()));
      }
      float[] vector = vector(item.path("embedding"));
      if (vector == null) {
        return new Reply.Refused(
            "expected 1 to %d finite numbers, not all zero, found something else at index %d"
                .formatted(MAX_DIMENSION, index.intValue()));
      }
      vectors[index.intValue()] = vector;
    }
    return ofOneDimension(Arrays.asList(vectors));
  }

  /**
   * The error's name as the endpoint gives it, as in {@code " (rate_limit_exceeded)"}, or nothing.
   */
  String errorName(byte[] body) {
    try {
      JsonNode root = json.readTree(body);
      JsonNode error = root.path("error").isObject() ? root.path("error") : root;
      for (String field : List.of("code", "type", "error_type")) {
        String name = error.path(field).asText();
        if (ERROR_NAME.matcher(name).matches()) {
          return " (" + name + ")";
        }
      }
      return "";
    } catch (IOException e) {
      return "";
    }
  }

  private static float @Nullable [] vector(JsonNode numbers) {
    if (!numbers.isArray() || numbers.isEmpty() || numbers.size() > MAX_DIMENSION) {
      return null;
    }
    float[] vector = new float[numbers.size()];
    for (int i = 0; i < vector.length; i++) {
      JsonNode number = numbers.get(i);
      if (!number.isNumber()) {
        return null;
      }
      vector[i] = number.floatValue();
    }
    return Vectors.isUsable(vector) ? vector : null;
  }

  private static Reply ofOneDimension(List<float[]> vectors) {
    int dimension = vectors.getFirst().length;
    for (int i = 1; i < vectors.size(); i++) {
      if (vectors.get(i).length != dimension) {
        return new Reply.Refused(
            "expected vectors of one dimension, found %d at index 0 and %d at index %d"
                .formatted(dimension, vectors.get(i).length, i));
      }
    }
    return new Reply.Embedded(vectors);
  }
}
