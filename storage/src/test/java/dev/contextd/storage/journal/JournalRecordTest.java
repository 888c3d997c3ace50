package dev.contextd.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.Allocation;
import dev.contextd.storage.FixtureData;
import dev.contextd.storage.Seed;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.gob.FormatException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Records as bytes and back. */
class JournalRecordTest {
  private static final float[] ODD = {Float.NaN, -0f, Float.MIN_VALUE, Float.MAX_VALUE, 1 / 3f};

  static List<JournalRecord> records() {
    return List.of(
        new JournalRecord.Created(
            1, "e9f85bf6", "contextd_memories", Map.of("a", "1", "b", ""), Compression.PLAIN),
        new JournalRecord.Created(
            Long.MAX_VALUE, "e9f85bf6-12", "名 \"x\" \0", null, Compression.GZIP),
        new JournalRecord.Created(2, "f", "empty", Map.of(), Compression.GZIP),
        new JournalRecord.Dropped(3),
        new JournalRecord.Put(4, Optional.empty(), List.of()),
        new JournalRecord.Put(
            5,
            Optional.of(new ModelRecord("BAAI/bge", 5)),
            List.of(
                new StoredDocument("a", null, ODD, ""),
                new StoredDocument("b".repeat(70_000), Map.of(), new float[0], "多\r\n"),
                new StoredDocument("c", Map.of("k", "v", "", ""), new float[] {1}, "text"))),
        new JournalRecord.Removed(6, List.of()),
        new JournalRecord.Removed(6, List.of("", "a", "名")),
        new JournalRecord.Voided(1, Long.MAX_VALUE),
        new JournalRecord.Addressed("名", new JournalRecord.Removed(0, List.of("", "a"))),
        new JournalRecord.Addressed("notes", new JournalRecord.Dropped(0)));
  }

  @ParameterizedTest
  @MethodSource("records")
  void aRecordComesBack(JournalRecord record) throws Exception {
    JournalRecord.Encoded encoded = JournalRecord.encode(record);
    JournalRecord back =
        JournalRecord.decode(encoded.type(), encoded.incarnation(), encoded.payload());
    assertThat(Journals.sameBytes(back, record)).isTrue();
    if (record instanceof JournalRecord.Put put) {
      JournalRecord.Put same = (JournalRecord.Put) back;
      assertThat(same.model()).isEqualTo(put.model());
      assertThat(same.documents().stream().map(FixtureData.Doc::of).toList())
          .isEqualTo(put.documents().stream().map(FixtureData.Doc::of).toList());
    } else {
      assertThat(back).isEqualTo(record);
    }
  }

  @ParameterizedTest
  @MethodSource("records")
  void aRecordThatIsCutOrGoesOnIsRefused(JournalRecord record) {
    JournalRecord.Encoded encoded = JournalRecord.encode(record);
    byte[] whole = bytes(encoded);
    for (int length = 0; length < Math.min(whole.length, 400); length++) {
      ByteBuffer cut = ByteBuffer.wrap(whole, 0, length);
      assertThatThrownBy(() -> JournalRecord.decode(encoded.type(), 1, cut))
          .isInstanceOf(FormatException.class);
    }
    ByteBuffer longer = ByteBuffer.allocate(whole.length + 1).put(whole).clear();
    assertThatThrownBy(() -> JournalRecord.decode(encoded.type(), 1, longer))
        .isInstanceOf(FormatException.class);
  }

  @Test
  void aTypeOfALaterVersionIsRefused() {
    for (int type : new int[] {0, 7, -1, Integer.MIN_VALUE}) {
      assertThatThrownBy(() -> JournalRecord.decode(type, 1, ByteBuffer.allocate(0)))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("unknown type");
    }
  }

  @Test
  void whatALengthClaimsIsNotAllocated() {
    Random random = Seed.random("JournalRecordTest.whatALengthClaimsIsNotAllocated");
    for (JournalRecord record : records()) {
      JournalRecord.Encoded encoded = JournalRecord.encode(record);
      byte[] whole = bytes(encoded);
      for (int i = 0; i < 2_000 && whole.length > 0; i++) {
        byte[] mutant = FixtureData.flipped(whole, random.nextInt(whole.length * Byte.SIZE));
        if (i % 2 == 0) {
          int at = random.nextInt(Math.max(1, whole.length - 3));
          java.util.Arrays.fill(mutant, at, Math.min(at + 4, whole.length), (byte) -(i % 4 / 2));
        }
        Allocation.accepts(
            bytes -> JournalRecord.decode(encoded.type(), 1, ByteBuffer.wrap(bytes)),
            mutant,
            64,
            "a record of type " + encoded.type());
      }
    }
  }

  private static byte[] bytes(JournalRecord.Encoded encoded) {
    byte[] bytes = new byte[encoded.payload().remaining()];
    encoded.payload().duplicate().get(bytes);
    return bytes;
  }
}
