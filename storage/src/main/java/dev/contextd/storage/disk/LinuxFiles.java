package dev.contextd.storage.disk;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
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

  private static final int TMPFILE_FLAG = 0x400000;
  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_FOLLOW = 0x400;
  private static final int MODE_0600 = 0x180;

  private static final boolean IS_UTF_8 =
      Charset.forName(System.getProperty("sun.jnu.encoding", "US-ASCII"), StandardCharsets.US_ASCII)
          .equals(StandardCharsets.UTF_8);

  /** Made on first use: linking costs a start several hundredths of a second. */
  private static final class Linked {
    static final Optional<LinuxFiles> FILES = link();
  }

  private final int directoryFlag;
  private final MethodHandle write;
  private final LinuxStat stat;
  private final MethodHandle linkat;

  private LinuxFiles(int directoryFlag, LinuxStat stat) {
    this.directoryFlag = directoryFlag;
    this.stat = stat;
    this.write =
        Libc.function("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    this.linkat =
        Libc.function(
            "linkat",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT));
  }

  /** Empty where the system is another one, or its C library an old one. */
  static Optional<LinuxFiles> find() {
    return Linked.FILES;
  }

  private static Optional<LinuxFiles> link() {
    return directoryFlag()
        .flatMap(flag -> LinuxStat.find().map(stat -> new LinuxFiles(flag, stat)));
  }

  /** O_DIRECTORY; empty on a processor of which it is not known. */
  static Optional<Integer> directoryFlag() {
    return Optional.ofNullable(DIRECTORY_FLAG.get(System.getProperty("os.arch", "")));
  }

  /** Whether the bytes of a path are those of its characters. */
  static boolean isForUs(Path path) {
    String text = path.toString();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == 0 || (c >= 0x80 && (!IS_UTF_8 || c == 0xfffd))) {
        return false;
      }
    }
    return true;
  }

  private static IOException failed(Path file, String what, MemorySegment state) {
    return new FileSystemException(file.toString(), null, what + ": " + Libc.reason(state));
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
      MemorySegment state = Libc.state(arena);
      int flags = Libc.O_WRONLY | Libc.O_CLOEXEC | TMPFILE_FLAG | directoryFlag;
      int fd = Libc.open(arena, state, folder, flags, MODE_0600);
      if (fd < 0) {
        int errno = Libc.errno(state);
        if (errno == Libc.EOPNOTSUPP || errno == Libc.EISDIR || errno == Libc.EINVAL) {
          return null;
        }
        throw failed(file, "it cannot be created", state);
      }
      try {
        write(arena, state, fd, file, content);
        FileCalls.Stat created = stat.ofOpenFile(arena, fd);
        if (created == null) {
          throw new FileSystemException(file.toString(), null, "it cannot be looked at");
        }
        return name(arena, state, fd, file) ? created : null;
      } finally {
        Libc.close(state, fd);
      }
    }
  }

  private void write(Arena arena, MemorySegment state, int fd, Path file, byte[] content)
      throws IOException {
    MemorySegment bytes = arena.allocateFrom(JAVA_BYTE, content);
    long done = 0;
    while (done < content.length) {
      MemorySegment rest = bytes.asSlice(done);
      long written =
          Libc.call(state, () -> (long) write.invokeExact(state, fd, rest, rest.byteSize()));
      if (written < 0) {
        throw failed(file, "it cannot be written", state);
      }
      done += written;
    }
  }

  /** False where the system does not show open files by number. */
  private boolean name(Arena arena, MemorySegment state, int fd, Path file) throws IOException {
    MemorySegment unnamed = arena.allocateFrom("/proc/self/fd/" + fd);
    MemorySegment name = arena.allocateFrom(file.toString());
    long result =
        Libc.call(
            state,
            () ->
                (int)
                    linkat.invokeExact(
                        state, AT_FDCWD, unnamed, AT_FDCWD, name, AT_SYMLINK_FOLLOW));
    if (result == 0) {
      return true;
    }
    int errno = Libc.errno(state);
    if (errno == Libc.EEXIST) {
      throw new FileAlreadyExistsException(file.toString());
    }
    if (errno == Libc.ENOENT) {
      return false;
    }
    throw failed(file, "it cannot be named", state);
  }
}
