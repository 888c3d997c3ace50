package dev.contextd.storage.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The machine's disk, only to be looked at: everything that would change it fails. */
public final class LookingDisk extends ForwardingDisk {
  private final Disk disk = new LocalDisk();

  @Override
  protected Disk next() {
    return disk;
  }

  @Override
  public Listing list(Path directory, Left left) throws IOException {
    return disk.list(directory, left);
  }

  @Override
  public Look look(Path directory, LeftFolder left) {
    return disk.look(directory, left);
  }

  private static IOException refused() {
    return new IOException("it is only looked at");
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    if (kind(directory) != Kind.DIRECTORY) {
      throw refused();
    }
  }

  @Override
  public void replaceDurably(List<Image> images) throws IOException {
    throw refused();
  }

  @Override
  public FileCalls.Stat replaceLazily(Image image) throws IOException {
    throw refused();
  }

  @Override
  public FileCalls.Stat createLazily(Image image) throws IOException {
    throw refused();
  }

  @Override
  public void syncAll(Path root) throws IOException {
    throw refused();
  }

  @Override
  public void sync(Path file) throws IOException {
    throw refused();
  }

  @Override
  public void syncNames(Path directory) throws IOException {
    throw refused();
  }

  @Override
  public Appender appender(Path file) throws IOException {
    throw refused();
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    throw refused();
  }

  @Override
  public void moveLazily(Path from, Path to) throws IOException {
    throw refused();
  }

  @Override
  public void removeEmptyDirectory(Path directory) throws IOException {
    throw refused();
  }

  @Override
  public void remove(Path file) throws IOException {
    throw refused();
  }

  @Override
  public Optional<FileCalls.Lock> tryLock(Path file) throws IOException {
    throw refused(); // The lock's file may have to be created.
  }
}
