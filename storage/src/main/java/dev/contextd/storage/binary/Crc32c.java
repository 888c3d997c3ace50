package dev.contextd.storage.binary;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** The checksum of everything binary that is ours. */
public final class Crc32c {
  private Crc32c() {}

  /** Of what is left of a buffer, which stays where it is. */
  public static int of(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }
}
