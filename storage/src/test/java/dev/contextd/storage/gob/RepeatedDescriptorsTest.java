package dev.contextd.storage.gob;

import static dev.contextd.storage.gob.Streams.INT;
import static dev.contextd.storage.gob.Streams.STRING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.gob.WireType.Field;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A stream that begins as the one before it did is read as if it were the first. */
class RepeatedDescriptorsTest {
  private static final int FIRST = 65;
  private static final int SECOND = 66;

  private static GobWriter first() {
    return Streams.struct(new GobWriter(), FIRST, new Field("Name", STRING));
  }

  private static byte[] named(GobWriter descriptors, int type, String name) {
    return descriptors.message(type, Streams.value(1, new GobWriter().string(name))).toByteArray();
  }

  private static String name(byte[] stream) throws FormatException {
    GobReader reader = new GobReader(stream);
    int type = reader.open();
    GobReader.Fields fields = reader.structure(type);
    WireType.Field field = fields.next();
    String name = reader.string(field == null ? 0 : field.typeId());
    assertThat(fields.next()).isNull();
    reader.close();
    return name;
  }

  @Test
  void eachStreamHasItsOwnTypesWhateverCameBefore() throws Exception {
    byte[] one = named(first(), FIRST, "one");
    byte[] longer =
        named(Streams.struct(first(), SECOND, new Field("Name", STRING)), SECOND, "longer");
    byte[] otherwise =
        named(Streams.struct(new GobWriter(), FIRST, new Field("Title", STRING)), FIRST, "title");
    Map<String, byte[]> streams = Map.of("one", one, "longer", longer, "title", otherwise);
    for (String next : "one one longer longer one title longer one title".split(" ", -1)) {
      assertThat(name(streams.getOrDefault(next, one))).isEqualTo(next);
    }
  }

  @Test
  void aTypeOfTheStreamBeforeIsNoneOfThisOne() throws Exception {
    byte[] both = named(Streams.struct(first(), SECOND, new Field("Name", STRING)), SECOND, "both");
    assertThat(name(both)).isEqualTo("both");
    assertThatThrownBy(() -> name(named(first(), SECOND, "x")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("never described");
  }

  @Test
  void aTypeIsNotDescribedTwiceBehindKnownDescriptors() throws Exception {
    assertThat(name(named(first(), FIRST, "x"))).isEqualTo("x");
    byte[] twice = named(Streams.struct(first(), FIRST, new Field("Name", INT)), FIRST, "x");
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> name(twice))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("described twice");
    }
  }

  @Test
  void whatEndsBehindKnownDescriptorsHasNoValue() throws Exception {
    assertThat(name(named(first(), FIRST, "x"))).isEqualTo("x");
    assertThatThrownBy(() -> new GobReader(first().toByteArray()).open())
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("ends before its value");
  }

  /** Its names are altered by decoding, which each reader is to tell of. */
  @Test
  void descriptorsThatAreNotUtf8TellSoEachTime() throws Exception {
    byte[] stream = named(first(), FIRST, "x");
    for (int i = 0; i < stream.length - 3; i++) {
      if (stream[i] == 'N' && stream[i + 1] == 'a') {
        stream[i] = (byte) 0xff;
      }
    }
    for (int i = 0; i < 2; i++) {
      GobReader reader = new GobReader(stream);
      reader.open();
      assertThat(reader.malformedText()).isTrue();
    }
  }
}
