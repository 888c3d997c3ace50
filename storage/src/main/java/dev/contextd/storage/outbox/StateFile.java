package dev.contextd.storage.outbox;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * A small file that is replaced whole: a magic number and a version in front, a CRC32C of all that
 * behind.
 *
 * @param magic the first 8 bytes
 * @param version the only one that is read
 * @param what it is, for people
 */
record StateFile(long magic, int version, String what) {
  private static final int HEAD_BYTES = Long.BYTES + Integer.BYTES;

  /** What was found in its place. */
  sealed interface Found<T> {
    record Intact<T>(T state) implements Found<T> {}

    record Absent<T>() implements Found<T> {}

    record Damaged<T>(String reason) implements Found<T> {}

    /** Written by a later version: nothing may be touched. */
    record OtherVersion<T>(int version) implements Found<T> {}
  }

  /** Reads what stands between the head and the checksum, all of it. */
  interface Body<T> {
    T read(BinaryReader in) throws FormatException;
  }

  /**
   * Reads the file.
   *
   * @throws IOException where it is there and cannot be opened, which says nothing about it
   */
  <T> Found<T> read(Disk disk, Path file, Body<T> body) throws IOException {
    if (!disk.exists(file)) {
      return new Found.Absent<>();
    }
    if (disk.kind(file) != Disk.Kind.FILE) {
      return new Found.Damaged<>("it is no file");
    }
    try {
      return decode(disk.read(file), body);
    } catch (FormatException e) {
      return new Found.Damaged<>(e.reason());
    }
  }

  private <T> Found<T> decode(byte[] content, Body<T> body) throws FormatException {
    ByteBuffer bytes = ByteBuffer.wrap(content);
    if (content.length < HEAD_BYTES + Integer.BYTES) {
      throw new FormatException("expected " + what + ", found " + content.length + " bytes");
    }
    int end = content.length - Integer.BYTES;
    BinaryReader in = new BinaryReader(bytes.duplicate().limit(end));
    int expected = new BinaryReader(bytes.duplicate().position(end)).u32();
    if (in.u64() != magic || expected != Crc32c.of(bytes.duplicate().limit(end))) {
      throw new FormatException("its checksum is wrong");
    }
    int found = in.u32();
    if (found != version) {
      return new Found.OtherVersion<>(found);
    }
    T state = body.read(in);
    in.end();
    return new Found.Intact<>(state);
  }

  /** The head, behind which the body is written. */
  BinaryWriter begin() {
    return new BinaryWriter().u64(magic).u32(version);
  }

  /** Replaces the file durably. */
  void write(Disk disk, Path file, BinaryWriter out) throws IOException {
    disk.createRealDirectory(file.resolveSibling(""));
    byte[] content = out.sealed();
    disk.replaceDurably(List.of(new Disk.Image(file, content)));
  }
}
