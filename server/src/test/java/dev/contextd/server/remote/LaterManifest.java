package dev.contextd.server.remote;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/** A store's manifest as a later program would write it: the store is read-only while it is so. */
final class LaterManifest implements AutoCloseable {
  private static final int VERSION_AT = 8;
  private static final int LATER = 1_000;

  private final Path file;
  private final byte[] before;

  private LaterManifest(Path file, byte[] before) {
    this.file = file;
    this.before = before;
  }

  static LaterManifest in(Path root) throws IOException {
    Path file = root.resolve(".contextd/manifest");
    byte[] before = Files.readAllBytes(file);
    ByteBuffer later = ByteBuffer.wrap(before.clone()).order(ByteOrder.LITTLE_ENDIAN);
    int end = before.length - Integer.BYTES;
    later.putInt(VERSION_AT, LATER);
    CRC32C crc = new CRC32C();
    crc.update(later.duplicate().limit(end));
    Files.write(file, later.putInt(end, (int) crc.getValue()).array());
    return new LaterManifest(file, before);
  }

  @Override
  public void close() throws IOException {
    Files.write(file, before);
  }
}
