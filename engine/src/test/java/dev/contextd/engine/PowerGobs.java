package dev.contextd.engine;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.testkit.PowerCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** The gob files of a disk in memory, wherever they lie. */
final class PowerGobs {
  private PowerGobs() {}

  /** The bytes of all below a folder. */
  static Map<Path, byte[]> below(PowerCalls calls, Path folder) throws IOException {
    Map<Path, byte[]> found = new TreeMap<>();
    collect(new LocalDisk(calls), folder, found);
    return found;
  }

  private static void collect(Disk disk, Path folder, Map<Path, byte[]> found) throws IOException {
    for (Disk.Entry entry : disk.list(folder)) {
      if (entry.kind() == Disk.Kind.DIRECTORY) {
        collect(disk, entry.path(), found);
      } else if (Compression.ofFileName(entry.name()).isPresent()) {
        found.put(entry.path(), disk.read(entry.path()));
      }
    }
  }
}
