package dev.contextd.engine;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The real disk, of which one operation fails before it has done anything. */
final class FaultyDisk implements Disk {
  private final Disk disk = new LocalDisk();
  private final String message;
  private int untilFault = Integer.MAX_VALUE;
  private boolean failed;

  FaultyDisk(String message) {
    this.message = message;
  }

  /** The {@code n}th operation from now fails, and only that one. */
  void failAt(int n) {
    untilFault = n;
    failed = false;
  }

  /** Nothing fails any more. */
  void disarm() {
    untilFault = Integer.MAX_VALUE;
  }

  boolean hasFailed() {
    return failed;
  }

  private Disk next() throws IOException {
    if (--untilFault == 0) {
      failed = true;
      throw new IOException(message);
    }
    return disk;
  }

  @Override
  public List<Entry> list(Path directory) throws IOException {
    return next().list(directory);
  }

  @Override
  public boolean exists(Path path) throws IOException {
    return next().exists(path);
  }

  @Override
  public Kind kind(Path path) throws IOException {
    return next().kind(path);
  }

  @Override
  public byte[] read(Path file) throws IOException {
    return next().read(file);
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    next().createDirectories(directory);
  }

  @Override
  public void replaceDurably(List<Image> images) throws IOException {
    next().replaceDurably(images);
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    next().move(from, to);
  }

  @Override
  public void removeEmptyDirectory(Path directory) throws IOException {
    next().removeEmptyDirectory(directory);
  }
}
