package dev.contextd.storage.disk;

import java.io.IOException;
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
 * Small files, whole, in as few calls as Linux has, and one that Java has no words for: a file that
 * gets its name when all of its content is in it ({@code O_TMPFILE} of open(2), and linkat(2)).
 *
 * <p>Layouts and numbers are those of the manual pages, for the 64-bit systems of {@link #NUMBERS}.
 * Pointers are passed as numbers, see {@link Scratch}.
 */
final class LinuxFiles {
  /** Flags of open(2) that differ by processor. */
  private record Numbers(int directory, int noFollow) {}

  private static final Map<String, Numbers> NUMBERS =
      Map.of("amd64", new Numbers(0x10000, 0x20000), "aarch64", new Numbers(0x4000, 0x8000));

  private static final int NON_BLOCK_FLAG = 0x800;
  private static final int TMPFILE_FLAG = 0x400000;
  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_FOLLOW = 0x400;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int MODE_0600 = 0x180;

  private static final boolean IS_UTF_8 =
      Charset.forName(System.getProperty("sun.jnu.encoding", "US-ASCII"), StandardCharsets.US_ASCII)
          .equals(StandardCharsets.UTF_8);

  /** Made on first use: linking costs a start several hundredths of a second. */
  private static final class Linked {
    static final Optional<LinuxFiles> FILES = link();
  }

  private final Numbers numbers;
  private final LinuxStat stat;
  private final MethodHandle read;
  private final MethodHandle write;
  private final MethodHandle linkat;

  /** Whether an open file gets its name without a walk to where the system shows open files. */
  private volatile boolean linksByNumber = true;

  private LinuxFiles(Numbers numbers, LinuxStat stat) {
    this.numbers = numbers;
    this.stat = stat;
    this.read = Libc.function("read");
    this.write = Libc.function("write");
    this.linkat = Libc.function("linkat");
  }

  /** Empty where the system is another one, or its C library an old one. */
  static Optional<LinuxFiles> find() {
    return Linked.FILES;
  }

  private static Optional<LinuxFiles> link() {
    return numbers()
        .flatMap(numbers -> LinuxStat.find().map(stat -> new LinuxFiles(numbers, stat)));
  }

  private static Optional<Numbers> numbers() {
    return Optional.ofNullable(NUMBERS.get(System.getProperty("os.arch", "")));
  }

  /** O_DIRECTORY; empty on a processor of which it is not known. */
  static Optional<Integer> directoryFlag() {
    return numbers().map(Numbers::directory);
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

  private static byte[] bytes(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static IOException failed(Path file, String what, Scratch scratch) {
    return new FileSystemException(file.toString(), null, what + ": " + Libc.reason(scratch.state));
  }

  /**
   * The content of a small regular file.
   *
   * @return null where it is none, or is larger, or a call fails: Java has the words then
   */
  byte @Nullable [] read(Path file) {
    if (!isForUs(file)) {
      return null;
    }
    try (Scratch scratch = Scratch.take()) {
      long path = scratch.path(bytes(file));
      // A FIFO would else wait for somebody to write into it.
      int flags = Libc.O_RDONLY | Libc.O_CLOEXEC | numbers.noFollow() | NON_BLOCK_FLAG;
      int fd = path == 0 ? -1 : Libc.open(scratch.state, path, flags, 0);
      if (fd < 0) {
        return null;
      }
      try {
        FileCalls.Stat found = stat.ofOpenFile(scratch, fd);
        if (found == null
            || found.kind() != Disk.Kind.FILE
            || found.size() > Scratch.CONTENT_BYTES) {
          return null;
        }
        return read(scratch, fd, (int) found.size());
      } finally {
        Libc.close(scratch.state, fd);
      }
    }
  }

  /** Fewer bytes where the file has become shorter. */
  private byte @Nullable [] read(Scratch scratch, int fd, int size) {
    int done = 0;
    while (done < size) {
      long target = scratch.content() + done;
      int rest = size - done;
      long count =
          Libc.call(
              scratch.state,
              () -> (long) read.invokeExact(scratch.state, (long) fd, target, (long) rest, 0L, 0L));
      if (count < 0) {
        return null;
      }
      if (count == 0) {
        break;
      }
      done += (int) count;
    }
    return scratch.got(done);
  }

  /**
   * Creates a file with all of its content, or none.
   *
   * @return null where the file system cannot
   * @throws FileAlreadyExistsException where something bears the name
   */
  FileCalls.@Nullable Stat create(Path file, byte[] content) throws IOException {
    Path whole = file.toAbsolutePath();
    if (!isForUs(whole)) {
      return null;
    }
    byte[] name = bytes(whole);
    int slash = name.length - 1;
    while (name[slash] != '/') {
      slash--;
    }
    if (slash == 0) {
      return null;
    }
    try (Scratch scratch = Scratch.take()) {
      long path = scratch.path(name);
      if (path == 0) {
        return null;
      }
      int flags = Libc.O_WRONLY | Libc.O_CLOEXEC | TMPFILE_FLAG | numbers.directory();
      int fd = Libc.open(scratch.state, scratch.folder(name, slash), flags, MODE_0600);
      if (fd < 0) {
        int errno = Libc.errno(scratch.state);
        if (errno == Libc.EOPNOTSUPP || errno == Libc.EISDIR || errno == Libc.EINVAL) {
          return null;
        }
        throw failed(file, "it cannot be created", scratch);
      }
      try {
        write(scratch, fd, file, content);
        FileCalls.Stat created = stat.ofOpenFile(scratch, fd);
        if (created == null) {
          throw new FileSystemException(file.toString(), null, "it cannot be looked at");
        }
        return name(scratch, fd, file, path) ? created : null;
      } finally {
        Libc.close(scratch.state, fd);
      }
    }
  }

  private boolean link(Scratch scratch, int folder, long from, long to, int flags) {
    long result =
        Libc.call(
            scratch.state,
            () ->
                (int)
                    (long)
                        linkat.invokeExact(
                            scratch.state, (long) folder, from, (long) AT_FDCWD, to, (long) flags));
    return result == 0;
  }

  private void write(Scratch scratch, int fd, Path file, byte[] content) throws IOException {
    int done = 0;
    while (done < content.length) {
      int count = Math.min(content.length - done, Scratch.CONTENT_BYTES);
      scratch.put(content, done, count);
      long source = scratch.content();
      // What one call does not take is handed to the next.
      long written =
          Libc.call(
              scratch.state,
              () ->
                  (long) write.invokeExact(scratch.state, (long) fd, source, (long) count, 0L, 0L));
      if (written < 0) {
        throw failed(file, "it cannot be written", scratch);
      }
      done += (int) written;
    }
  }

  /** False where the system does not show open files by number. */
  private boolean name(Scratch scratch, int fd, Path file, long path) throws IOException {
    if (linksByNumber) {
      if (link(scratch, fd, LinuxStat.NO_NAME, path, AT_EMPTY_PATH)) {
        return true;
      }
      int errno = Libc.errno(scratch.state);
      if (errno != Libc.ENOENT && errno != Libc.EPERM) {
        throw notNamed(file, scratch);
      }
      linksByNumber = false; // Systems before 6.10 let root alone do it.
    }
    if (link(scratch, AT_FDCWD, scratch.descriptor(fd), path, AT_SYMLINK_FOLLOW)) {
      return true;
    }
    if (Libc.errno(scratch.state) == Libc.ENOENT) {
      return false;
    }
    throw notNamed(file, scratch);
  }

  private static IOException notNamed(Path file, Scratch scratch) {
    return Libc.errno(scratch.state) == Libc.EEXIST
        ? new FileAlreadyExistsException(file.toString())
        : failed(file, "it cannot be named", scratch);
  }
}
