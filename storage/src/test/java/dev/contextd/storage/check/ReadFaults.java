package dev.contextd.storage.check;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The machine's disk, which refuses to write and fails to read what the test says. */
record ReadFaults(Fault fault) implements Disk {
  private static final Disk REAL = new LocalDisk();

  /** Throws for the files and folders that cannot be read. */
  @FunctionalInterface
  interface Fault {
    void before(Path path) throws IOException;
  }

  @Override
  public List<Entry> list(Path directory) throws IOException {
    fault.before(directory);
    return REAL.list(directory);
  }

  @Override
  public byte[] read(Path file) throws IOException {
    fault.before(file);
    return REAL.read(file);
  }

  @Override
  public boolean exists(Path path) throws IOException {
    return REAL.exists(path);
  }

  @Override
  public Kind kind(Path path) throws IOException {
    return REAL.kind(path);
  }

  @Override
  public void createDirectories(Path directory) {
    throw new AssertionError("the check writes nothing");
  }

  @Override
  public void replaceDurably(List<Image> images) {
    throw new AssertionError("the check writes nothing");
  }

  @Override
  public void move(Path from, Path to) {
    throw new AssertionError("the check moves nothing");
  }

  @Override
  public void removeEmptyDirectory(Path directory) {
    throw new AssertionError("the check removes nothing");
  }
}
