package dev.contextd.storage.disk;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A folder of files that are only read, and are nowhere on disk. */
public final class FilesInMemory extends ForwardingDisk {
  private final Path directory;
  private final Map<String, byte[]> files;

  public FilesInMemory(Path directory, Map<String, byte[]> files) {
    this.directory = directory;
    this.files = Map.copyOf(files);
  }

  @Override
  protected Disk next() throws IOException {
    throw new IOException("these files are only read");
  }

  @Override
  public List<Entry> list(Path folder) {
    return files.entrySet().stream()
        .map(file -> new Entry(directory, file.getKey(), Kind.FILE, file.getValue().length, 0))
        .toList();
  }

  @Override
  public boolean exists(Path path) {
    return path.equals(directory) || files.containsKey(name(path));
  }

  @Override
  public Kind kind(Path path) {
    return path.equals(directory) ? Kind.DIRECTORY : Kind.FILE;
  }

  @Override
  public byte[] read(Path file) throws IOException {
    byte[] content = files.get(name(file));
    if (content == null) {
      throw new NoSuchFileException(file.toString());
    }
    return content;
  }

  @Override
  public Reader reader(Path file) throws IOException {
    byte[] content = read(file);
    return new Reader() {
      @Override
      public long size() {
        return content.length;
      }

      @Override
      public void read(ByteBuffer target, long position) throws IOException {
        if (position + target.remaining() > content.length) {
          throw new EOFException(file + " ends before");
        }
        target.put(content, (int) position, target.remaining());
      }

      @Override
      public void close() {
        // Nothing is open.
      }
    };
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }
}
