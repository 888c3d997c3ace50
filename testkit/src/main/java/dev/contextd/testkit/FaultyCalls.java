package dev.contextd.testkit;

import dev.contextd.storage.disk.FileCalls;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A disk's single operations, where a test decides before each whether it fails. */
public final class FaultyCalls implements FileCalls {
  private final FileCalls calls;
  private volatile Fault fault = (_, _) -> {};

  public FaultyCalls(FileCalls calls) {
    this.calls = calls;
  }

  /** What is about to be done. */
  public enum Call {
    NAMES,
    STAT,
    CREATE,
    CREATE_WHOLE,
    OPEN,
    APPEND,
    READ,
    SIZE,
    FORCE,
    CREATE_DIRECTORY,
    RENAME,
    REMOVE,
    SYNC_FILE,
    SYNC_DIRECTORY,
    SYNC_FILE_SYSTEM,
    WATCH,
    LOCK
  }

  /** Throws to make an operation fail before it has done anything. */
  @FunctionalInterface
  public interface Fault {
    void before(Call call, Path path) throws IOException;
  }

  /** Thrown before an append: half of it reaches the file all the same. */
  public static final class ShortWriteException extends IOException {
    private static final long serialVersionUID = 1L;

    public ShortWriteException(String message) {
      super(message);
    }
  }

  public void fault(Fault newFault) {
    fault = newFault;
  }

  public void heal() {
    fault = (_, _) -> {};
  }

  private final class Faulty implements OpenFile {
    private final Path path;
    private final OpenFile file;

    Faulty(Path path, OpenFile file) {
      this.path = path;
      this.file = file;
    }

    @Override
    public void append(ByteBuffer bytes) throws IOException {
      try {
        fault.before(Call.APPEND, path);
      } catch (ShortWriteException e) {
        file.append(bytes.duplicate().limit(bytes.position() + bytes.remaining() / 2));
        throw e;
      }
      file.append(bytes);
    }

    @Override
    public void reserve(int bytes) throws IOException {
      fault.before(Call.APPEND, path);
      file.reserve(bytes);
    }

    @Override
    public long reserved() {
      return file.reserved();
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
      fault.before(Call.READ, path);
      return file.read(target, position);
    }

    @Override
    public long size() throws IOException {
      fault.before(Call.SIZE, path);
      return file.size();
    }

    @Override
    public void force() throws IOException {
      fault.before(Call.FORCE, path);
      file.force();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }

  @Override
  public List<String> names(Path directory) throws IOException {
    fault.before(Call.NAMES, directory);
    return calls.names(directory);
  }

  @Override
  public @Nullable Stat stat(Path path) throws IOException {
    fault.before(Call.STAT, path);
    return calls.stat(path);
  }

  @Override
  public OpenFile create(Path file) throws IOException {
    fault.before(Call.CREATE, file);
    return new Faulty(file, calls.create(file));
  }

  /** The first half of a short write has no name, and is gone with it. */
  @Override
  public @Nullable Stat createWhole(Path file, byte[] content) throws IOException {
    fault.before(Call.CREATE_WHOLE, file);
    return calls.createWhole(file, content);
  }

  @Override
  public OpenFile createShared(Path file) throws IOException {
    fault.before(Call.CREATE, file);
    return new Faulty(file, calls.createShared(file));
  }

  @Override
  public OpenFile open(Path file) throws IOException {
    fault.before(Call.OPEN, file);
    return new Faulty(file, calls.open(file));
  }

  @Override
  public void createDirectory(Path directory) throws IOException {
    fault.before(Call.CREATE_DIRECTORY, directory);
    calls.createDirectory(directory);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    fault.before(Call.RENAME, from);
    calls.rename(from, to);
  }

  @Override
  public void remove(Path path) throws IOException {
    fault.before(Call.REMOVE, path);
    calls.remove(path);
  }

  @Override
  public void syncFile(Path file) throws IOException {
    fault.before(Call.SYNC_FILE, file);
    calls.syncFile(file);
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    fault.before(Call.SYNC_DIRECTORY, directory);
    calls.syncDirectory(directory);
  }

  @Override
  public Closeable watch(Path root) throws IOException {
    fault.before(Call.WATCH, root);
    return calls.watch(root);
  }

  @Override
  public void syncFileSystem(Path root) throws IOException {
    fault.before(Call.SYNC_FILE_SYSTEM, root);
    calls.syncFileSystem(root);
  }

  @Override
  public @Nullable Lock tryLock(Path file) throws IOException {
    fault.before(Call.LOCK, file);
    return calls.tryLock(file);
  }
}
