package dev.contextd.storage.disk;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What Linux does with files and Java has no words for: a file that gets its name when all of its
 * content is in it ({@code O_TMPFILE} of open(2), and linkat(2)).
 *
 * <p>Layouts and numbers are those of the manual pages, for the 64-bit systems of {@link
 * #DIRECTORY_FLAG}.
 */
final class LinuxFiles {
  /** O_DIRECTORY, which differs by processor. */
  private static final Map<String, Integer> DIRECTORY_FLAG =
      Map.of("amd64", 0x10000, "aarch64", 0x4000);

  private static final int O_WRONLY = 1;
  private static final int O_CLOEXEC = 0x80000;
  private static final int TMPFILE_FLAG = 0x400000;
  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_FOLLOW = 0x400;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int MODE_0600 = 0x180;

  /** STATX_MTIME, STATX_INO and STATX_SIZE. */
  private static final int STATX_MASK = 0x40 | 0x100 | 0x200;

  private static final int STATX_BYTES = 256;
  private static final int STATX_INO = 32;
  private static final int STATX_SIZE = 40;
  private static final int STATX_SECONDS = 112;
  private static final int STATX_NANOS = 120;
  private static final int STATX_DEVICE_MAJOR = 136;
  private static final int STATX_DEVICE_MINOR = 140;
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private static final int ENOENT = 2;
  private static final int EINTR = 4;
  private static final int EEXIST = 17;
  private static final int EISDIR = 21;
  private static final int EINVAL = 22;
  private static final int EOPNOTSUPP = 95;

  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final boolean IS_UTF_8 =
      Charset.forName(System.getProperty("sun.jnu.encoding", "US-ASCII"), StandardCharsets.US_ASCII)
          .equals(StandardCharsets.UTF_8);

  /** Made on first use: linking costs a start several hundredths of a second. */
  private static final class Linked {
    static final Optional<LinuxFiles> FILES = link();
  }

  private final int directoryFlag;
  private final MethodHandle open;
  private final MethodHandle write;
  private final MethodHandle statx;
  private final MethodHandle linkat;
  private final MethodHandle close;

  private LinuxFiles(int directoryFlag, SymbolLookup libc) {
    this.directoryFlag = directoryFlag;
    this.open =
        handle(
            libc,
            "open",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    this.write =
        handle(libc, "write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    this.statx =
        handle(
            libc,
            "statx",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));
    this.linkat =
        handle(
            libc,
            "linkat",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT));
    this.close = handle(libc, "close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  }

  @SuppressWarnings("restricted") // libc, with the types of its manual pages
  private static MethodHandle handle(
      SymbolLookup libc, String name, FunctionDescriptor type, Linker.Option... more) {
    Linker.Option[] options = Arrays.copyOf(more, more.length + 1);
    options[more.length] = Linker.Option.captureCallState("errno");
    return Linker.nativeLinker().downcallHandle(libc.findOrThrow(name), type, options);
  }

  /** Empty where the system is another one, or its C library an old one. */
  static Optional<LinuxFiles> find() {
    return Linked.FILES;
  }

  private static Optional<LinuxFiles> link() {
    Integer flag = DIRECTORY_FLAG.get(System.getProperty("os.arch", ""));
    SymbolLookup libc = Linker.nativeLinker().defaultLookup();
    boolean isComplete = libc.find("statx").isPresent();
    return flag != null && isComplete ? Optional.of(new LinuxFiles(flag, libc)) : Optional.empty();
  }

  /** A native call, and what it leaves in {@code errno}. */
  @FunctionalInterface
  private interface Call {
    long make() throws Throwable;
  }

  /** Repeats a call that a signal cut short. */
  private static long call(MemorySegment state, Call call) {
    try {
      long result;
      do {
        result = call.make();
      } while (result < 0 && errno(state) == EINTR);
      return result;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native call failed", e);
    }
  }

  private static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  /** Whether the bytes of a path are those of its characters. */
  private static boolean isForUs(Path path) {
    return path.toString().chars().allMatch(c -> c > 0 && (c < 0x80 || (IS_UTF_8 && c != 0xfffd)));
  }

  private static IOException failed(Path file, String what, int errno) {
    return new FileSystemException(file.toString(), null, what + ": " + Errno.text(errno));
  }

  /**
   * Creates a file with all of its content, or none.
   *
   * @return null where the file system cannot
   * @throws FileAlreadyExistsException where something bears the name
   */
  FileCalls.@Nullable Stat create(Path file, byte[] content) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null || !isForUs(file)) {
      return null;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment path = arena.allocateFrom(folder.toString());
      int flags = O_WRONLY | O_CLOEXEC | TMPFILE_FLAG | directoryFlag;
      int fd = (int) call(state, () -> (int) open.invokeExact(state, path, flags, MODE_0600));
      if (fd < 0) {
        int errno = errno(state);
        if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
          return null;
        }
        throw failed(file, "it cannot be created", errno);
      }
      try {
        write(arena, state, fd, file, content);
        MemorySegment stat = stat(arena, state, fd, file);
        return name(arena, state, fd, file) ? stat(stat) : null;
      } finally {
        call(state, () -> (int) close.invokeExact(state, fd));
      }
    }
  }

  private void write(Arena arena, MemorySegment state, int fd, Path file, byte[] content)
      throws IOException {
    MemorySegment bytes = arena.allocateFrom(JAVA_BYTE, content);
    long done = 0;
    while (done < content.length) {
      MemorySegment rest = bytes.asSlice(done);
      long written = call(state, () -> (long) write.invokeExact(state, fd, rest, rest.byteSize()));
      if (written < 0) {
        throw failed(file, "it cannot be written", errno(state));
      }
      done += written;
    }
  }

  private MemorySegment stat(Arena arena, MemorySegment state, int fd, Path file)
      throws IOException {
    MemorySegment stat = arena.allocate(STATX_BYTES, Long.BYTES);
    MemorySegment empty = arena.allocateFrom("");
    long result =
        call(
            state,
            () -> (int) statx.invokeExact(state, fd, empty, AT_EMPTY_PATH, STATX_MASK, stat));
    if (result != 0) {
      throw failed(file, "it cannot be looked at", errno(state));
    }
    return stat;
  }

  /** False where the system does not show open files by number. */
  private boolean name(Arena arena, MemorySegment state, int fd, Path file) throws IOException {
    MemorySegment unnamed = arena.allocateFrom("/proc/self/fd/" + fd);
    MemorySegment name = arena.allocateFrom(file.toString());
    long result =
        call(
            state,
            () ->
                (int)
                    linkat.invokeExact(
                        state, AT_FDCWD, unnamed, AT_FDCWD, name, AT_SYMLINK_FOLLOW));
    if (result == 0) {
      return true;
    }
    int errno = errno(state);
    if (errno == EEXIST) {
      throw new FileAlreadyExistsException(file.toString());
    }
    if (errno == ENOENT) {
      return false;
    }
    throw failed(file, "it cannot be named", errno);
  }

  private static FileCalls.Stat stat(MemorySegment stat) {
    long major = Integer.toUnsignedLong(stat.get(JAVA_INT, STATX_DEVICE_MAJOR));
    long minor = Integer.toUnsignedLong(stat.get(JAVA_INT, STATX_DEVICE_MINOR));
    // One number as makedev(3) makes it, and the text that Java has for a file's key.
    long device =
        (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffL) << 12 | (major & ~0xfffL) << 32;
    String identity =
        "(dev=" + Long.toHexString(device) + ",ino=" + stat.get(JAVA_LONG, STATX_INO) + ")";
    return new FileCalls.Stat(
        Disk.Kind.FILE, stat.get(JAVA_LONG, STATX_SIZE), modifiedNanos(stat), identity);
  }

  private static long modifiedNanos(MemorySegment stat) {
    return stat.get(JAVA_LONG, STATX_SECONDS) * NANOS_PER_SECOND + stat.get(JAVA_INT, STATX_NANOS);
  }
}
