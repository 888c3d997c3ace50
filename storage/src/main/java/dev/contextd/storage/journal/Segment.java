package dev.contextd.storage.journal;

import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The format of a journal's segment, {@code .contextd/journal/<first sequence, 16 hex digits>.log},
 * or the next number that is free, little-endian.
 *
 * <pre>
 * head, 32 bytes, twice: without it nothing of the segment can be read
 *    0  8 bytes  "CTXJRNL" and a zero
 *    8  u32      version, 1
 *   12  u32      zero
 *   16  u64      the first sequence that may stand in it
 *   24  u32      salt, a random number
 *   28  u32      CRC32C of bytes 0 to 27
 *
 * record, 48 bytes and the payload
 *    0  u32      0x31434552, "REC1"
 *    4  u32      n, the count of the payload's bytes, at most 256 MiB
 *    8  u64      sequence: rises by one from record to record; a Voided, which is written twice,
 *                bears the last one it voids
 *   16  u64      synced: every sequence up to this one was on disk, or void, when this was written
 *   24  u64      incarnation of the collection, 0 for none
 *   32  u32      type, see {@link JournalRecord}
 *   36  u32      CRC32C of the payload
 *   40  u32      zero
 *   44  u32      CRC32C of the salt and bytes 0 to 43
 *   48  n bytes  payload
 * </pre>
 *
 * <p>The salt keeps a document that holds the bytes of a record from being taken for one where
 * damage makes a reader search for the next record.
 */
final class Segment {
  static final int VERSION = 1;
  static final int HEAD_BYTES = 64;
  static final int RECORD_HEAD_BYTES = 48;
  static final int MARK = 0x31434552;

  private static final int HEAD_COPY_BYTES = 32;
  private static final long MAGIC = 0x004C4E524A585443L;
  private static final String EXTENSION = ".log";
  private static final Pattern NAME = Pattern.compile("[0-9a-f]{16}\\.log");
  private static final int HEXADECIMAL = 16;

  private Segment() {}

  static String name(long firstSequence) {
    return "%016x%s".formatted(firstSequence, EXTENSION).toLowerCase(Locale.ROOT);
  }

  /** The first sequence of a segment of this name; empty where it is no segment's. */
  static OptionalLong firstSequence(String name) {
    return NAME.matcher(name).matches()
        ? OptionalLong.of(Long.parseUnsignedLong(name.substring(0, HEXADECIMAL), HEXADECIMAL))
        : OptionalLong.empty();
  }

  /** The path of a segment of this name, or of the next number that is free. */
  static Path free(Disk disk, Path directory, long firstSequence) throws IOException {
    Path file = directory.resolve(name(firstSequence));
    for (long n = firstSequence; disk.exists(file); n++) {
      file = directory.resolve(name(n));
    }
    return file;
  }

  static ByteBuffer head(long firstSequence, int salt) {
    ByteBuffer head = ByteBuffer.allocate(HEAD_COPY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    head.putLong(MAGIC).putInt(VERSION).putInt(0).putLong(firstSequence).putInt(salt);
    head.putInt(Crc32c.of(head.duplicate().flip())).flip();
    return ByteBuffer.allocate(HEAD_BYTES).put(head.duplicate()).put(head).flip();
  }

  static ByteBuffer recordHead(
      JournalRecord.Encoded record, int salt, int crc, long sequence, long synced) {
    ByteBuffer head = ByteBuffer.allocate(RECORD_HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(MARK).putInt(record.payload().remaining()).putLong(sequence).putLong(synced);
    head.putLong(record.incarnation()).putInt(record.type()).putInt(crc);
    head.putInt(0);
    head.putInt(crc(salt, head.duplicate().flip()));
    return head.flip();
  }

  private static int crc(int salt, ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
      crc.update(salt >>> shift);
    }
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }

  /** What the first bytes of a segment say. */
  sealed interface Head {
    /** A segment that this version reads. */
    record Known(int salt) implements Head {}

    /** A segment of another version: nothing of it may be touched. */
    record OtherVersion(int version) implements Head {}

    /** Torn or damaged. */
    record Bad() implements Head {}
  }

  static Head readHead(ByteBuffer segment) {
    Head first = readHead(segment, 0);
    return first instanceof Head.Bad ? readHead(segment, HEAD_COPY_BYTES) : first;
  }

  private static Head readHead(ByteBuffer segment, int at) {
    if (segment.limit() < at + HEAD_COPY_BYTES
        || segment.getLong(at) != MAGIC
        || segment.getInt(at + 28) != Crc32c.of(segment.duplicate().position(at).limit(at + 28))) {
      return new Head.Bad();
    }
    int version = segment.getInt(at + 8);
    return version == VERSION
        ? new Head.Known(segment.getInt(at + 24))
        : new Head.OtherVersion(version);
  }

  /** A record's head whose checksum is right and whose payload fits and is whole. */
  record Frame(
      int offset, long sequence, long synced, long incarnation, int type, ByteBuffer payload) {
    int end() {
      return offset + RECORD_HEAD_BYTES + payload.remaining();
    }
  }

  /** The frame that begins at an offset; null where there is none that is whole. */
  static @Nullable Frame frame(ByteBuffer segment, int salt, int offset) {
    if (offset > segment.limit() - RECORD_HEAD_BYTES || segment.getInt(offset) != MARK) {
      return null;
    }
    int length = segment.getInt(offset + 4);
    int body = offset + RECORD_HEAD_BYTES;
    if (length < 0
        || length > JournalRecord.MAX_PAYLOAD_BYTES
        || length > segment.limit() - body
        || segment.getInt(offset + 44)
            != crc(salt, segment.duplicate().position(offset).limit(offset + 44))) {
      return null;
    }
    ByteBuffer payload = segment.duplicate().position(body).limit(body + length);
    if (Crc32c.of(payload) != segment.getInt(offset + 36)) {
      return null;
    }
    return new Frame(
        offset,
        segment.getLong(offset + 8),
        segment.getLong(offset + 16),
        segment.getLong(offset + 24),
        segment.getInt(offset + 32),
        payload.slice().order(ByteOrder.LITTLE_ENDIAN));
  }

  /** The offset of the next whole frame at or behind an offset; the limit where there is none. */
  static int resync(ByteBuffer segment, int salt, int offset) {
    for (int at = offset; at <= segment.limit() - RECORD_HEAD_BYTES; at++) {
      if (segment.getInt(at) == MARK && frame(segment, salt, at) != null) {
        return at;
      }
    }
    return segment.limit();
  }
}
