package dev.contextd.storage.journal;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.disk.FilesInMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.provider.MethodSource;

/** A journal's segment; the checksums are made right, so that the fuzzer comes behind them. */
class JournalFuzz {
  private static final Path DIRECTORY = Path.of("journal");
  private static final int SALT = 7;

  static List<byte[]> seeds() {
    List<JournalRecord> records =
        List.of(
            new JournalRecord.Created(7, "e9f85bf6", "name", Map.of("k", "v"), Compression.GZIP),
            Journals.record("a"),
            new JournalRecord.Voided(3, 4),
            new JournalRecord.Removed(7, List.of("a", "b")),
            new JournalRecord.Dropped(7));
    ByteBuffer segment = ByteBuffer.allocate(4_096).order(ByteOrder.LITTLE_ENDIAN);
    segment.put(Segment.head(1, SALT));
    long[] sequences = {1, 2, 4, 5, 6};
    for (int i = 0; i < records.size(); i++) {
      JournalRecord.Encoded record = JournalRecord.encode(records.get(i));
      int crc = Crc32c.of(record.payload());
      segment.put(Segment.recordHead(record, SALT, crc, sequences[i], i));
      segment.put(record.payload().duplicate());
    }
    return List.of(Arrays.copyOf(segment.array(), segment.position()));
  }

  @MethodSource("seeds")
  @FuzzTest
  void aSegmentIsReplayedInOrderOrCut(byte[] segment) throws IOException {
    byte[] mended = mended(segment);
    for (byte[] bytes : List.of(segment, mended)) {
      FilesInMemory disk = new FilesInMemory(DIRECTORY, Map.of(Segment.name(1), bytes));
      JournalReplay replay = JournalReplay.read(disk, DIRECTORY, 0, 0);
      long before = 0;
      for (JournalReplay.Entry entry : replay.entries()) {
        if (entry.sequence() <= before || entry.record() instanceof JournalRecord.Voided) {
          throw new AssertionError("replayed " + entry.sequence() + " behind " + before);
        }
        before = entry.sequence();
      }
    }
  }

  /** The same bytes with every checksum right, as far as the lengths lead. */
  private static byte[] mended(byte[] segment) {
    byte[] mended = Arrays.copyOf(segment, Math.max(segment.length, Segment.HEAD_BYTES));
    ByteBuffer bytes = ByteBuffer.wrap(mended).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(0, Segment.head(1, SALT), 0, Segment.HEAD_BYTES);
    int at = Segment.HEAD_BYTES;
    while (at >= 0 && at <= mended.length - Segment.RECORD_HEAD_BYTES) {
      int body = at + Segment.RECORD_HEAD_BYTES;
      int length = Math.clamp(bytes.getInt(at + 4), 0, mended.length - body);
      JournalRecord.Encoded record =
          new JournalRecord.Encoded(
              bytes.getInt(at + 32), bytes.getLong(at + 24), bytes.slice(body, length));
      ByteBuffer head =
          Segment.recordHead(
              record,
              SALT,
              Crc32c.of(record.payload()),
              bytes.getLong(at + 8),
              bytes.getLong(at + 16));
      bytes.put(at, head, 0, Segment.RECORD_HEAD_BYTES);
      at = body + length;
    }
    return mended;
  }
}
