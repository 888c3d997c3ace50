package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Names for files in entries of the trash: the file's own, or {@code 2.}, {@code 3.} before it
 * where an entry has one of that name. One document may have thousands of versions in an entry.
 */
public final class EntryNames {
  private final Disk disk;

  /** How many files of a name were given one. */
  private final Map<Path, Integer> given = new ConcurrentHashMap<>();

  public EntryNames(Disk disk) {
    this.disk = disk;
  }

  /** A name that nothing bears yet, and that is given once. */
  public Path free(Path entry, String file) throws IOException {
    Path plain = entry.resolve(file);
    Path path;
    do {
      int n = given.merge(plain, 1, Integer::sum);
      path = n == 1 ? plain : entry.resolve(n + "." + file);
    } while (disk.exists(path));
    return path;
  }
}
