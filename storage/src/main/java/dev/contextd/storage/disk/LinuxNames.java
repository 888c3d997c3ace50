package dev.contextd.storage.disk;

import dev.contextd.storage.chromem.FileState;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The names that one call of getdents64(2) gave, of which the layout stands in its manual page.
 *
 * <p>An entry takes a multiple of eight bytes and is read in numbers of so many, low bytes first as
 * both processors of {@link LinuxFiles} have them: a young process does this for every file of a
 * store, and a name at a time takes it a fraction of what a byte at a time does.
 *
 * @param address of the first byte
 * @param words a copy of all bytes
 * @param starts where each name begins, in bytes; a zero stands behind it
 * @param keys the {@link FileState#key} of each, negative where it has none
 */
record LinuxNames(long address, long[] words, int[] starts, long[] keys) {
  /** The length of an entry stands in its lowest bytes, then the type, then the name begins. */
  private static final int LENGTH_WORD = 2;

  private static final int LENGTH_MASK = 0xffff;
  private static final int NAME_AT = 19;
  private static final int NAME_SHIFT = (NAME_AT - LENGTH_WORD * Long.BYTES) * Byte.SIZE;
  private static final int REST_SHIFT = Long.SIZE - NAME_SHIFT;

  /**
   * Finds the names, those of the folder itself and of the one above left out.
   *
   * @return null where one is not plain ASCII
   */
  static @Nullable LinuxNames of(long address, long[] words) {
    Finding finding = new Finding(words);
    int at = 0;
    while (at >= 0 && at < words.length) {
      at = finding.next(at);
    }
    return at < 0 ? null : finding.found(address);
  }

  /** As {@link #starts}, for names of which nothing else is asked. */
  static int[] starts(long[] words) {
    int[] starts = new int[words.length / (LENGTH_WORD + 1)];
    int count = 0;
    int at = 0;
    while (at < words.length) {
      long head = words[at + LENGTH_WORD];
      if (!isDots(head)) {
        starts[count++] = at * Long.BYTES + NAME_AT;
      }
      at = next(at, head);
    }
    return Arrays.copyOf(starts, count);
  }

  /** Where the entry behind one begins. */
  private static int next(int at, long head) {
    return at + (int) (head & LENGTH_MASK) / Long.BYTES;
  }

  private static boolean isDots(long head) {
    long name = head >>> NAME_SHIFT;
    return (name & 0xffff) == '.' || (name & 0xff_ffff) == ('.' | ('.' << Byte.SIZE));
  }

  private static final class Finding {
    private final long[] words;
    private final int[] starts;
    private final long[] keys;
    private int count;

    Finding(long[] words) {
      int most = words.length / (LENGTH_WORD + 1);
      this.words = words;
      this.starts = new int[most];
      this.keys = new long[most];
    }

    /**
     * Notes the name of an entry and tells where the next one is; negative where it is not ASCII.
     */
    int next(int at) {
      int name = at + LENGTH_WORD;
      int next = LinuxNames.next(at, words[name]);
      long key = key(name, next);
      if (key >= 0 || !isDots(words[name])) {
        starts[count] = at * Long.BYTES + NAME_AT;
        keys[count] = key;
        count++;
      }
      return key >= 0 || isAscii(name, next) ? next : -1;
    }

    private long key(int name, int end) {
      if (end - name < 2) {
        return -1;
      }
      long middle = words[name + 1];
      long last = end - name > 2 ? words[name + 2] : 0;
      return FileState.key(
          words[name] >>> NAME_SHIFT | middle << REST_SHIFT,
          middle >>> NAME_SHIFT | last << REST_SHIFT);
    }

    private boolean isAscii(int name, int end) {
      int at = name * Long.BYTES + NAME_AT % Long.BYTES;
      while (at < end * Long.BYTES && byteAt(words, at) > 0) {
        at++;
      }
      return byteAt(words, at) == 0;
    }

    LinuxNames found(long address) {
      return new LinuxNames(
          address, words, Arrays.copyOf(starts, count), Arrays.copyOf(keys, count));
    }
  }

  private static byte byteAt(long[] words, int at) {
    return (byte) (words[at / Long.BYTES] >>> (at % Long.BYTES * Byte.SIZE));
  }

  int count() {
    return starts.length;
  }

  String text(int number) {
    int start = starts[number];
    int end = start;
    while (byteAt(words, end) != 0) {
      end++;
    }
    byte[] text = new byte[end - start];
    for (int i = 0; i < text.length; i++) {
      text[i] = byteAt(words, start + i);
    }
    return new String(text, StandardCharsets.US_ASCII);
  }

  List<String> texts() {
    return IntStream.range(0, count()).mapToObj(this::text).toList();
  }
}
