package dev.contextd.storage.disk;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** Linux's {@code syncfs(2)}: makes a whole file system durable in one call. */
record SyncFs(MethodHandle syncfs) {

  /** Made on first use: linking costs a start several hundredths of a second. */
  static final SyncFs INSTANCE = new SyncFs(Libc.function("syncfs"));

  void call(Path root) throws IOException {
    int file = open(root);
    try {
      sync(root, file);
    } finally {
      close(file);
    }
  }

  int open(Path root) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Libc.state(arena);
      int file = Libc.open(arena, state, root, Libc.O_RDONLY | Libc.O_CLOEXEC, 0);
      if (file < 0) {
        throw new IOException(root + " cannot be opened to be synced: " + Libc.reason(state));
      }
      return file;
    }
  }

  void sync(Path root, int file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Libc.state(arena);
      if ((int) Libc.call(() -> (long) syncfs.invokeExact(state, (long) file, 0L, 0L, 0L, 0L))
          != 0) {
        throw new IOException("syncing the disk of " + root + " failed: " + Libc.reason(state));
      }
    }
  }

  void close(int file) {
    Libc.close(file);
  }
}
