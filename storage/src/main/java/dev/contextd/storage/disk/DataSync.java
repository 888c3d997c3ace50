package dev.contextd.storage.disk;

import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Linux's fdatasync(2) for a file that is no channel: it makes the file's bytes and its size
 * durable, and leaves out the time of the last change, which costs the disk a second write where
 * the size is as it was. Java has that call for channels alone, which an interrupt closes.
 *
 * <p>It has a descriptor of its own, to which the system tells every failed write to the file since
 * it was opened. Whoever writes to the file opens {@link #file}, so that both are the same one,
 * whatever happens to the name meanwhile.
 */
final class DataSync implements Closeable {
  private static final int CLOSED = -1;

  /** Linked on first use: it costs a start several hundredths of a second. */
  private static final class Linked {
    static final MethodHandle FDATASYNC = Libc.function("fdatasync");
  }

  private final Path path;
  private final AtomicInteger descriptor;

  private DataSync(Path path, int descriptor) {
    this.path = path;
    this.descriptor = new AtomicInteger(descriptor);
  }

  /**
   * Opens a file that is there.
   *
   * @return null where that cannot be done here, as where too many files are open
   */
  static @Nullable DataSync open(Path path) {
    if (!LinuxFiles.isForUs(path)) {
      return null;
    }
    int opened;
    try (Arena arena = Arena.ofConfined()) {
      Path whole = path.toAbsolutePath();
      opened = Libc.open(arena, Libc.state(arena), whole, Libc.O_WRONLY | Libc.O_CLOEXEC, 0);
    }
    return opened < 0 ? null : new DataSync(path, opened);
  }

  /** The open file by a name that is nobody else's as long as this is not closed. */
  File file() {
    return new File("/proc/self/fd/" + descriptor.get());
  }

  /**
   * Makes what was written to the file durable.
   *
   * @throws IOException where it may not be, or this is closed
   */
  void call() throws IOException {
    int open = descriptor.get();
    if (open == CLOSED) {
      throw new IOException(path + " is closed");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Libc.state(arena);
      long result =
          Libc.call(
              state,
              () -> (int) (long) Linked.FDATASYNC.invokeExact(state, (long) open, 0L, 0L, 0L, 0L));
      if (result != 0) {
        throw new IOException(path + " cannot be synced: " + Libc.reason(state));
      }
    }
  }

  /** Closes the descriptor, once: its number may be another file's afterwards. */
  @Override
  public void close() {
    int open = descriptor.getAndSet(CLOSED);
    if (open != CLOSED) {
      Libc.close(open);
    }
  }
}
