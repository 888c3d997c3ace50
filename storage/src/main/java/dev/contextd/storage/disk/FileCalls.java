package dev.contextd.storage.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The operating system's file operations, one call each, with nothing added: what {@link LocalDisk}
 * builds its ways to write from. The seam at which tests lose power: whoever implements it decides
 * what survives.
 *
 * <p>What is durable: a file's bytes after {@link OpenFile#force} or {@link #syncFile}, a name
 * (created, renamed or removed) after {@link #syncDirectory} of its folder, everything after {@link
 * #syncFileSystem}.
 */
public interface FileCalls {

  /**
   * What is known of a name without following links.
   *
   * @param size in bytes
   * @param modifiedNanos time of the last change of content, in nanoseconds since 1970
   * @param identity of the thing itself, whatever its name: device and inode where there are any,
   *     to be compared by its text
   */
  record Stat(Disk.Kind kind, long size, long modifiedNanos, Object identity) {}

  /** A file that was opened; writes go to its end. */
  interface OpenFile extends Closeable {

    /**
     * Appends all bytes, over what was reserved. On failure some of them may have been appended.
     */
    void append(ByteBuffer bytes) throws IOException;

    /**
     * Puts zeros behind what was appended, which {@link #append} overwrites and {@link #close}
     * takes away; does nothing where there is no such way.
     *
     * @param bytes from the end of what was appended on
     */
    default void reserve(int bytes) throws IOException {}

    /** How many zeros of {@link #reserve} are left. */
    default long reserved() {
      return 0;
    }

    /**
     * Reads from a position until the buffer is full or the file ends.
     *
     * @return how many bytes were read
     */
    int read(ByteBuffer target, long position) throws IOException;

    long size() throws IOException;

    /** Makes the file's bytes and size durable. */
    void force() throws IOException;
  }

  /** A lock that is held until it is closed, or this process ends. */
  interface Lock extends Closeable {}

  /** The names in a folder, in no order. */
  List<String> names(Path directory) throws IOException;

  /**
   * What is in a large folder, as {@link #names} and {@link #stat} tell it one by one, in no order.
   *
   * @param byName looks at one that could not be looked at with the others; null where it is gone
   * @param left whose files are told by their numbers
   * @return null where this system has no quicker way than those
   */
  default Disk.@Nullable Listing entries(
      Path directory, Function<String, Disk.@Nullable Entry> byName, Disk.Left left)
      throws IOException {
    return null;
  }

  /**
   * As {@link Disk#left}.
   *
   * @return null where it is empty there
   */
  default @Nullable LeftFolder left(Path directory, Supplier<LeftFolder.Files> files)
      throws IOException {
    return null;
  }

  /** As {@link Disk#look}. */
  default Disk.Look look(Path directory, LeftFolder left) {
    return Disk.Look.NONE;
  }

  /** Null where nothing bears the name. */
  @Nullable Stat stat(Path path) throws IOException;

  /** Creates a file with mode 0600 for appending; fails where something bears the name. */
  OpenFile create(Path file) throws IOException;

  /**
   * Creates a file with mode 0600 that has all of its content from the moment it has a name.
   *
   * @return null where this system or file system cannot
   * @throws java.nio.file.FileAlreadyExistsException where something bears the name
   */
  @Nullable Stat createWhole(Path file, byte[] content) throws IOException;

  /**
   * Creates a file as {@link #create} does, that many threads append to in turn: an interrupt of
   * one of them neither closes it nor cuts a call short.
   */
  default OpenFile createShared(Path file) throws IOException {
    return create(file);
  }

  /** Opens a file for reading; a symbolic link is not followed. */
  OpenFile open(Path file) throws IOException;

  /**
   * The content of a small regular file, as {@link #open} gives it.
   *
   * @return null where this system has no quicker way than that, or this file needs it
   */
  default byte @Nullable [] readSmall(Path file) {
    return null;
  }

  /** Creates a folder with mode 0700; fails where something bears the name. */
  void createDirectory(Path directory) throws IOException;

  /** Renames atomically, over what bears the new name. */
  void rename(Path from, Path to) throws IOException;

  /** Removes a file or an empty folder. */
  void remove(Path path) throws IOException;

  /** Makes a closed file's bytes and size durable; not to be interrupted. */
  void syncFile(Path file) throws IOException;

  /** Makes the names in a folder durable; not to be interrupted. */
  void syncDirectory(Path directory) throws IOException;

  /**
   * From now on until it is closed, {@link #syncFileSystem} of this root fails where anything could
   * not be written back in between, even if somebody else was told before: the system tells each
   * open file once, and one that was opened later not at all.
   */
  default Closeable watch(Path root) throws IOException {
    return () -> {};
  }

  /**
   * Begins to write back what the system still holds in memory, so that the next {@link
   * #syncFileSystem} of a watched root has less to wait for. Waits for nothing, and promises
   * nothing.
   */
  default void writeBackSoon(Path root) {}

  /** Makes all files and names below a folder durable that were written through this object. */
  void syncFileSystem(Path root) throws IOException;

  /**
   * Locks a file against every other process, creating it when missing. At most one open lock a
   * file and process: closing any channel on a locked file gives the lock away on Linux.
   *
   * @return null where another process holds it
   */
  @Nullable Lock tryLock(Path file) throws IOException;
}
