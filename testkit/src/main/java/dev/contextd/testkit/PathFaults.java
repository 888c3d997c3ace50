package dev.contextd.testkit;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;

/**
 * The real disk with two faults: files that cannot be read, and a file system mounted read-only.
 */
public final class PathFaults implements Disk {
  private final LocalDisk disk = new LocalDisk();
  private final Predicate<Path> unreadable;
  private final Predicate<Path> unwritable;

  public PathFaults(Predicate<Path> unreadable, Predicate<Path> unwritable) {
    this.unreadable = unreadable;
    this.unwritable = unwritable;
  }

  private void requireWritable(Path path) throws IOException {
    if (unwritable.test(path)) {
      throw new FileSystemException(path.toString(), null, "Read-only file system");
    }
  }

  @Override
  public List<Entry> list(Path directory) throws IOException {
    if (unreadable.test(directory)) {
      throw new AccessDeniedException(directory.toString());
    }
    return disk.list(directory);
  }

  @Override
  public boolean exists(Path path) throws IOException {
    return disk.exists(path);
  }

  @Override
  public Kind kind(Path path) throws IOException {
    return disk.kind(path);
  }

  @Override
  public byte[] read(Path file) throws IOException {
    if (unreadable.test(file)) {
      throw new AccessDeniedException(file.toString());
    }
    return disk.read(file);
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    requireWritable(directory);
    disk.createDirectories(directory);
  }

  @Override
  public void replaceDurably(List<Image> images) throws IOException {
    for (Image image : images) {
      requireWritable(image.file());
    }
    disk.replaceDurably(images);
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    requireWritable(to);
    disk.move(from, to);
  }

  @Override
  public void removeEmptyDirectory(Path directory) throws IOException {
    requireWritable(directory);
    disk.removeEmptyDirectory(directory);
  }
}
