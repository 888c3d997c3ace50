package dev.contextd.storage.gob;

import static dev.contextd.storage.gob.Streams.BOOL;
import static dev.contextd.storage.gob.Streams.BYTES;
import static dev.contextd.storage.gob.Streams.COMPLEX;
import static dev.contextd.storage.gob.Streams.FLOAT;
import static dev.contextd.storage.gob.Streams.INT;
import static dev.contextd.storage.gob.Streams.INTERFACE;
import static dev.contextd.storage.gob.Streams.STRING;
import static dev.contextd.storage.gob.Streams.UINT;
import static dev.contextd.storage.gob.Streams.uints;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.chromem.Decoded;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.gob.WireType.Field;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Documents of a later or another program: fields of every kind that we do not know. */
class UnknownFieldsTest {
  private static final int DOCUMENT = 80;
  private static final int EXTRA = 90;
  private static final int ELEMENT = 91;
  private static final int INNER = 92;

  /** An unknown field: its type, the descriptors of it, its value. */
  record Extra(int type, GobWriter descriptors, GobWriter value) {}

  static Stream<Arguments> kinds() {
    return Stream.of(
        kind("bool", BOOL, uints(1)),
        kind("int", INT, new GobWriter().sint(Long.MIN_VALUE)),
        kind("uint", UINT, uints(-1)),
        kind("float", FLOAT, new GobWriter().float64(Double.NaN)),
        kind("bytes", BYTES, uints(3).raw(new byte[] {0, 1, -1})),
        kind("string", STRING, new GobWriter().string("多")),
        kind("complex", COMPLEX, new GobWriter().float64(1).float64(-2)),
        kind("nil interface", INTERFACE, uints(0)),
        kind(
            "interface",
            INTERFACE,
            new GobWriter().string("int").sint(INT).uint(2).uint(0).sint(7)),
        kind("slice", slice(EXTRA, INT), uints(3, 1, 2, 3)),
        kind("empty slice", slice(EXTRA, INT), uints(0)),
        kind("array", Streams.array(out(), EXTRA, STRING, 2), uints(2, 1, 'a', 0)),
        kind("map", out().describeMap(EXTRA, "", INT, STRING), uints(2, 2, 0, 4, 1, 'x')),
        kind("opaque", Streams.opaque(out(), 5, EXTRA), uints(2, 9, 9)),
        kind("binary marshaler", Streams.opaque(out(), 6, EXTRA), uints(0)),
        kind("text marshaler", Streams.opaque(out(), 7, EXTRA), uints(1, 9)),
        kind("struct", Streams.struct(out(), EXTRA, new Field("A", INT)), uints(1, 2, 0)),
        kind("empty struct", Streams.struct(out(), EXTRA), uints(0)),
        kind("struct of structs in maps in slices", nested(), nestedValue()),
        kind("list that refers to itself", list(), uints(1, 2, 1, 1, 4, 1, 1, 6, 0, 0, 0)),
        kind("slice of itself", slice(EXTRA, EXTRA), uints(3, 0, 2, 0, 0, 1, 0)));
  }

  private static Arguments kind(String name, GobWriter descriptors, GobWriter value) {
    return Arguments.of(name, new Extra(EXTRA, descriptors, value));
  }

  private static Arguments kind(String name, int basicType, GobWriter value) {
    return Arguments.of(name, new Extra(basicType, out(), value));
  }

  private static GobWriter out() {
    return new GobWriter();
  }

  private static GobWriter slice(int id, int element) {
    return out().describeSlice(id, "", element);
  }

  /** []map[string]struct{B bool; S []uint8-like ints}. */
  private static GobWriter nested() {
    return slice(EXTRA, ELEMENT)
        .raw(out().describeMap(ELEMENT, "", STRING, INNER))
        .raw(Streams.struct(out(), INNER, new Field("B", BOOL), new Field("S", 93)))
        .raw(slice(93, INT));
  }

  private static GobWriter nestedValue() {
    GobWriter inner = uints(1, 1, 1, 2, 5, 6, 0);
    return uints(2, 1).string("k").raw(inner).uint(2).string("").uint(0).string("z").raw(inner);
  }

