package dev.contextd.storage.disk;

import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The one door to the disk: everything that reads or writes a store goes through it, and nothing
 * else opens a file. The seam at which tests inject faults.
 *
 * <p>There are three ways to write: {@link #replaceDurably}; {@link #replaceLazily} or {@link
 * #createLazily} with {@link #syncAll} later; and {@link #appender}. Nothing here follows a
 * symbolic link in the last part of a path, writes over a file in place, or moves one thing over
 * another. Files are created with mode 0600, directories with 0700, where the system knows modes.
 */
public interface Disk {

  /** What a directory entry is, without following links. */
  enum Kind {
    FILE,
    DIRECTORY,
    SYMBOLIC_LINK,
    OTHER
  }

  /**
   * A directory entry.
   *
   * @param name as it stands in the directory
   * @param size in bytes
   * @param modifiedNanos time of the last change of content, in nanoseconds since 1970
   */
  record Entry(Path directory, String name, Kind kind, long size, long modifiedNanos) {

    /** The directory's path with the entry's name behind it, byte for byte. */
    public Path path() {
      return directory.resolve(name);
    }
  }

  /** The new content of a file. */
  record Image(Path file, byte[] content) {}

  /** The names in a directory, in no order: much quicker than {@link #list}. */
  List<String> names(Path directory) throws IOException;

  /** Lists a directory, in the order of the names' characters. */
  List<Entry> list(Path directory) throws IOException;

  /** Knows how files were left. Asked by several threads at once. */
  @FunctionalInterface
  interface Left {
    /** How many numbers {@link #find} is given of each file. */
    int NUMBERS = 3;

    /** Knows none. */
    Left NONE = (_, count, numbers) -> Arrays.fill(numbers, 0, count, -1);

    /**
     * Tells files that may be taken for unchanged.
     *
     * @param files of each in turn the {@link FileState#key}, negative where it has none; the size;
     *     and the time of the last change in nanoseconds
     * @param count how many
     * @param numbers takes for each a number from 0, or a negative one where it is none of them
     */
    void find(long[] files, int count, int[] numbers);
  }

  /**
   * What a directory holds.
   *
   * @param entries in the order of the names' characters
   * @param asLeft numbers of files that are as they were left, and that are no entries
   */
  record Listing(List<Entry> entries, BitSet asLeft) {}

  /**
   * Lists a directory of which most is known: files that are as they were left may be entries, and
   * may as well be told by their numbers alone, which is much quicker where there are many.
   */
  default Listing list(Path directory, Left left) throws IOException {
    return new Listing(list(directory), new BitSet());
  }

  /** A look at a folder in which any number of threads take part. */
  interface Look {
    /** A look that finds nothing as it was left. */
    Look NONE =
        new Look() {
          @Override
          public void takePart() {
            // There is nothing to look at.
          }

          @Override
          public boolean isAsLeft() {
            return false;
          }
        };

    /** Takes part until nothing is left to begin with. */
    void takePart();

    /** Takes part, and tells when all is done whether everything is as it was left. */
    boolean isAsLeft();
  }

  /**
   * Tells how a folder is left, so that {@link #look} may tell later whether it still is. The files
   * themselves are not looked at.
   *
   * @param files that should be in the folder; asked for where that is known to be of use
   * @return empty where this disk cannot tell it, where the folder is small, or where any other
   *     name is in it than those of all the files
   */
  default Optional<LeftFolder> left(Path directory, Supplier<LeftFolder.Files> files)
      throws IOException {
    return Optional.empty();
  }

  /**
   * Looks whether a folder is as it was left: the same names, and files of the same sizes and
   * times. Begins nothing by itself. Where anything hinders the look it is not found to be.
   */
  default Look look(Path directory, LeftFolder left) {
    return Look.NONE;
  }

  /** Whether anything bears this name, a dangling link included. */
  boolean exists(Path path) throws IOException;

  /** What this is; {@link Kind#OTHER} where nothing bears the name. */
  Kind kind(Path path) throws IOException;

  /** What is known of a name; empty where nothing bears it. */
  Optional<FileCalls.Stat> stat(Path path) throws IOException;

  /** Reads a whole regular file, of a size that the heap can hold several times over. */
  byte[] read(Path file) throws IOException;

  /** A file opened for reading here and there. */
  interface Reader extends Closeable {
    long size() throws IOException;

    /**
     * Fills the buffer from a position.
     *
     * @throws java.io.EOFException where the file ends before
     */
    void read(ByteBuffer target, long position) throws IOException;
  }

  /** Opens a regular file of any size for reading. */
  Reader reader(Path file) throws IOException;

  /** The size of a file in bytes and the SHA-256 of its content. */
  record Sum(long bytes, byte[] sha256) {}

  /** Sums up a regular file of any size. */
  default Sum sum(Path file) throws IOException {
    byte[] content = read(file);
    return new Sum(content.length, Names.sha256().digest(content));
  }

  /** Creates a directory and the missing ones above it, durably; existing ones are fine. */
  void createDirectories(Path directory) throws IOException;

  /**
   * Creates a directory as {@link #createDirectories} does, in place of which a link is refused: it
   * would lead our writes elsewhere.
   */
  default void createRealDirectory(Path directory) throws IOException {
    createDirectories(directory);
    if (kind(directory) != Kind.DIRECTORY) {
      throw new IOException(directory + " must be a folder, not a link");
    }
  }

  /**
   * Replaces or creates each file atomically and durably: temp file, fsync, atomic move, fsync of
   * the directory. All files lie in one directory. Until every temp file is on disk nothing is
   * visible; what fails after that is undone, so that either all files are new or all are as they
   * were.
   *
   * @throws UndoFailedException where files were left between the two
   */
  void replaceDurably(List<Image> images) throws IOException;

  /**
   * Replaces or creates a file atomically; it is durable after the next {@link #syncAll}. Before
   * that a loss of power may leave the old file, the new one, none, or a torn one.
   *
   * @return what the file looks like now
   */
  FileCalls.Stat replaceLazily(Image image) throws IOException;

  /**
   * Creates a file as {@link #replaceLazily} does, at half the cost where the system can name a
   * file that is whole.
   *
   * @return what the file looks like now
   * @throws java.nio.file.FileAlreadyExistsException where something bears the name
   */
  FileCalls.Stat createLazily(Image image) throws IOException;

  /**
   * Makes everything durable that was written lazily below a root.
   *
   * @throws IOException where nothing is known of any of it: it must be written again
   */
  void syncAll(Path root) throws IOException;

  /**
   * Begins with the work of the next {@link #syncAll} while more is being written. Waits for
   * nothing, and promises nothing.
   */
  void writeBackSoon(Path root) throws IOException;

  /**
   * Watches a disk while it is open, so that {@link #syncAll} fails where any lazy write since did,
   * whoever was told before.
   */
  Closeable watch(Path root) throws IOException;

  /** Makes a file, and the names in its folder, durable: another process may have left them so. */
  void sync(Path file) throws IOException;

  /** Makes the names in a folder durable. */
  void syncNames(Path directory) throws IOException;

  /** A new file that only grows; an interrupt of a calling thread does not hinder it. */
  interface Appender extends Closeable {

    /** Appends all bytes, or fails with some of them appended. */
    void append(ByteBuffer bytes) throws IOException;

    /**
     * Gives the file zeros behind its end, over which is appended: a sync is quicker where the
     * file's size stays. Until it is closed the file has them, and longer where this process dies;
     * an appender that knows no better does nothing.
     *
     * @param bytes so many from the end on, those that it has already included
     */
    default void reserve(int bytes) throws IOException {}

    /** How many zeros there are behind the end. */
    default long reserved() {
      return 0;
    }

    /** Makes all that was appended durable, and with the first call the file's name. */
    void sync() throws IOException;

    /** How many bytes were appended. */
    long size();
  }

  /**
   * Creates a file for appending.
   *
   * @throws java.nio.file.FileAlreadyExistsException where something bears the name
   */
  Appender appender(Path file) throws IOException;

  /**
   * Moves a file or directory to a name that is free, atomically and durably, within one file
   * system.
   *
   * @throws java.nio.file.FileAlreadyExistsException where something bears the new name
   */
  void move(Path from, Path to) throws IOException;

  /** Moves as {@link #move}; durable after the next {@link #syncAll}. */
  void moveLazily(Path from, Path to) throws IOException;

  /** Removes an empty directory. */
  void removeEmptyDirectory(Path directory) throws IOException;

  /**
   * Removes a file whose content nobody needs any more: it is covered by another, or its time is
   * over. A loss of power may bring it back.
   */
  void remove(Path file) throws IOException;

  /**
   * Locks a file for this process.
   *
   * @return empty where another process holds it
   */
  Optional<FileCalls.Lock> tryLock(Path file) throws IOException;

  /** A failed write left some files new and some old. */
  final class UndoFailedException extends IOException {
    private static final long serialVersionUID = 1L;

    public UndoFailedException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
