package dev.contextd.storage.disk;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that threads of others write to in turn: no interrupt of one of them closes it, as it
 * would close a channel.
 */
final class SharedFile implements FileCalls.OpenFile {
  private static final Logger log = LoggerFactory.getLogger(SharedFile.class);
  private static final int BUFFER_BYTES = 64 << 10;

  /** So many synced bytes leave the system's memory at once; a multiple of any page. */
  private static final long FREED_BYTES = 1 << 20;

  private final Path path;
  private final RandomAccessFile file;
  private final boolean freesMemory;

  /** Null where the file is synced with Java's own call. */
  private final @Nullable DataSync sync;

  private long end;

  /** The file's length, zeros behind {@link #end} included. */
  private long length;

  private long freed;

  private SharedFile(Path path, RandomAccessFile file, boolean freesMemory, @Nullable DataSync sync)
      throws IOException {
    this.path = path;
    this.file = file;
    this.freesMemory = freesMemory;
    this.sync = sync;
    this.end = file.length();
    this.length = end;
  }

  /**
   * Opens a file that is there for appending.
   *
   * @param isLinux whether Linux's own calls may be used: what was synced leaves the system's
   *     memory then, and no times are synced
   */
  static SharedFile open(Path path, boolean isLinux) throws IOException {
    DataSync sync = isLinux ? DataSync.open(path) : null;
    if (sync != null) {
      try {
        return open(path, sync.file(), isLinux, sync);
      } catch (FileNotFoundException e) {
        sync.close();
        log.debug("{} is synced with its times: {}", path, e.toString());
      } catch (IOException | RuntimeException | Error e) {
        sync.close();
        throw e;
      }
    }
    return open(path, path.toFile(), isLinux, null);
  }

  private static SharedFile open(Path path, File name, boolean freesMemory, @Nullable DataSync sync)
      throws IOException {
    RandomAccessFile file = new RandomAccessFile(name, "rw");
    try {
      return new SharedFile(path, file, freesMemory, sync);
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  @Override
  public void append(ByteBuffer bytes) throws IOException {
    try {
      write(bytes);
    } finally {
      length = Math.max(length, end);
    }
  }

  @Override
  public void reserve(int bytes) throws IOException {
    int lacking = (int) (bytes - reserved());
    if (lacking <= 0) {
      return;
    }
    try {
      file.seek(length);
      file.write(new byte[lacking]);
      length += lacking;
    } catch (IOException e) {
      length = Math.max(length, file.length());
      takeBack(); // On a full disk others need it.
      throw e;
    }
  }

  @Override
  public long reserved() {
    return length - end;
  }

  private void write(ByteBuffer bytes) throws IOException {
    file.seek(end);
    if (bytes.hasArray()) {
      int count = bytes.remaining();
      file.write(bytes.array(), bytes.arrayOffset() + bytes.position(), count);
      bytes.position(bytes.limit());
      end += count;
      return;
    }
    byte[] buffer = new byte[Math.min(bytes.remaining(), BUFFER_BYTES)];
    while (bytes.hasRemaining()) {
      int count = Math.min(bytes.remaining(), buffer.length);
      bytes.get(buffer, 0, count);
      file.write(buffer, 0, count);
      end += count;
    }
  }

  @Override
  public int read(ByteBuffer target, long position) throws IOException {
    file.seek(position);
    byte[] buffer = new byte[Math.min(target.remaining(), BUFFER_BYTES)];
    int total = 0;
    while (target.hasRemaining()) {
      int count = file.read(buffer, 0, Math.min(target.remaining(), buffer.length));
      if (count < 0) {
        break;
      }
      target.put(buffer, 0, count);
      total += count;
    }
    return total;
  }

  @Override
  public long size() throws IOException {
    return file.length();
  }

  @Override
  public void force() throws IOException {
    if (sync == null) {
      file.getFD().sync();
    } else {
      sync.call();
    }
    long whole = end - end % FREED_BYTES;
    if (freesMemory && whole > freed) {
      long from = freed;
      freed = whole;
      free(from, whole);
    }
  }

  /** What is synced is synced, whatever becomes of the advice. */
  private void free(long from, long to) {
    try {
      PageCache.INSTANCE.free(path, from, to);
    } catch (RuntimeException | Error e) {
      log.debug("the memory of {} is not freed", path, e);
    }
  }

  @Override
  public void close() throws IOException {
    try (file) {
      takeBack();
    } finally {
      if (sync != null) {
        sync.close();
      }
    }
  }

  /** What stands before the zeros is what counts, whatever becomes of them. */
  private void takeBack() {
    if (length > end) {
      try {
        FileTime written = Files.getLastModifiedTime(path);
        file.setLength(end);
        length = end;
        Files.setLastModifiedTime(path, written); // It tells of what was appended.
      } catch (IOException e) {
        log.debug("{} keeps {} zeros: {}", path, length - end, e.toString());
      }
    }
  }
}
