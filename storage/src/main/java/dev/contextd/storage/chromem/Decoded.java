package dev.contextd.storage.chromem;

/**
 * A value read from a file, with what the reading noticed.
 *
 * @param hash {@code hex(sha256(name)[0..4])} of the bytes of its id or name, as they stand
 * @param exactText false where a string held bytes that are not UTF-8 and was altered by decoding
 * @param trailingBytes bytes behind the value, which Go ignores
 */
public record Decoded<T>(T value, String hash, boolean exactText, int trailingBytes) {

  /** Whether its id or name came through decoding unaltered, other text beside it or not. */
  public boolean isExact(String name) {
    return exactText || hash.equals(Names.hash(name));
  }
}
