package dev.contextd.storage.disk;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the system says of a few names at a time: what is called for each few is compiled long
 * before a loop around all of them would be.
 */
final class LinuxAnswers {
  /** So many names are looked at with one call. */
  static final int MOST = 64;

  private final MemorySegment buffer;

  /** Of each name in turn the {@value LinuxStat#WORDS} numbers that {@link LinuxStat} reads. */
  final long[] words = new long[MOST * LinuxStat.WORDS];

  /** Whether a name could be looked at; what else is said of it counts only then. */
  final boolean[] isAnswered = new boolean[MOST];

  LinuxAnswers(Arena arena) {
    this.buffer = arena.allocate(JAVA_LONG, (long) MOST * LinuxStat.WORDS);
  }

  /**
   * Looks at names in an open folder.
   *
   * @param address from which on they lie
   * @param starts where each of them begins there
   * @param from the first that is looked at
   * @param count how many are, at most {@value #MOST}
   */
  void ask(LinuxFolder.Open folder, long address, int[] starts, int from, int count) {
    for (int i = 0; i < count; i++) {
      long answer = buffer.address() + (long) i * LinuxStat.WORDS * Long.BYTES;
      isAnswered[i] = folder.look(address + starts[from + i], answer);
    }
    MemorySegment.copy(buffer, JAVA_LONG, 0, words, 0, count * LinuxStat.WORDS);
  }
}