  /** struct{V int; Next *itself}. */
  private static GobWriter list() {
    return Streams.struct(out(), EXTRA, new Field("V", INT), new Field("Next", EXTRA));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void anUnknownFieldOfADocumentIsSkipped(String name, Extra extra) throws Exception {
    for (int position = 0; position <= 4; position++) {
      Decoded<StoredDocument> decoded = DocumentFormat.decode(document(extra, position));
      assertThat(decoded.value().id()).as(name).isEqualTo("doc-1");
      assertThat(decoded.value().metadata()).isEqualTo(Map.of("k", "v"));
      assertThat(decoded.value().embedding()).containsExactly(0.6f, 0.8f);
      assertThat(decoded.value().content()).isEqualTo("text");
      assertThat(decoded.trailingBytes()).isZero();
    }
  }

  /** A document whose five fields stand in this order: Content, Embedding, Metadata, ID. */
  private static byte[] document(Extra extra, int position) {
    List<Field> fields = new ArrayList<>();
    fields.add(new Field("Content", STRING));
    fields.add(new Field("Embedding", 101));
    fields.add(new Field("Metadata", 102));
    fields.add(new Field("ID", STRING));
    fields.add(position, new Field("Extra", extra.type()));
    GobWriter value = out();
    for (Field field : fields) {
      value.uint(1);
      switch (field.name()) {
        case "Content" -> value.string("text");
        case "Embedding" -> value.floats(new float[] {0.6f, 0.8f});
        case "Metadata" -> value.stringMap(Map.of("k", "v"));
        case "ID" -> value.string("doc-1");
        default -> value.raw(extra.value());
      }
    }
    return out()
        .raw(extra.descriptors())
        .describeSlice(101, "[]float32", FLOAT)
        .describeStruct(DOCUMENT, "Later", fields)
        .describeMap(102, "map[string]string", STRING, STRING)
        .message(DOCUMENT, value.uint(0))
        .toByteArray();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void anUnknownFieldOfMetadataIsSkipped(String name, Extra extra) throws Exception {
    GobWriter value = uints(1).raw(extra.value()).uint(1).string("notes").uint(0);
    byte[] file =
        out()
            .raw(extra.descriptors())
            .raw(
                Streams.struct(
                    out(), 70, new Field("Extra", extra.type()), new Field("Name", STRING)))
            .message(70, value)
            .toByteArray();
    assertThat(MetadataFormat.decode(file).value())
        .as(name)
        .isEqualTo(new StoredCollection("notes", null));
  }

  @Test
  void typeIdsAreReadAndNotAssumed() throws Exception {
    for (int id : new int[] {64, 65, 66, 67, 1_000, 1 << 20, Integer.MAX_VALUE}) {
      byte[] file =
          Streams.struct(out(), id, new Field("Content", STRING), new Field("ID", STRING))
              .message(id, uints(2).string("a").uint(0))
              .toByteArray();
      StoredDocument document = DocumentFormat.decode(file).value();
      assertThat(document.id()).isEqualTo("a");
      assertThat(document.metadata()).isNull();
    }
  }

  @Test
  void whatGoWroteIsRead() throws Exception {
    for (String line : goStreams()) {
      String name = line.substring(0, line.indexOf(' '));
      byte[] file = HexFormat.of().parseHex(line.substring(name.length() + 1));
      Decoded<StoredDocument> decoded = DocumentFormat.decode(file);
      boolean isFull = name.equals("kinds");
      assertThat(decoded.value().id()).as(name).isEqualTo("doc-1");
      assertThat(decoded.value().content()).as(name).isEqualTo("text");
      assertThat(decoded.value().embedding())
          .as(name)
          .containsExactly(isFull ? new float[] {0.6f, 0.8f} : new float[] {1});
      assertThat(decoded.value().metadata()).as(name).isEqualTo(isFull ? Map.of("k", "v") : null);
      assertThat(decoded.trailingBytes()).as(name).isZero();
    }
  }

  private static List<String> goStreams() throws IOException {
    try (InputStream in = UnknownFieldsTest.class.getResourceAsStream("unknown-fields.txt")) {
      assertThat(in).isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .toList();
    }
  }
}
