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

  void moveFiles(Path folder, List<String> files) throws IOException {
    List<Path> present = new ArrayList<>();
    for (String file : files) {
      if (disk.exists(folder.resolve(file))) {
        present.add(folder.resolve(file));
      }
    }
    if (present.isEmpty()) {
      return;
    }
    Path target = fresh(folder.getFileName() + ".documents");
    disk.createDirectories(target);
    int moved = 0;
    try {
      for (; moved < present.size(); moved++) {
        disk.move(present.get(moved), target.resolve(nameOf(present.get(moved))));
      }
    } catch (IOException e) {
      for (int i = 0; i < moved; i++) {
        disk.move(target.resolve(nameOf(present.get(i))), present.get(i));
      }
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
