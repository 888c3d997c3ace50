package dev.contextd.storage.check;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.disk.ForwardingDisk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The machine's disk, which refuses to write and fails to read what the test says. */
final class ReadFaults extends ForwardingDisk {
  private static final Disk REAL = new LocalDisk();

  private final Fault fault;
  private final Optional<Path> unseen;

  ReadFaults(Fault fault) {
    this(fault, Optional.empty());
  }

  /**
   * Fails.
   *
   * @param unseen what is listed and cannot be looked at
   */
  ReadFaults(Fault fault, Optional<Path> unseen) {
    this.fault = fault;
    this.unseen = unseen;
  }

  /** Throws for the files and folders that cannot be read. */
  @FunctionalInterface
  interface Fault {
    void before(Path path) throws IOException;
  }

  @Override
  protected Disk next() {
    return REAL;
  }

  @Override
  public List<Entry> list(Path directory) throws IOException {
    fault.before(directory);
    return REAL.list(directory).stream().map(this::seen).toList();
  }

  private Entry seen(Entry entry) {
    return unseen.filter(entry.path()::equals).isPresent()
        ? new Entry(entry.directory(), entry.name(), Kind.OTHER, 0, 0)
        : entry;
  }

  @Override
  public byte[] read(Path file) throws IOException {
    fault.before(file);
    return REAL.read(file);
  }

  @Override
  public Reader reader(Path file) throws IOException {
    fault.before(file);
    return REAL.reader(file);
  }

  @Override
  public Kind kind(Path path) throws IOException {
    if (unseen.filter(path::equals).isPresent()) {
      fault.before(path);
    }
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
  public FileCalls.Stat replaceLazily(Image image) {
    throw new AssertionError("the check writes nothing");
  }

  @Override
  public FileCalls.Stat createLazily(Image image) {
    throw new AssertionError("the check writes nothing");
  }

  @Override
  public Appender appender(Path file) {
    throw new AssertionError("the check writes nothing");
  }

  @Override
  public void move(Path from, Path to) {
    throw new AssertionError("the check moves nothing");
  }

  @Override
  public void moveLazily(Path from, Path to) {
    throw new AssertionError("the check moves nothing");
  }

  @Override
  public void remove(Path file) {
    throw new AssertionError("the check removes nothing");
  }

  @Override
  public void removeEmptyDirectory(Path directory) {
    throw new AssertionError("the check removes nothing");
  }
}
