package dev.contextd.engine;

import dev.contextd.engine.search.Row;
import dev.contextd.engine.search.Snapshot;
import dev.contextd.storage.folder.CollectionFolder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Which file each document has, gets, or leaves behind.
 *
 * <p>Invariant: after a write or a deletion no file of the collection that could be read holds
 * another version of the documents concerned, so that none of them wins or comes back at the next
 * start.
 */
final class CollectionFiles {
  private final CollectionFolder folder;
  private final UnservedFiles unserved;

  CollectionFiles(CollectionFolder folder, UnservedFiles unserved) {
    this.folder = folder;
    this.unserved = unserved;
  }

  /** What a row remembers of its file: nothing where it is the one its hash names. */
  String remembered(String id, String file) {
    return file.equals(folder.defaultFile(id)) ? "" : file;
  }

  String of(Row row) {
    return row.file().isEmpty() ? folder.defaultFile(row.id()) : row.file();
  }

  /**
   * The files that go to the trash when these documents are written or deleted: all that hold a
   * version of them which is not served, known since the opening or found now.
   *
   * @throws IOException where a file that might hold one of them cannot be read
   */
  List<String> vacated(List<String> ids, Snapshot before) throws IOException {
    Set<String> vacated = new LinkedHashSet<>(unserved.filesOf(ids));
    for (String id : ids) {
      Row row = before.get(id);
      String own = row == null ? "" : of(row);
      vacated.addAll(folder.others(id, own));
      if (row != null && !folder.belongs(own, id)) {
        vacated.add(own); // The id was altered by decoding: the new version gets a name of its own.
      }
    }
    return List.copyOf(vacated);
  }

  /** The file of each document: its present one, or a free one. */
  List<String> choose(List<String> ids, Snapshot before, List<String> vacated) throws IOException {
    Set<String> leaving = Set.copyOf(vacated);
    List<String> chosen = new ArrayList<>();
    List<String> homeless = new ArrayList<>();
    for (String id : ids) {
      Row row = before.get(id);
      if (row != null && !leaving.contains(of(row))) {
        chosen.add(of(row));
      } else {
        chosen.add("");
        homeless.add(id);
      }
    }
    Iterator<String> free = folder.freeFiles(homeless, vacated).iterator();
    chosen.replaceAll(file -> file.isEmpty() ? free.next() : file);
    return chosen;
  }
}
