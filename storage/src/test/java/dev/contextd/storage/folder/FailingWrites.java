package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A disk that is full: everything works but the writing of files. */
record FailingWrites(Disk real) implements Disk {

  @Override
  public void replaceDurably(List<Image> images) throws IOException {
    throw new IOException("No space left on device");
  }

  @Override
  public List<Entry> list(Path directory) throws IOException {
    return real.list(directory);
  }

  @Override
  public boolean exists(Path path) throws IOException {
    return real.exists(path);
  }

  @Override
  public Kind kind(Path path) throws IOException {
    return real.kind(path);
  }

  @Override
  public byte[] read(Path file) throws IOException {
    return real.read(file);
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    real.createDirectories(directory);
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    real.move(from, to);
  }

  @Override
  public void removeEmptyDirectory(Path directory) throws IOException {
    real.removeEmptyDirectory(directory);
  }
}
