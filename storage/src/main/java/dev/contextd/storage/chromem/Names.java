package dev.contextd.storage.chromem;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The names of folders and files: {@code hex(sha256(name)[0..4])}, for us with an optional {@code
 * -N} behind it, where two names share the hash.
 *
 * <pre>
 * e9f85bf6/            folder of the collection "contextd_memories"
 * e9f85bf6-1/          folder of another collection whose name has the same hash
 *   00000000.gob       metadata of the collection
 *   3af7a34d.gob       document "cp-000"
 *   3af7a34d-1.gob     another document whose id has the same hash
 *   00000000-1.gob     a document whose id hashes to zero
 * </pre>
 */
public final class Names {
  /** The hash that chromem-go reserves for a collection's metadata file. */
  public static final String METADATA_HASH = "00000000";

  /** Where quarantined things lie, below the root. */
  public static final String QUARANTINE = ".quarantine";

  /** Where everything else of ours lies, below the root. */
  public static final String PRIVATE = ".contextd";

  /** How many names may share one hash. */
  public static final int MAX_NAMESAKES = 9_999;

  private static final int HASH_BYTES = 4;

  /** How many characters a hash has. */
  static final int HASH_DIGITS = 2 * HASH_BYTES;

  private static final int DIGIT_BITS = 4;

  /** Nothing is ever put into it. */
  private static final MessageDigest UNUSED = newSha256();

  private static final Pattern STEM = Pattern.compile("([0-9a-f]{8})(-[1-9][0-9]{0,3})?");

  private Names() {}

  /** The 8 hexadecimal digits that name a collection's folder or a document's file. */
  public static String hash(String name) {
    return hash(name.getBytes(StandardCharsets.UTF_8));
  }

  static String hash(byte[] utf8) {
    return HexFormat.of().formatHex(sha256().digest(utf8), 0, HASH_BYTES);
  }

  /** A fresh digest. Asking Java for one by its name costs more than the digest of a name. */
  public static MessageDigest sha256() {
    try {
      return (MessageDigest) UNUSED.clone();
    } catch (CloneNotSupportedException e) {
      return newSha256();
    }
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** The number that a name's first eight characters write; negative where they are no hash. */
  public static long leadingHash(String name) {
    if (name.length() < HASH_DIGITS) {
      return -1;
    }
    long hash = 0;
    for (int i = 0; i < HASH_DIGITS; i++) {
      int digit = digit(name.charAt(i));
      if (digit < 0) {
        return -1;
      }
      hash = hash << DIGIT_BITS | digit;
    }
    return hash;
  }

  /**
   * As {@link #leadingHash(String)} of a name's first eight bytes as one number, the first byte the
   * lowest one: all eight at once, because a young process asks for every file of a store.
   */
  static long leadingHash(long text) {
    long nines =
        (text >>> 6) & 0x0101_0101_0101_0101L; // for a bit that letters have and digits lack
    long values = (text & 0x0f0f_0f0f_0f0f_0f0fL) + nines * 9; // "a" is 0x61, and stands for 10
    long letters =
        ((values + 0x0606_0606_0606_0606L) >>> 4) & 0x0101_0101_0101_0101L; // 10 and more
    long written = values + 0x3030_3030_3030_3030L + letters * ('a' - 10 - '0');
    if (written != text || (values & 0xf0f0_f0f0_f0f0_f0f0L) != 0) {
      return -1;
    }
    long hash = Long.reverseBytes(values);
    hash = (hash | hash >>> 4) & 0x00ff_00ff_00ff_00ffL;
    hash = (hash | hash >>> 8) & 0x0000_ffff_0000_ffffL;
    return (hash | hash >>> 16) & 0xffff_ffffL;
  }

  /** What a digit of a hash stands for; negative for every other character. */
  private static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  }

  /** Whether {@code stem} (a name without extension) is one that some hash may bear. */
  public static boolean isHashed(String stem) {
    return STEM.matcher(stem).matches();
  }

  /** Whether {@code stem} (a name without extension) is one that {@code hash} may bear. */
  public static boolean belongs(String stem, String hash) {
    return stem.startsWith(hash) && STEM.matcher(stem).matches();
  }

  /** The {@code n}th name for a hash: the hash itself for 0, {@code <hash>-n} above. */
  public static String namesake(String hash, int n) {
    return n == 0 ? hash : hash + "-" + n;
  }
}
