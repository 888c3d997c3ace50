package dev.contextd.storage;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the real chromem-go wrote, and what it says is in it. */
public final class FixtureData {
  public static final String KEY = "0123456789abcdef0123456789abcdef";

  private FixtureData() {}

  /** A document in a form that compares floats bit for bit. */
  public record Doc(
      String id, @Nullable Map<String, String> metadata, List<Integer> bits, String content) {
    public static Doc of(StoredDocument document) {
      float[] floats = document.embedding();
      List<Integer> bits = new ArrayList<>();
      for (float value : floats) {
        bits.add(Float.floatToRawIntBits(value));
      }
      return new Doc(document.id(), document.metadata(), bits, document.content());
    }
  }

  /** A collection with its folder's name and its documents in the order of their ids. */
  public record Expected(String folder, StoredCollection collection, List<Doc> documents) {}

  public static Path path(String name) {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null && !Files.isDirectory(folder.resolve("fixtures/chromem-go"))) {
      folder = folder.getParent();
    }
    if (folder == null) {
      throw new IllegalStateException("no folder above this one holds fixtures/chromem-go");
    }
    return folder.resolve("fixtures/chromem-go").resolve(name);
  }

  public static byte[] bytes(String name) throws IOException {
    return Files.readAllBytes(path(name));
  }

  /** Every document and metadata file of {@code plain} or {@code gzip}, in a fixed order. */
  public static List<Path> files(String kind) throws IOException {
    try (Stream<Path> walk = Files.walk(path(kind))) {
      return walk.filter(Files::isRegularFile).sorted().toList();
    }
  }

  public static void copy(String kind, Path target) throws IOException {
    for (Path file : files(kind)) {
      Path to = target.resolve(path(kind).relativize(file).toString());
      Files.createDirectories(to.resolveSibling(""));
      Files.copy(file, to);
    }
  }

  /** The content as chromem-go tells it, in the order of the collections' names. */
  public static List<Expected> expected(String kind) throws IOException {
    List<Expected> result = new ArrayList<>();
    for (Object collection : list(json(bytes(kind + ".expected.json")))) {
      Map<?, ?> fields = object(collection);
      List<Doc> documents = new ArrayList<>();
      for (Object document : list(fields.get("documents"))) {
        documents.add(document(object(document)));
      }
      StoredCollection stored =
          new StoredCollection(text(fields, "name"), strings(fields.get("metadata")));
      documents.sort(Comparator.comparing(Doc::id));
      result.add(new Expected(text(fields, "folder"), stored, documents));
    }
    result.sort(Comparator.comparing(found -> found.collection().name()));
    return result;
  }

  private static Doc document(Map<?, ?> fields) {
    List<Integer> bits = new ArrayList<>();
    for (Object value : list(fields.get("embedding"))) {
      bits.add(Float.floatToRawIntBits((Float) value));
    }
    return new Doc(
        text(fields, "id"), strings(fields.get("metadata")), bits, text(fields, "content"));
  }

  private static List<?> list(@Nullable Object value) {
    return value == null ? List.of() : (List<?>) value;
  }

  private static Map<?, ?> object(Object value) {
    return (Map<?, ?>) value;
  }

  private static String text(Map<?, ?> fields, String name) {
    return String.valueOf(fields.get(name));
  }

  private static @Nullable Map<String, String> strings(@Nullable Object value) {
    if (value == null) {
      return null;
    }
    Map<String, String> strings = new LinkedHashMap<>();
    object(value).forEach((key, text) -> strings.put((String) key, (String) text));
    return strings;
  }

  /** Reads JSON as maps, lists, strings and null, and each number as the float its digits say. */
  public static @Nullable Object json(byte[] text) throws IOException {
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      parser.nextToken();
      return value(parser);
    }
  }

  private static @Nullable Object value(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          parser.nextToken();
          fields.put(name, value(parser));
        }
        yield fields;
      }
      case START_ARRAY -> {
        List<@Nullable Object> values = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          values.add(value(parser));
        }
        yield values;
      }
      case VALUE_NULL -> null;
      case VALUE_TRUE, VALUE_FALSE -> parser.getBooleanValue();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> Float.parseFloat(parser.getText());
      default -> parser.getText();
    };
  }

  /** A copy with one bit turned. */
  public static byte[] flipped(byte[] bytes, int bit) {
    byte[] copy = Arrays.copyOf(bytes, bytes.length);
    copy[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
    return copy;
  }
}
