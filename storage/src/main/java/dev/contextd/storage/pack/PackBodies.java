package dev.contextd.storage.pack;

import static dev.contextd.storage.binary.LittleEndian.u32;
import static dev.contextd.storage.binary.LittleEndian.u64;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.KeyedHash;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.pack.PackReader.Body;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The bodies of some rows of a pack as they stand in it, verified when they were read, and decoded
 * one by one when somebody asks: most documents of a store that is opened are looked at much later,
 * or never, and their bytes take less memory than what is made of them.
 *
 * <p>Invariants: of a row that {@link #isWhole} every length lies within the row, its id is UTF-8,
 * and no key of its metadata stands there twice; nothing else is asked of a row that is not.
 */
public final class PackBodies {
  private static final int FLAGS_BYTES = 1;
  private static final int STATE_BYTES = 3 * Long.BYTES + Integer.BYTES;
  private static final int SIZE_AT = Long.BYTES;
  private static final int TIME_AT = 2 * Long.BYTES;
  private static final int CRC_AT = 3 * Long.BYTES;

  /** The least that a row takes: three lengths beside what every row has. */
  private static final int MIN_BYTES = FLAGS_BYTES + 3 * Integer.BYTES + STATE_BYTES;

  private static final int NOWHERE = -1;

  /** What holds all rows, or what holds each. */
  private final byte[][] pieces;

  /** Where each row begins. */
  private final int[] starts;

  /** Where the state of each row's file stands, with which the row ends. */
  private final int[] states;

  private final long[] fileKeys;

  private final BitSet whole = new BitSet();

  /** Rows whose vector has not unit length. */
  private final BitSet scaled = new BitSet();

  /**
   * @param rows that will be noted
   * @param pieces how many arrays they lie in
   */
  PackBodies(int rows, int pieces) {
    this.pieces = new byte[pieces == 1 ? 1 : rows][];
    this.starts = new int[rows];
    this.states = new int[rows];
    this.fileKeys = new long[rows];
  }

  /** Notes a row whose bytes are right; it is damaged all the same where they say nothing true. */
  void note(int row, byte[] bytes, int start, int end) {
    pieces[pieces.length == 1 ? 0 : row] = bytes;
    if (!isWhole(bytes, start, end)) {
      return;
    }
    whole.set(row);
    starts[row] = start;
    states[row] = end - STATE_BYTES;
    fileKeys[row] = u64(bytes, end - STATE_BYTES);
    if ((bytes[start] & PackFormat.UNIT_LENGTH) == 0) {
      scaled.set(row);
    }
  }

  private static boolean isWhole(byte[] bytes, int start, int end) {
    if (end - start < MIN_BYTES) {
      return false;
    }
    int limit = end - STATE_BYTES;
    int id = start + FLAGS_BYTES;
    int content = afterString(bytes, id, limit);
    int at = afterString(bytes, content, limit);
    if (at < 0 || limit - at < Integer.BYTES || !isUtf8(bytes, id + Integer.BYTES, content)) {
      return false;
    }
    int map = at;
    int entries = u32(bytes, map) - 1;
    int before = NOWHERE;
    at += Integer.BYTES;
    for (int i = 0; i < entries && at >= 0; i++) {
      int key = at;
      at = afterString(bytes, key, limit);
      // Keys in disorder may stand there twice, and those of other bytes may be alike when decoded.
      if (!isAscii(bytes, key + Integer.BYTES, at) || (at >= 0 && !isBefore(bytes, before, key))) {
        return isMap(bytes, map, limit);
      }
      before = key;
      at = afterString(bytes, at, limit);
    }
    return entries >= -1 && at == limit;
  }

  /** Ids are compared by their bytes: two that differ must not be alike when they are decoded. */
  private static boolean isUtf8(byte[] bytes, int from, int to) {
    if (isAscii(bytes, from, to)) {
      return true;
    }
    byte[] again =
        new String(bytes, from, to - from, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8);
    return Arrays.equals(again, 0, again.length, bytes, from, to);
  }

  private static boolean isAscii(byte[] bytes, int from, int to) {
    for (int at = from; at < to; at++) {
      if (bytes[at] < 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean isMap(byte[] bytes, int from, int to) {
    try {
      BinaryReader in = new BinaryReader(ByteBuffer.wrap(bytes, from, to - from));
      in.map();
      in.end();
      return true;
    } catch (FormatException e) {
      return false;
    }
  }

  /** Where a string ends; negative where it does not end before the limit. */
  private static int afterString(byte[] bytes, int at, int limit) {
    if (at < 0 || limit - at < Integer.BYTES) {
      return NOWHERE;
    }
    int length = u32(bytes, at);
    return length < 0 || length > limit - at - Integer.BYTES
        ? NOWHERE
        : at + Integer.BYTES + length;
  }

  /** Whether the first of two whole strings of ASCII is the lesser; there may be no first one. */
  private static boolean isBefore(byte[] bytes, int a, int b) {
    if (a == NOWHERE) {
      return true;
    }
    int length = Math.min(u32(bytes, a), u32(bytes, b));
    for (int i = Integer.BYTES; i < Integer.BYTES + length; i++) {
      if (bytes[a + i] != bytes[b + i]) {
        return bytes[a + i] < bytes[b + i];
      }
    }
    return u32(bytes, a) < u32(bytes, b);
  }

  /** Whether two whole strings are the same. */
  private static boolean isSame(byte[] a, int aAt, byte[] b, int bAt) {
    int length = u32(a, aAt);
    int aFrom = aAt + Integer.BYTES;
    int bFrom = bAt + Integer.BYTES;
    return length == u32(b, bAt)
        && Arrays.equals(a, aFrom, aFrom + length, b, bFrom, bFrom + length);
  }

  /** How many rows there are, damaged ones included. */
  public int rows() {
    return starts.length;
  }

  /** The rows that can be read. */
  public BitSet whole() {
    BitSet rows = new BitSet(starts.length);
    rows.or(whole);
    return rows;
  }

  /** Whether a row can be read. */
  public boolean isWhole(int row) {
    return whole.get(row);
  }

  /** The first row from one on whose vector has not unit length; negative where there is none. */
  public int nextScaled(int from) {
    return scaled.nextSetBit(from);
  }

  public String id(int row) {
    return string(row, idAt(row));
  }

  public String content(int row) {
    return string(row, contentAt(row));
  }

  /** Null where the document's file has none. */
  public @Nullable Map<String, String> metadata(int row) {
    byte[] bytes = piece(row);
    int content = contentAt(row);
    int from = content + Integer.BYTES + u32(bytes, content);
    try {
      return new BinaryReader(ByteBuffer.wrap(bytes, from, states[row] - from)).map();
    } catch (FormatException e) {
      throw new IllegalStateException("a row that was whole is not", e);
    }
  }

  public FileState file(int row) {
    int crc = u32(piece(row), states[row] + CRC_AT);
    return new FileState(fileKey(row), fileSize(row), fileModifiedNanos(row), crc);
  }

  /** The {@link FileState#key} of the row's file. */
  public long fileKey(int row) {
    return fileKeys[row];
  }

  /** As {@link FileState#size} of the row's file. */
  public long fileSize(int row) {
    return u64(piece(row), states[row] + SIZE_AT);
  }

  /** As {@link FileState#modifiedNanos} of the row's file. */
  public long fileModifiedNanos(int row) {
    return u64(piece(row), states[row] + TIME_AT);
  }

  /** A row without its vector. */
  public Body body(int row) {
    return new Body(id(row), content(row), metadata(row), file(row), !scaled.get(row));
  }

  /** A number that rows of one id share. */
  public int idHash(int row) {
    byte[] bytes = piece(row);
    int id = idAt(row);
    return KeyedHash.of(bytes, id + Integer.BYTES, u32(bytes, id));
  }

  /** As {@link #idHash(int)} for an id. */
  public static int idHash(String id) {
    byte[] utf8 = id.getBytes(StandardCharsets.UTF_8);
    return KeyedHash.of(utf8, 0, utf8.length);
  }

  /** Whether two rows are of one id. */
  public boolean isSameId(int row, PackBodies other, int otherRow) {
    return isSame(piece(row), idAt(row), other.piece(otherRow), other.idAt(otherRow));
  }

  private byte[] piece(int row) {
    return pieces[pieces.length == 1 ? 0 : row];
  }

  private int idAt(int row) {
    if (!whole.get(row)) {
      throw new IllegalStateException("row " + row + " is damaged");
    }
    return starts[row] + FLAGS_BYTES;
  }

  private int contentAt(int row) {
    int id = idAt(row);
    return id + Integer.BYTES + u32(piece(row), id);
  }

  private String string(int row, int at) {
    byte[] bytes = piece(row);
    return new String(bytes, at + Integer.BYTES, u32(bytes, at), StandardCharsets.UTF_8);
  }
}
