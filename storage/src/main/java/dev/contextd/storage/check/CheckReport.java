package dev.contextd.storage.check;

import java.util.List;
import java.util.stream.Stream;

/**
 * What the check found in a whole store.
 *
 * @param folders one for each folder below the root that may be a collection, in order of names
 * @param stray what lies in the root and is no such folder
 * @param files how many files of collections there are, damaged or not
 */
public record CheckReport(List<FolderReport> folders, List<Damage> stray, long files) {
  public CheckReport {
    folders = List.copyOf(folders);
    stray = List.copyOf(stray);
  }

  /** All damage, that of the folders first. */
  public List<Damage> damage() {
    return Stream.concat(
            folders.stream().flatMap(folder -> folder.damage().stream()), stray.stream())
        .toList();
  }
}
