package dev.contextd.crash;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Random;

/** What can happen to one thing in a store's folder. */
enum Fault {
  GONE,
  CUT,
  EMPTY,
  BIT_TURNED,
  GARBAGE,
  A_FOLDER,
  A_DANGLING_LINK,
  HUGE_LENGTH,

  /** The metadata files of two collections have changed places. */
  METADATA_SWAPPED,

  /** The folder of a collection has another name. */
  FOLDER_RENAMED;

  private static final int LONGEST_GARBAGE = 2_000;

  /** A gob length of eight bytes that no file holds. */
  private static final byte[] HUGE = {(byte) 0xf8, 0x7f, -1, -1, -1, -1, -1, -1, -1};

  /** Whether what is left may look like the real thing. */
  boolean mayBePlausible() {
    return this == BIT_TURNED || this == HUGE_LENGTH;
  }

  /** Whether it befalls one file alone. */
  boolean isOfOneFile() {
    return this != METADATA_SWAPPED && this != FOLDER_RENAMED;
  }

  /** Strikes one file; what is left of it keeps its time, as with a disk that rots. */
  void strike(Path file, Random random) throws IOException {
    FileTime time = Files.getLastModifiedTime(file);
    byte[] bytes = Files.readAllBytes(file);
    switch (this) {
      case GONE -> Files.delete(file);
      case CUT -> Files.write(file, Arrays.copyOf(bytes, place(bytes, random)));
      case EMPTY -> Files.write(file, new byte[0]);
      case BIT_TURNED -> Files.write(file, turned(bytes, random));
      case GARBAGE -> Files.write(file, garbage(random));
      case HUGE_LENGTH -> Files.write(file, huge(bytes, random));
      case A_FOLDER -> {
        Files.delete(file);
        Files.createDirectory(file);
      }
      case A_DANGLING_LINK -> {
        Files.delete(file);
        Files.createSymbolicLink(file, Path.of("nowhere"));
      }
      case METADATA_SWAPPED, FOLDER_RENAMED -> throw new AssertionError("of more than one file");
    }
    if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      Files.setLastModifiedTime(file, time);
    }
  }

  private static int place(byte[] bytes, Random random) {
    return bytes.length == 0 ? 0 : random.nextInt(bytes.length);
  }

  private static byte[] turned(byte[] bytes, Random random) {
    byte[] copy = bytes.clone();
    if (copy.length > 0) {
      copy[place(bytes, random)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
    }
    return copy;
  }

  private static byte[] garbage(Random random) {
    byte[] garbage = new byte[random.nextInt(1, LONGEST_GARBAGE)];
    random.nextBytes(garbage);
    return garbage;
  }

  private static byte[] huge(byte[] bytes, Random random) {
    byte[] copy = bytes.clone();
    int at = place(bytes, random);
    System.arraycopy(HUGE, 0, copy, at, Math.min(HUGE.length, copy.length - at));
    return copy;
  }
}
