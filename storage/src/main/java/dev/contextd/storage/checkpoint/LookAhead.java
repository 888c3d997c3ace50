package dev.contextd.storage.checkpoint;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LeftFolder;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.parallel.Workers;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Looks whether the large folders of a store are as they were left, which others begin with while
 * the packs are being read. Of a store that was not closed nothing that was noted counts.
 */
final class LookAhead {
  private record Begun(LeftFolder left, Disk.Look look) {
    /** How many documents were in the folder, beside the file of its metadata. */
    int documents() {
      return left.files() - 1;
    }
  }

  /** By the incarnations of collections. */
  private final Map<Long, Begun> looks = new HashMap<>();

  /** Looks at nothing. */
  LookAhead() {}

  /**
   * Begins with the folders of which something was noted that fits the manifest of a clean stop.
   */
  LookAhead(Disk disk, StoreFolder folder, Workers workers, Manifest manifest) {
    Map<Long, LeftFolders.Left> left = LeftFolders.read(disk, folder.own()).byIncarnation();
    for (Manifest.Collection entry : manifest.collections()) {
      LeftFolders.Left then = left.get(entry.incarnation());
      if (then != null && then.isOf(entry.packs(), entry.metadataFile())) {
        Disk.Look look = disk.look(folder.root().resolve(entry.folder()), then.folder());
        looks.put(entry.incarnation(), new Begun(then.folder(), look));
        workers.begin(look::takePart);
      }
    }
  }

  /**
   * For the rows of a collection's packs. Where there were as many documents as rows when the store
   * was closed, each of which has a row, no row is superseded by another one.
   */
  PackedRows rows(Manifest.Collection entry) {
    long rows = entry.packs().stream().mapToLong(Manifest.Pack::rows).sum();
    boolean isDeleting = entry.packs().stream().anyMatch(pack -> pack.tombstones() > 0);
    Begun begun = looks.get(entry.incarnation());
    return begun != null && begun.documents() == rows && !isDeleting
        ? PackedRows.distinct(rows)
        : new PackedRows(rows);
  }

  /** Whether a folder has the files of all that the packs hold, and is as it was left. */
  boolean isAsLeft(KnownCollection known) {
    @Nullable Begun begun = looks.get(known.kept().incarnation());
    return begun != null
        && known.kept().damagedPacks.isEmpty()
        && begun.documents() == known.files()
        && begun.look().isAsLeft();
  }
}
