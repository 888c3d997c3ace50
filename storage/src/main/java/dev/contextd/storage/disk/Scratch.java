package dev.contextd.storage.disk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Memory from which the system's calls read, and into which they answer, for one caller at a time.
 *
 * <p>There are as many as were ever in use at once, and they stay for ever: what is handed to a
 * call as a number has nothing to be asked first, nor to be kept alive.
 */
final class Scratch implements AutoCloseable {
  /** A path may take so many bytes, the zero behind it included: PATH_MAX. */
  static final int MAX_PATH_BYTES = 4 << 10;

  static final int CONTENT_BYTES = 64 << 10;
  private static final int DESCRIPTOR_BYTES = 32;

  private static final Queue<Scratch> FREE = new ConcurrentLinkedQueue<>();

  /** Where a call leaves why it failed. */
  final MemorySegment state = Libc.state(Arena.global());

  private final MemorySegment path = bytes(MAX_PATH_BYTES);
  private final MemorySegment folder = bytes(MAX_PATH_BYTES);
  private final MemorySegment descriptor = bytes(DESCRIPTOR_BYTES);
  private final MemorySegment answer = bytes(LinuxStat.WORDS * Long.BYTES);
  private final MemorySegment content = bytes(CONTENT_BYTES);
  private final long[] words = new long[LinuxStat.WORDS];

  private Scratch() {}

  private static MemorySegment bytes(int count) {
    return Arena.global().allocate(count, Long.BYTES);
  }

  static Scratch take() {
    Scratch free = FREE.poll();
    return free == null ? new Scratch() : free;
  }

  /** The address of a path's bytes, a zero behind them; 0 where they are too many. */
  long path(byte[] bytes) {
    return text(path, bytes, bytes.length);
  }

  /** The address of the first bytes of a path, a zero behind them. */
  long folder(byte[] bytes, int count) {
    return text(folder, bytes, count);
  }

  /** The address of the name under which the system shows an open file. */
  long descriptor(int file) {
    byte[] bytes = ("/proc/self/fd/" + file).getBytes(StandardCharsets.US_ASCII);
    return text(descriptor, bytes, bytes.length);
  }

  private static long text(MemorySegment target, byte[] bytes, int count) {
    if (count >= target.byteSize()) {
      return 0;
    }
    MemorySegment.copy(bytes, 0, target, ValueLayout.JAVA_BYTE, 0, count);
    target.set(ValueLayout.JAVA_BYTE, count, (byte) 0);
    return target.address();
  }

  long content() {
    return content.address();
  }

  /** Copies some bytes to where {@link #content} is. */
  void put(byte[] bytes, int from, int count) {
    MemorySegment.copy(bytes, from, content, ValueLayout.JAVA_BYTE, 0, count);
  }

  /** Copies what a call has put where {@link #content} is. */
  byte[] got(int count) {
    byte[] bytes = new byte[count];
    MemorySegment.copy(content, ValueLayout.JAVA_BYTE, 0, bytes, 0, count);
    return bytes;
  }

  long answer() {
    return answer.address();
  }

  /** What statx(2) has put where {@link #answer} is; overwritten by the next. */
  long[] words() {
    MemorySegment.copy(answer, ValueLayout.JAVA_LONG, 0, words, 0, words.length);
    return words;
  }

  @Override
  public void close() {
    FREE.add(this);
  }
}
