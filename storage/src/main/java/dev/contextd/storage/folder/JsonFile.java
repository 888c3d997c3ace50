package dev.contextd.storage.folder;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** The small JSON files of ours: an object whose scalar fields are read back by name. */
final class JsonFile {
  private static final JsonFactory JSON = new JsonFactory();

  private JsonFile() {}

  /** Writes the fields of the object. */
  @FunctionalInterface
  interface Body {
    void write(JsonGenerator json) throws IOException;
  }

  static byte[] write(Body body) {
    return write(body, true);
  }

  /** The same in one line. */
  static byte[] line(Body body) {
    return write(body, false);
  }

  private static byte[] write(Body body, boolean isPretty) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      if (isPretty) {
        json.useDefaultPrettyPrinter();
      }
      json.writeStartObject();
      body.write(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory does not fail", e);
    }
    return text.append('\n').toString().getBytes(StandardCharsets.UTF_8);
  }

  /** The object's fields that are strings, numbers or booleans, as text; others are passed over. */
  static Map<String, String> scalars(byte[] file) throws FormatException {
    Map<String, String> fields = new LinkedHashMap<>();
    try (JsonParser json = JSON.createParser(file)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new FormatException("expected a JSON object");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        JsonToken value = json.nextToken();
        if (value.isScalarValue() && value != JsonToken.VALUE_NULL) {
          fields.put(name, json.getText());
        } else {
          json.skipChildren();
        }
      }
      return fields;
    } catch (IOException e) {
      throw new FormatException("the JSON is damaged: " + e.getMessage(), e);
    }
  }
}
