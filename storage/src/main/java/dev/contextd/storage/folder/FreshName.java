package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.file.Path;

/** A name that nothing bears yet: the wanted one, or it with {@code .2}, {@code .3} behind it. */
public final class FreshName {
  private static final int MAX_TRIES = 100_000;

  private FreshName() {}

  /** Where a file of ours goes that is in the way and must not be lost: {@code <name>.stray}. */
  public static Path beside(Disk disk, Path file) throws IOException {
    return in(disk, file.resolveSibling(""), file.getFileName() + ".stray", "");
  }

  /**
   * A name in an entry of the trash: the wanted one, or it with {@code 2.}, {@code 3.} before it.
   *
   * @param first 1, or 2 where the wanted one itself is not to be taken
   */
  public static Path numbered(Disk disk, Path entry, String name, int first) throws IOException {
    for (int n = first; n <= MAX_TRIES; n++) {
      Path path = entry.resolve(n == 1 ? name : n + "." + name);
      if (!disk.exists(path)) {
        return path;
      }
    }
    throw new IOException("no free name for " + name + " in " + entry);
  }

  /**
   * @param companion an ending such that {@code name + companion} must be free too
   */
  static Path in(Disk disk, Path directory, String name, String companion) throws IOException {
    for (int n = 1; n <= MAX_TRIES; n++) {
      String candidate = n == 1 ? name : name + "." + n;
      Path path = directory.resolve(candidate);
      boolean taken =
          disk.exists(path)
              || (!companion.isEmpty() && disk.exists(directory.resolve(candidate + companion)));
      if (!taken) {
        return path;
      }
    }
    throw new IOException("no free name for " + name + " in " + directory);
  }
}
