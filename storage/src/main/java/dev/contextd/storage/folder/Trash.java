package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;

/**
 * What was deleted on request, kept so that it can be brought back.
 *
 * <pre>
 * .contextd/trash/20261123T231125.123Z-e9f85bf6/              a collection's folder
 * .contextd/trash/20261123T231125.123Z-e9f85bf6.documents/    files of documents
 * </pre>
 */
final class Trash {
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

  private final Disk disk;
  private final Path directory;
  private final Clock clock;

  Trash(Disk disk, Path directory, Clock clock) {
    this.disk = disk;
    this.directory = directory;
    this.clock = clock;
  }

  void moveFolder(Path folder) throws IOException {
    disk.createDirectories(directory);
    disk.move(folder, fresh(String.valueOf(folder.getFileName())));
  }

  void moveFile(Path file) throws IOException {
    disk.createDirectories(directory);
    disk.move(file, fresh(String.valueOf(file.getFileName())));
  }

  /** What was moved, so that it can be moved back when what it was moved for fails. */
  record Moved(Disk disk, List<Path> from, List<Path> to) {

    /**
     * @param cause what failed
     * @throws Disk.UndoFailedException where something stays in the trash
     */
    void undo(IOException cause) throws Disk.UndoFailedException {
      for (int i = 0; i < to.size(); i++) {
        try {
          disk.move(to.get(i), from.get(i));
        } catch (IOException e) {
          cause.addSuppressed(e);
          throw new Disk.UndoFailedException(
              from.get(i) + " was moved to " + to.get(i) + " and could not be moved back", cause);
        }
      }
    }
  }

  /** Moves files, all or none; missing ones are passed over. */
  Moved moveFiles(Path folder, List<String> files) throws IOException {
    List<Path> present = new ArrayList<>();
    for (String file : files) {
      if (disk.exists(folder.resolve(file))) {
        present.add(folder.resolve(file));
      }
    }
    if (present.isEmpty()) {
      return new Moved(disk, List.of(), List.of());
    }
    Path target = fresh(folder.getFileName() + ".documents");
    disk.createDirectories(target);
    Moved moved = new Moved(disk, present, new ArrayList<>());
    try {
      for (Path file : present) {
        Path to = target.resolve(nameOf(file));
        disk.move(file, to);
        moved.to().add(to);
      }
      return moved;
    } catch (IOException e) {
      moved.undo(e);
      disk.removeEmptyDirectory(target);
      throw e;
    }
  }

  private Path fresh(String name) throws IOException {
    return FreshName.in(disk, directory, STAMP.format(clock.instant()) + "-" + name, "");
  }

  private static Path nameOf(Path path) {
    Path name = path.getFileName();
    return name == null ? path : name;
  }
}
