package dev.contextd.storage.disk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * What Linux keeps of files in memory, and posix_fadvise(2), which frees it.
 *
 * <p>For what is written, synced and not read again soon: the next bytes come into the same memory,
 * which costs a tenth of memory that nobody has touched before.
 */
record PageCache(MethodHandle fadvise) {
  private static final int POSIX_FADV_DONTNEED = 4;

  /** Made on first use: linking costs a start several hundredths of a second. */
  static final PageCache INSTANCE = new PageCache(Libc.plainFunction("posix_fadvise"));

  /**
   * Frees the memory of a part that is on disk. An advice: where the file has gone, or the system
   * does not want to, nothing happens.
   */
  void free(Path file, long from, long to) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Libc.state(arena);
      int open = Libc.open(arena, state, file, Libc.O_RDONLY | Libc.O_CLOEXEC, 0);
      if (open < 0) {
        return;
      }
      try {
        Libc.call(() ->
            (long)
                fadvise.invokeExact((long) open, from, to - from, (long) POSIX_FADV_DONTNEED, 0L));
      } finally {
        Libc.close(state, open);
      }
    }
  }
}
