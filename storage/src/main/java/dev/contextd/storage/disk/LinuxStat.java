package dev.contextd.storage.disk;

import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Linux's statx(2), of which the layout and the numbers stand in its manual page.
 *
 * <p>Pointers are passed as numbers, and answers are read as arrays of {@value #WORDS} numbers of
 * 64 bits: a young process, which runs this for every file of a store, does many times as much for
 * a segment of memory. Both processors of {@link LinuxFiles} put the low bytes first.
 */
final class LinuxStat {
  /** Numbers in one answer. */
  static final int WORDS = 32;

  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;

  /** STATX_TYPE, STATX_MTIME, STATX_INO and STATX_SIZE. */
  private static final int MASK = 0x1 | 0x40 | 0x100 | 0x200;

  private static final int MODE_WORD = 3;
  private static final int INO_WORD = 4;
  private static final int SIZE_WORD = 5;
  private static final int SECONDS_WORD = 14;
  private static final int NANOS_WORD = 15;
  private static final int DEVICE_WORD = 17;
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private static final int S_IFMT = 0xf000;
  private static final int S_IFDIR = 0x4000;
  private static final int S_IFREG = 0x8000;
  private static final int S_IFLNK = 0xa000;

  /** Memory that is fresh holds zeros. */
  static final long NO_NAME = Arena.global().allocate(1).address();

  private static final class Found {
    static final Optional<LinuxStat> STAT =
        Libc.has("statx") ? Optional.of(new LinuxStat()) : Optional.empty();
  }

  /**
   * Made on first use: linking costs a start several hundredths of a second. A constant, so that no
   * call has to ask what it calls.
   */
  private static final class Linked {
    static final MethodHandle STATX = Libc.plainFunction("statx");
  }

  private LinuxStat() {}

  /** With the text that Java has for a file's key. */
  private record FileKey(long device, long inode) {
    @Override
    public String toString() {
      return "(dev=" + Long.toHexString(device) + ",ino=" + inode + ")";
    }
  }

  /** Empty where the C library has no such call. */
  static Optional<LinuxStat> find() {
    return Found.STAT;
  }

  /**
   * Looks at a name in an open folder, without following it.
   *
   * @param name the address of its bytes, behind which a zero stands
   * @param answer the address of {@value #WORDS} numbers
   * @return whether it could be looked at
   */
  boolean look(int folder, long name, long answer) {
    return look(folder, name, AT_SYMLINK_NOFOLLOW, answer);
  }

  private boolean look(int file, long name, int flags, long answer) {
    try {
      long result =
          (long) Linked.STATX.invokeExact((long) file, name, (long) flags, (long) MASK, answer);
      return (int) result == 0;
    } catch (Throwable e) {
      throw Libc.thrown(e);
    }
  }

  /** What an open file is; null where that cannot be told. */
  FileCalls.@Nullable Stat ofOpenFile(Scratch scratch, int file) {
    if (!look(file, NO_NAME, AT_EMPTY_PATH, scratch.answer())) {
      return null;
    }
    long[] words = scratch.words();
    long major = words[DEVICE_WORD] & 0xffff_ffffL;
    long minor = words[DEVICE_WORD] >>> Integer.SIZE;
    // One number as makedev(3) makes it.
    long device =
        (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffL) << 12 | (major & ~0xfffL) << 32;
    return new FileCalls.Stat(
        kind(words, 0),
        size(words, 0),
        modifiedNanos(words, 0),
        new FileKey(device, words[INO_WORD]));
  }

  /** What the answer says that begins at an index. */
  static Disk.Kind kind(long[] words, int at) {
    return switch (type(words, at)) {
      case S_IFREG -> Disk.Kind.FILE;
      case S_IFDIR -> Disk.Kind.DIRECTORY;
      case S_IFLNK -> Disk.Kind.SYMBOLIC_LINK;
      default -> Disk.Kind.OTHER;
    };
  }

  /** Whether {@link #kind} is that of a file. */
  static boolean isFile(long[] words, int at) {
    return type(words, at) == S_IFREG;
  }

  private static int type(long[] words, int at) {
    return (int) (words[at + MODE_WORD] >>> Integer.SIZE) & S_IFMT;
  }

  static long size(long[] words, int at) {
    return words[at + SIZE_WORD];
  }

  static long modifiedNanos(long[] words, int at) {
    return words[at + SECONDS_WORD] * NANOS_PER_SECOND + (int) words[at + NANOS_WORD];
  }
}
