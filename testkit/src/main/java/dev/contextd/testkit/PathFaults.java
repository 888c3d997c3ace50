package dev.contextd.testkit;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.disk.ForwardingDisk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The real disk with two faults: files that cannot be read, and a file system mounted read-only.
 */
public final class PathFaults extends ForwardingDisk {
  private final LocalDisk disk = new LocalDisk();
  private final Predicate<Path> unreadable;
  private final Predicate<Path> unwritable;

  public PathFaults(Predicate<Path> unreadable, Predicate<Path> unwritable) {
    this.unreadable = unreadable;
    this.unwritable = unwritable;
  }

  @Override
  protected Disk next() {
    return disk;
  }

  private void requireReadable(Path path) throws IOException {
    if (unreadable.test(path)) {
      throw new AccessDeniedException(path.toString());
    }
  }

  private void requireWritable(Path path) throws IOException {
    if (unwritable.test(path)) {
      throw new FileSystemException(path.toString(), null, "Read-only file system");
    }
  }

  @Override
  public List<Entry> list(Path directory) throws IOException {
    requireReadable(directory);
    return disk.list(directory);
  }

  @Override
  public byte[] read(Path file) throws IOException {
    requireReadable(file);
    return disk.read(file);
  }

  @Override
  public Reader reader(Path file) throws IOException {
    requireReadable(file);
    return disk.reader(file);
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
  public FileCalls.Stat replaceLazily(Image image) throws IOException {
    requireWritable(image.file());
    return disk.replaceLazily(image);
  }

  @Override
  public FileCalls.Stat createLazily(Image image) throws IOException {
    requireWritable(image.file());
    return disk.createLazily(image);
  }

  @Override
  public Appender appender(Path file) throws IOException {
    requireWritable(file);
    return disk.appender(file);
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    requireWritable(to);
    disk.move(from, to);
  }

  @Override
  public void moveLazily(Path from, Path to) throws IOException {
    requireWritable(to);
    disk.moveLazily(from, to);
  }

  @Override
  public void removeEmptyDirectory(Path directory) throws IOException {
    requireWritable(directory);
    disk.removeEmptyDirectory(directory);
  }

  @Override
  public void remove(Path file) throws IOException {
    requireWritable(file);
    disk.remove(file);
  }

  @Override
  public Optional<FileCalls.Lock> tryLock(Path file) throws IOException {
    requireWritable(file);
    return disk.tryLock(file);
  }
}
