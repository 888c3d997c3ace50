package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * As much of JSON Schema as the OpenAPI document uses, and stricter: a field it does not name
 * fails.
 */
record Schema(JsonNode document, JsonNode schema) {
  private Schema at(JsonNode other) {
    return new Schema(document, other);
  }

  /** The schema itself, where this only refers to it. */
  Schema resolved() {
    String reference = schema.path("$ref").asText();
    return reference.isEmpty() ? this : at(document.at(reference.substring(1))).resolved();
  }

  Set<String> fields() {
    Set<String> fields = new HashSet<>();
    resolved().schema.path("properties").fieldNames().forEachRemaining(fields::add);
    return fields;
  }

  void requireValid(JsonNode value, String place) {
    Schema found = resolved();
    found.requireType(value, place);
    JsonNode allowed = found.schema.path("enum");
    if (allowed.isArray()) {
      assertThat(allowed).as(place).contains(value);
    }
    if (value.isObject()) {
      for (JsonNode field : found.schema.path("required")) {
        assertThat(value.has(field.asText())).as(place + "." + field.asText()).isTrue();
      }
    }
    if (value.isArray()) {
      value.forEach(part -> at(found.schema.path("items")).requireValid(part, place + "[]"));
    }
    if (value.isObject() && found.schema.has("properties")) {
      for (Map.Entry<String, JsonNode> field : value.properties()) {
        String inner = place + "." + field.getKey();
        JsonNode described = found.schema.path("properties").path(field.getKey());
        assertThat(described.isMissingNode()).as(inner + " is not described").isFalse();
        at(described).requireValid(field.getValue(), inner);
      }
    }
  }

  private void requireType(JsonNode value, String place) {
    JsonNode type = schema.path("type");
    if (type.isMissingNode()) {
      return;
    }
    String word =
        switch (value.getNodeType()) {
          case ARRAY -> "array";
          case BOOLEAN -> "boolean";
          case NULL -> "null";
          case NUMBER -> value.isIntegralNumber() ? "integer" : "number";
          case STRING -> "string";
          default -> "object";
        };
    boolean isWhole = word.equals("integer") && type.toString().contains("\"number\"");
    assertThat(type.toString()).as(place).contains("\"" + (isWhole ? "number" : word) + "\"");
  }
}
