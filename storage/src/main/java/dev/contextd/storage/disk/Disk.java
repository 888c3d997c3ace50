package dev.contextd.storage.disk;

import dev.contextd.storage.chromem.Names;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The one door to the disk: everything that reads or writes a store goes through it, and nothing
 * else opens a file. The seam at which tests inject faults.
 *
 * <p>Nothing here follows a symbolic link in the last part of a path, writes over a file in place,
 * or moves one thing over another. Files are created with mode 0600, directories with 0700, where
 * the system knows modes.
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
   * @param path the directory's path with the entry's name behind it, byte for byte
   * @param size in bytes
   */
  record Entry(Path path, String name, Kind kind, long size) {}

  /** The new content of a file. */
  record Image(Path file, byte[] content) {}

  /** Lists a directory, in the order of the names' characters. */
  List<Entry> list(Path directory) throws IOException;

  /** Whether anything bears this name, a dangling link included. */
  boolean exists(Path path) throws IOException;

  /** What this is; {@link Kind#OTHER} where nothing bears the name. */
  Kind kind(Path path) throws IOException;

  /** Reads a whole regular file, of a size that the heap can hold several times over. */
  byte[] read(Path file) throws IOException;

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
   * Replaces or creates each file atomically and durably: temp file, fsync, atomic move, fsync of
   * the directory. All files lie in one directory. Until every temp file is on disk nothing is
   * visible; what fails after that is undone, so that either all files are new or all are as they
   * were.
   *
   * @throws UndoFailedException where files were left between the two
   */
  void replaceDurably(List<Image> images) throws IOException;

  /**
   * Moves a file or directory to a name that is free, atomically and durably, within one file
   * system.
   *
   * @throws java.nio.file.FileAlreadyExistsException where something bears the new name
   */
  void move(Path from, Path to) throws IOException;

  /** Removes an empty directory; the only removal there is. */
  void removeEmptyDirectory(Path directory) throws IOException;

  /** A failed write left some files new and some old. */
  final class UndoFailedException extends IOException {
    private static final long serialVersionUID = 1L;

    public UndoFailedException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
