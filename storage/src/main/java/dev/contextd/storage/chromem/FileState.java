package dev.contextd.storage.chromem;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.binary.LittleEndian;
import dev.contextd.storage.gob.FormatException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * A gob file as we last knew it.
 *
 * @param key stands for the file's name, see {@link #key(String)}
 * @param size in bytes
 * @param modifiedNanos time of its last change, in nanoseconds since 1970
 * @param crc CRC32C of its bytes
 */
public record FileState(long key, long size, long modifiedNanos, int crc) {
  private static final int NAMESAKE_BITS = 16;

  /** The extensions and the zero behind them, the first byte the lowest one. */
  private static final long PLAIN = number(Compression.PLAIN.extension());

  private static final long ZIPPED = number(Compression.GZIP.extension());

  /** The bytes of {@link #PLAIN}: what follows them is nobody's. */
  private static final long PLAIN_MASK =
      -1L >>> (Long.SIZE - Byte.SIZE * (Compression.PLAIN.extension().length() + 1));

  /** Of a file that should be there and that nobody has looked at yet. */
  public static final FileState UNSEEN = new FileState(0, -1, -1, 0);

  /** Reads what {@link #write} wrote. */
  public static FileState read(BinaryReader in) throws FormatException {
    return new FileState(in.u64(), in.u64(), in.u64(), in.u32());
  }

  /** Writes {@code u64 key, u64 size, u64 time, u32 CRC32C}. */
  public void write(BinaryWriter out) {
    out.u64(key).u64(size).u64(modifiedNanos).u32(crc);
  }

  /**
   * A number for a name that a document's file may have: 32 bits of hash, 16 bits of {@code -N} (0
   * without), 1 bit that is set for {@code .gob.gz}. Empty for every other name.
   */
  public static OptionalLong key(String file) {
    Compression kind = Compression.ofFileName(file).orElse(null);
    if (kind == null) {
      return OptionalLong.empty();
    }
    int end = file.length() - kind.extension().length();
    long hash = Names.leadingHash(file);
    int namesake = end < Names.HASH_DIGITS || hash < 0 ? -1 : namesake(file, end);
    return namesake < 0
        ? OptionalLong.empty()
        : OptionalLong.of(
            (hash << NAMESAKE_BITS | namesake) << 1 | (kind == Compression.GZIP ? 1 : 0));
  }

  /**
   * As {@link #key(String)} of a name's bytes, for the names that nearly all documents' files have:
   * a hash that is not that of metadata, without {@code -N}. Negative for every other name.
   *
   * @param hash the first eight bytes as one number, the first byte the lowest one
   * @param extension the next eight, likewise
   */
  public static long key(long hash, long extension) {
    boolean isZipped = extension == ZIPPED;
    long number = isZipped || (extension & PLAIN_MASK) == PLAIN ? Names.leadingHash(hash) : -1;
    return number > 0 ? (number << (NAMESAKE_BITS + 1)) | (isZipped ? 1 : 0) : -1;
  }

  private static long number(String ascii) {
    return LittleEndian.u64(
        Arrays.copyOf(ascii.getBytes(StandardCharsets.US_ASCII), Long.BYTES), 0);
  }

  /** The N of {@code <hash>-N}, 0 for the hash alone, negative for another name. */
  private static int namesake(String file, int end) {
    if (end == Names.HASH_DIGITS) {
      return 0;
    }
    String hash = file.substring(0, Names.HASH_DIGITS);
    if (!Names.belongs(file.substring(0, end), hash)) {
      return -1;
    }
    return Integer.parseInt(file.substring(Names.HASH_DIGITS + 1, end));
  }

  /** The name that a key stands for. */
  public static String name(long key) {
    Compression kind = (key & 1) == 0 ? Compression.PLAIN : Compression.GZIP;
    int namesake = (int) (key >>> 1) & ((1 << NAMESAKE_BITS) - 1);
    String hash = Integer.toHexString((int) (key >>> (NAMESAKE_BITS + 1)));
    String padded = "0".repeat(Names.HASH_DIGITS - hash.length()) + hash;
    return Names.namesake(padded, namesake) + kind.extension();
  }

  /** The state of a file of which the content is at hand. */
  public static FileState of(String file, long size, long modifiedNanos, byte[] content) {
    int crc = Crc32c.of(ByteBuffer.wrap(content));
    return new FileState(key(file).orElseThrow(), size, modifiedNanos, crc);
  }

  /** The file's name. */
  public String name() {
    return name(key);
  }

  /** Whether the file's name says that it is compressed. */
  public boolean isZipped() {
    return (key & 1) != 0;
  }

  /** Whether the file was ever looked at. */
  public boolean isSeen() {
    return size >= 0;
  }

  /** Whether a file of this size and time may be taken for unchanged. */
  public boolean isUnchanged(long nowSize, long nowModifiedNanos) {
    return size == nowSize && modifiedNanos == nowModifiedNanos;
  }
}
