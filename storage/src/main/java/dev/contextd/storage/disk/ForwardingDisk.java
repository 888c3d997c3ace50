package dev.contextd.storage.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A disk that hands every call to another one: the base of those that watch or refuse some. What
 * lists by numbers comes as a plain {@link #list}, so that who overrides that one sees every name.
 */
public abstract class ForwardingDisk implements Disk {

  /** The disk that serves the next call; every call asks once. */
  protected abstract Disk next() throws IOException;

  @Override
  public List<String> names(Path directory) throws IOException {
    return next().names(directory);
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
  public Optional<FileCalls.Stat> stat(Path path) throws IOException {
    return next().stat(path);
  }

  @Override
  public byte[] read(Path file) throws IOException {
    return next().read(file);
  }

  @Override
  public Reader reader(Path file) throws IOException {
    return next().reader(file);
  }

  @Override
  public Sum sum(Path file) throws IOException {
    return next().sum(file);
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
  public FileCalls.Stat replaceLazily(Image image) throws IOException {
    return next().replaceLazily(image);
  }

  @Override
  public FileCalls.Stat createLazily(Image image) throws IOException {
    return next().createLazily(image);
  }

  @Override
  public Closeable watch(Path root) throws IOException {
    return next().watch(root);
  }

  @Override
  public void writeBackSoon(Path root) throws IOException {
    next().writeBackSoon(root);
  }

  @Override
  public void syncAll(Path root) throws IOException {
    next().syncAll(root);
  }

  @Override
  public void sync(Path file) throws IOException {
    next().sync(file);
  }

  @Override
  public void syncNames(Path directory) throws IOException {
    next().syncNames(directory);
  }

  @Override
  public Appender appender(Path file) throws IOException {
    return next().appender(file);
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    next().move(from, to);
  }

  @Override
  public void moveLazily(Path from, Path to) throws IOException {
    next().moveLazily(from, to);
  }

  @Override
  public void removeEmptyDirectory(Path directory) throws IOException {
    next().removeEmptyDirectory(directory);
  }

  @Override
  public void remove(Path file) throws IOException {
    next().remove(file);
  }

  @Override
  public Optional<FileCalls.Lock> tryLock(Path file) throws IOException {
    return next().tryLock(file);
  }
}
