package dev.contextd.storage.gob;

import static dev.contextd.storage.gob.Streams.FLOAT;
import static dev.contextd.storage.gob.Streams.INT;
import static dev.contextd.storage.gob.Streams.INTERFACE;
import static dev.contextd.storage.gob.Streams.STRING;
import static dev.contextd.storage.gob.Streams.uints;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.Allocation;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.ExportFormat;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.gob.WireType.Field;
import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Streams made to hurt a decoder: it refuses them, or reads them, in memory bounded by their size.
 *
 * <p>Counts and lengths are tried at the borders of int and long; a count that is believed would
 * end in an OutOfMemoryError, a NegativeArraySizeException or a loop.
 */
class HostileStreamsTest {
  private static final long BYTES_PER_BYTE = 64;

  /** Five bytes of an export are a document with the hash of its id. */
  private static final long EXPORT_BYTES_PER_BYTE = 128;

  private static final int DOCUMENT = 65;
  private static final int EXTRA = 66;

  private static boolean accepts(GobWriter stream, String what) {
    byte[] bytes = stream.toByteArray();
    Allocation.accepts(MetadataFormat::decode, bytes, BYTES_PER_BYTE, "metadata: " + what);
    Allocation.accepts(
        file -> ExportFormat.decode(file, null), bytes, EXPORT_BYTES_PER_BYTE, "export: " + what);
    return Allocation.accepts(DocumentFormat::decode, bytes, BYTES_PER_BYTE, "document: " + what);
  }

  private static GobWriter out() {
    return new GobWriter();
  }

  /** A document with a valid id and an unknown field of type {@link #EXTRA}. */
  private static GobWriter withExtra(GobWriter descriptors, GobWriter value) {
    return withField("Extra", descriptors, value);
  }

