package dev.contextd.storage.binary;

/**
 * Numbers in an array, low bytes first, for loops that a young process runs over every document of
 * a store: what a buffer does for each of them takes many times as long until it is compiled.
 */
public final class LittleEndian {
  private LittleEndian() {}

  public static int u32(byte[] bytes, int at) {
    return (bytes[at] & 0xff)
        | (bytes[at + 1] & 0xff) << 8
        | (bytes[at + 2] & 0xff) << 16
        | bytes[at + 3] << 24;
  }

  public static long u64(byte[] bytes, int at) {
    return (u32(bytes, at) & 0xffff_ffffL) | (long) u32(bytes, at + Integer.BYTES) << Integer.SIZE;
  }
}
