package dev.contextd.storage.disk;

/**
 * How a large folder was left: every name in it, in the order in which the system tells them, and
 * the size and the time of each file. Where the system tells the same again, each file has only to
 * be asked for its size and its time: nothing has to be looked up by its name.
 *
 * @param nameBytes how many bytes the system's list of names had
 * @param nameSum the CRC32C of those bytes
 * @param states of each file in that order its size in bytes, and the time of its last change in
 *     nanoseconds since 1970
 */
public record LeftFolder(long nameBytes, int nameSum, long[] states) {
  /** How many numbers there are of each file. */
  public static final int NUMBERS = 2;

  /** How many files there are. */
  public int files() {
    return states.length / NUMBERS;
  }

  /** The files that should be in a folder, by numbers from 0. */
  public interface Files {
    /** How many there are. */
    int count();

    /**
     * The number of a file; negative where it is unknown.
     *
     * @param key as {@link dev.contextd.storage.chromem.FileState#key}
     */
    int number(long key);

    /** The size of a file in bytes. */
    long size(int number);

    /** The time of a file's last change in nanoseconds since 1970. */
    long modifiedNanos(int number);
  }
}
