package dev.contextd.storage.folder;

import dev.contextd.storage.chromem.ContentSum;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.SortedMap;

/** A SHA-256 as the audit log writes it, with what it is taken of before it. */
public final class Checksum {
  private Checksum() {}

  /** Of a file's bytes. */
  public static String ofFile(String sha256) {
    return "file:" + sha256;
  }

  /** Of the lines that {@code sha256sum *} prints in the folder. */
  static String ofFolder(String sha256) {
    return "folder:" + sha256;
  }

  /** Of documents, see {@link ContentSum#of(Iterable)}. */
  public static String of(Iterable<StoredDocument> documents) {
    return "documents:" + ContentSum.of(documents);
  }

  /**
   * Of several files, of which CRC32C is known by their names: of the lines {@code <crc, 8 hex
   * digits> <name>}.
   */
  public static String ofFiles(SortedMap<String, Integer> crcs) {
    MessageDigest lines = Names.sha256();
    HexFormat hex = HexFormat.of();
    crcs.forEach((name, crc) ->
        lines.update((hex.toHexDigits(crc) + "  " + name + "\n").getBytes(StandardCharsets.UTF_8)));
    return "files:" + hex.formatHex(lines.digest());
  }

  /** Of a document, see {@link ContentSum#of(StoredDocument)}. */
  public static String of(StoredDocument document) {
    return "document:" + ContentSum.of(document);
  }

  /** Of a collection's metadata, see {@link ContentSum#of(StoredCollection)}. */
  public static String of(StoredCollection collection) {
    return "metadata:" + ContentSum.of(collection);
  }
}