  private static GobWriter withField(String name, GobWriter descriptors, GobWriter value) {
    return Streams.struct(out(), DOCUMENT, new Field("ID", STRING), new Field(name, EXTRA))
        .raw(descriptors)
        .message(DOCUMENT, uints(1).string("a").uint(1).raw(value).uint(0));
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        1L << 20,
        1L << 30,
        Integer.MAX_VALUE - 8,
        Integer.MAX_VALUE,
        1L << 31,
        1L << 32,
        (1L << 32) + 1,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        -1
      })
  void noCountIsBelieved(long count) {
    GobWriter tail = uints(count, 1, 1, 1);
    String what = "a count of " + Long.toUnsignedString(count);
    assertThat(accepts(uints(count, 1, 2, 3), "message of " + what)).isFalse();
    assertThat(accepts(withExtra(out().describeSlice(EXTRA, "", INT), tail), what)).isFalse();
    assertThat(accepts(withExtra(Streams.array(out(), EXTRA, INT, count), tail), what)).isFalse();
    assertThat(accepts(withExtra(out().describeMap(EXTRA, "", INT, INT), tail), what)).isFalse();
    assertThat(accepts(withExtra(Streams.opaque(out(), 5, EXTRA), tail), what)).isFalse();
    assertThat(accepts(withField("Embedding", floats(), tail), what)).isFalse();
    assertThat(accepts(withField("Metadata", strings(), tail), what)).isFalse();
    assertThat(accepts(stringField("Content", tail), what)).isFalse();
    assertThat(accepts(stringField("ID", tail), what)).isFalse();
    assertThat(accepts(stringField("Name", tail), what)).isFalse();
    assertThat(accepts(export(tail), what)).isFalse();
  }

  private static GobWriter floats() {
    return out().describeSlice(EXTRA, "", FLOAT);
  }

  private static GobWriter strings() {
    return out().describeMap(EXTRA, "", STRING, STRING);
  }

  private static GobWriter stringField(String name, GobWriter value) {
    return Streams.struct(out(), DOCUMENT, new Field(name, STRING))
        .message(DOCUMENT, Streams.value(1, value));
  }

  private static GobWriter export(GobWriter collections) {
    return Streams.struct(out(), 70, new Field("Collections", 71))
        .describeMap(71, "", STRING, 72)
        .raw(Streams.struct(out(), 72, new Field("Name", STRING)))
        .message(70, Streams.value(1, collections));
  }

  @ParameterizedTest
  @ValueSource(longs = {2, 1L << 31, 1L << 32, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE, -1})
  void noFieldNumberIsBelieved(long delta) {
    GobWriter known = Streams.struct(out(), DOCUMENT, new Field("ID", STRING));
    GobWriter value = uints(1).string("a").uint(delta).uint(0).uint(0);
    assertThat(accepts(known.message(DOCUMENT, value), "a field number")).isFalse();
    for (long kind : new long[] {1, 2, 3, 4, 5, delta}) {
      GobWriter descriptor = out().message(-DOCUMENT, uints(kind, delta, delta, delta, 0, 0));
      assertThat(accepts(descriptor, "a descriptor's field number")).isFalse();
    }
  }

  @Test
  void noTypeIdIsBelieved() {
    for (long id : new long[] {0, 9, 15, 63, 99, 1L << 31, 1L << 40, Long.MAX_VALUE}) {
      GobWriter value = out().sint(id).uint(1).uint(0);
      assertThat(accepts(uints(value.length()).raw(value), "value type " + id)).isFalse();
      GobWriter definition = out().sint(-id).raw(uints(2, 2, 1, 4, 0, 0));
      assertThat(accepts(uints(definition.length()).raw(definition), "type " + id)).isFalse();
    }
    GobWriter lowest = out().sint(Long.MIN_VALUE);
    assertThat(accepts(uints(lowest.length()).raw(lowest), "the lowest type id")).isFalse();
  }

  @Test
  void aTypeDescribedTwiceIsRefused() {
    GobWriter twice = out().describeSlice(70, "", INT).describeSlice(70, "", STRING);
    assertThat(accepts(twice.raw(withExtra(floats(), uints(0))), "a repeated type")).isFalse();
  }

  @Test
  void aTypeNeverDescribedIsRefused() {
    assertThat(accepts(withExtra(out(), uints(0)), "an unknown type")).isFalse();
    GobWriter descriptors = out().describeSlice(EXTRA, "", 99);
    assertThat(accepts(withExtra(descriptors, uints(1, 0)), "an unknown element")).isFalse();
  }

  @Test
  void anEndlessValueOfARecursiveTypeIsRefused() {
    int depth = 1_000_000;
    byte[] ones = new byte[depth];
    Arrays.fill(ones, (byte) 1);
    GobWriter slices = out().describeSlice(EXTRA, "", EXTRA);
    assertThat(accepts(withExtra(slices, out().raw(ones)), "nested slices")).isFalse();
    GobWriter list = Streams.struct(out(), EXTRA, new Field("Next", EXTRA));
    assertThat(accepts(withExtra(list, out().raw(ones)), "a long list")).isFalse();
    GobWriter maps = out().describeMap(EXTRA, "", EXTRA, EXTRA);
    assertThat(accepts(withExtra(maps, out().raw(ones)), "nested maps")).isFalse();
    GobWriter mutual =
        out().describeSlice(EXTRA, "", 67).raw(Streams.array(out(), 67, EXTRA, Long.MAX_VALUE));
    assertThat(accepts(withExtra(mutual, out().raw(ones)), "types in a ring")).isFalse();
  }

  @Test
  void aMillionEmptyElementsAreReadInLinearMemory() {
    byte[] zeros = new byte[1_000_000];
    GobWriter many = uints(zeros.length).raw(zeros);
    GobWriter slice = out().describeSlice(EXTRA, "", 67);
    GobWriter ofEmpty = out().raw(slice).raw(Streams.struct(out(), 67));
    assertThat(accepts(withExtra(ofEmpty, many), "empty structs")).isTrue();
    GobWriter ofNil = out().describeSlice(EXTRA, "", INTERFACE);
    assertThat(accepts(withExtra(ofNil, many), "nil interfaces")).isTrue();
    assertThat(accepts(withField("Embedding", floats(), many), "floats")).isTrue();
    GobWriter pairs = uints(zeros.length / 2).raw(zeros);
    assertThat(accepts(withField("Metadata", strings(), pairs), "one key a million times"))
        .isTrue();
  }

  /** Were each key compared with all before it, this would take minutes. */
  @Test
  void keysOfOneHashCodeAreReadInReasonableTime() throws Exception {
    int bits = 17;
    GobWriter map = uints(1 << bits);
    for (int n = 0; n < 1 << bits; n++) {
      StringBuilder key = new StringBuilder();
      for (int bit = 0; bit < bits; bit++) {
        key.append((n >> bit & 1) == 0 ? "Aa" : "BB");
      }
      map.string(key.toString()).string("");
    }
    byte[] file = withField("Metadata", strings(), map).toByteArray();
    assertThat(DocumentFormat.decode(file).value().metadata()).hasSize(1 << bits);
  }

  @Test
  void aMillionFieldsAndTypesCostLinearMemory() {
    int count = 1_000_000;
    GobWriter body = uints(3, 2, count).raw(new byte[count]).uint(0).uint(0);
    assertThat(accepts(out().message(-DOCUMENT, body), "a struct of many fields")).isFalse();
    GobWriter types = out();
    for (int id = 64; id < 20_000; id++) {
      types.message(-id, uints(2, 0, 0));
    }
    assertThat(accepts(types, "many types")).isFalse();
  }

  @Test
  void aFieldNamedManyTimesCostsLinearMemory() {
    int count = 20_000;
    Field[] fields = Collections.nCopies(count, new Field("Embedding", 67)).toArray(Field[]::new);
    GobWriter value = out();
    for (int i = 0; i < count; i++) {
      value.uint(1).uint(0);
    }
    GobWriter stream =
        Streams.struct(out(), DOCUMENT, fields)
            .describeSlice(67, "", FLOAT)
            .message(DOCUMENT, value.uint(0));
    assertThat(accepts(stream, "one field many times")).isFalse();
  }

  @Test
  void anExportOfTheSmallestDocumentsCostsLinearMemory() {
    int count = 100_000;
    GobWriter documents = uints(count);
    for (int i = 0; i < count; i++) {
      documents.raw(new byte[] {0, 1, 1, 'a', 0});
    }
    GobWriter stream =
        Streams.struct(out(), 70, new Field("Collections", 71))
            .describeMap(71, "", STRING, 72)
            .raw(Streams.struct(out(), 72, new Field("Name", STRING), new Field("Documents", 73)))
            .describeMap(73, "", STRING, DOCUMENT)
            .raw(Streams.struct(out(), DOCUMENT, new Field("ID", STRING)))
            .message(
                70,
                uints(1, 1).string("c").uint(1).string("c").uint(1).raw(documents).uint(0).uint(0));
    assertThat(
            Allocation.accepts(
                file -> ExportFormat.decode(file, null),
                stream.toByteArray(),
                EXPORT_BYTES_PER_BYTE,
                "an export of the smallest documents"))
        .isTrue();
  }

  @Test
  void anInterfaceThatDescribesTypesForEverIsRefused() {
    GobWriter endless = out().string("T");
    for (int id = 100; id < 5_000; id++) {
      endless.sint(-id).raw(uints(2, 0, 0, 1));
    }
    GobWriter stream =
        Streams.struct(out(), DOCUMENT, new Field("ID", STRING), new Field("Any", INTERFACE))
            .message(DOCUMENT, uints(1).string("a").uint(1).raw(endless));
    assertThat(accepts(stream, "descriptors in an interface")).isFalse();
  }

  @Test
  void aStreamOfDescriptorsAloneIsRefused() {
    assertThat(accepts(out(), "nothing")).isFalse();
    assertThat(accepts(floats(), "a descriptor")).isFalse();
    assertThat(accepts(out().raw(new byte[100_000]), "empty messages")).isFalse();
  }

  @Test
  void aValueShorterOrLongerThanItsMessageIsRefused() {
    GobWriter known = Streams.struct(out(), DOCUMENT, new Field("ID", STRING));
    GobWriter longer = out().raw(known).message(DOCUMENT, uints(1).string("a").uint(0).uint(0));
    assertThat(accepts(longer, "bytes inside the message")).isFalse();
    GobWriter shorter = out().raw(known).message(DOCUMENT, uints(1).string("a"));
    assertThat(accepts(shorter.uint(0), "an end outside the message")).isFalse();
  }
}
