package dev.contextd.storage.pack;

import java.util.Locale;

/**
 * The format of a pack, {@code .contextd/packs/<number, 16 hex digits>.pack}: documents of one
 * collection, immutable, little-endian.
 *
 * <pre>
 * head, 128 bytes: 8 bytes "CTXPACK" and a zero, u32 version 1, zeros
 * vectors       at 128; row after row, each stride * 4 bytes of float32 as stored, where stride is
 *               the dimension rounded up to 16; the rest of a row is zero
 * bodies        row after row: u8 flags (1: the vector has unit length), string id, string content,
 *               map metadata, u64 file key, u64 file size, u64 file time, u32 file CRC32C
 * directory     u64 for each row: the offset of its body in the file
 * tombstones    string for each: ids that are deleted, and that an older pack may hold
 * checksums     u32 for each 64 KiB of the vectors, then u32 for each 64 KiB of the bodies: CRC32C
 * foot, the last 128 bytes
 *     0  8 bytes  "CTXPACK" and a zero
 *     8  u32      version, 1
 *    12  u32      dimension, 0 where there are only tombstones
 *    16  u64      number of the pack
 *    24  u64      incarnation of the collection
 *    32  u32      rows
 *    36  u32      tombstones
 *    40  u64      offset of the bodies
 *    48  u64      offset of the directory
 *    56  u64      offset of the tombstones
 *    64  u64      offset of the checksums
 *    72  u64      offset of the foot
 *    80  u32      CRC32C of the directory
 *    84  u32      CRC32C of the tombstones
 *    88  u32      CRC32C of the checksums
 *    92  u32      CRC32C of the head
 *    96           zeros
 *   124  u32      CRC32C of bytes 0 to 123
 * </pre>
 *
 * <p>Packs of a collection are read in the order of the manifest; of two rows of one id the later
 * counts, and a pack's tombstones are applied after its rows.
 */
public final class PackFormat {
  /** Rows are padded to a multiple of so many floats. */
  public static final int STRIDE_FLOATS = 16;

  /** Rows that begin at a multiple of this begin a block of checksums too. */
  public static final int UNIT_ROWS = 4_096;

  static final int VERSION = 1;
  static final long MAGIC = 0x004B434150585443L;
  static final int HEAD_BYTES = 128;
  static final int FOOT_BYTES = 128;
  static final int BLOCK_BYTES = 64 << 10;
  static final int UNIT_LENGTH = 1;

  /** How far from 1 the length of a vector may be that counts as unit; chromem-go's figure. */
  private static final double UNIT_TOLERANCE = 1e-6;

  private PackFormat() {}

  public static String fileName(long number) {
    return "%016x.pack".formatted(number).toLowerCase(Locale.ROOT);
  }

  /** The length of a row, in floats. */
  public static int stride(int dimension) {
    return (dimension + STRIDE_FLOATS - 1) / STRIDE_FLOATS * STRIDE_FLOATS;
  }

  static long rowBytes(int dimension) {
    return (long) stride(dimension) * Float.BYTES;
  }

  static int blocks(long bytes) {
    return (int) ((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES);
  }

  /** Whether a vector counts as one of unit length. */
  public static boolean isUnit(float[] vector) {
    double square = 0;
    for (float value : vector) {
      square += (double) value * value;
    }
    return Math.abs(Math.sqrt(square) - 1) < UNIT_TOLERANCE;
  }
}
