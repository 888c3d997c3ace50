package dev.contextd.engine;

import dev.contextd.engine.VectorStore.Conflict;
import dev.contextd.engine.VectorStore.Conflicts;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.GaveWay;
import dev.contextd.storage.folder.Trash;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What gave way on a remote store, as the trash has it. */
final class RemoteConflicts {
  private final Disk disk;
  private final Duration retention;
  private final List<Conflict> latest = new ArrayList<>();
  private int total;

  private RemoteConflicts(Disk disk, Duration retention) {
    this.disk = disk;
    this.retention = retention;
  }

  static Conflicts list(Trash trash, Disk disk, Duration retention) {
    RemoteConflicts conflicts = new RemoteConflicts(disk, retention);
    try {
      for (Trash.Entry entry : trash.list().reversed()) {
        if (GaveWay.of(entry.kind()).isPresent()) {
          conflicts.add(entry);
        }
      }
    } catch (IOException e) {
      throw StoreException.ofDisk("listing the trash", e);
    }
    return new Conflicts(conflicts.total, conflicts.latest);
  }

  /** The files are read as far as they are told. */
  private void add(Trash.Entry entry) throws IOException {
    if (latest.size() < Limits.MAX_PAGE_DOCUMENTS) {
      try {
        tell(entry, Restoring.read(disk, entry.files()));
      } catch (NoSuchFileException e) {
        return; // It was purged or restored just now.
      } catch (StoreException e) {
        // It is damaged, and counted all the same.
      }
    }
    total += Restoring.documents(entry.files());
  }

  private void tell(Trash.Entry entry, Restoring.Read read) {
    String collection = read.collection().map(found -> found.name()).orElse("");
    for (String id : read.byId().keySet()) {
      if (latest.size() < Limits.MAX_PAGE_DOCUMENTS) {
        latest.add(
            new Conflict(
                entry.name(),
                collection,
                id,
                entry.kind(),
                entry.since(),
                entry.since().plus(retention)));
      }
    }
  }
}
