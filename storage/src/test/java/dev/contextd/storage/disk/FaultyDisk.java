package dev.contextd.storage.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** The machine's disk, where a test decides before each write whether it fails. */
public final class FaultyDisk extends ForwardingDisk {
  private final Disk real = new LocalDisk();
  private volatile Fault fault = (_, _) -> {};
  private volatile boolean refusesRoom;

  /** What is about to be written. */
  public enum Operation {
    CREATE,
    APPEND,
    SYNC,
    REPLACE,
    SYNC_ALL,
    MOVE,
    REMOVE
  }

  /** Throws to make a write fail; half of a failing append reaches the file. */
  @FunctionalInterface
  public interface Fault {
    void before(Operation operation, Path path) throws IOException;
  }

  public void fault(Fault newFault) {
    fault = newFault;
  }

  /** Something that a test does beside. */
  @FunctionalInterface
  public interface Step {
    void run() throws IOException;
  }

  /**
   * Does something before the next file is moved: a checkpoint that moves any has begun by then,
   * and has written nothing.
   */
  public void beforeNextMove(Step step) {
    fault((operation, _) -> {
      if (operation == Operation.MOVE) {
        heal();
        step.run();
      }
    });
  }

  /** No file gets room before it is filled. */
  public void refuseRoom() {
    refusesRoom = true;
  }

  public void heal() {
    fault = (_, _) -> {};
  }

  @Override
  protected Disk next() {
    return real;
  }

  @Override
  public Appender appender(Path file) throws IOException {
    fault.before(Operation.CREATE, file);
    Appender appender = real.appender(file);
    return new Appender() {
      @Override
      public void append(ByteBuffer bytes) throws IOException {
        try {
          fault.before(Operation.APPEND, file);
        } catch (IOException e) {
          appender.append(bytes.duplicate().limit(bytes.position() + bytes.remaining() / 2));
          throw e;
        }
        appender.append(bytes);
      }

      @Override
      public void reserve(int bytes) throws IOException {
        if (refusesRoom) {
          throw new IOException("injected");
        }
        appender.reserve(bytes);
      }

      @Override
      public long reserved() {
        return appender.reserved();
      }

      @Override
      public void sync() throws IOException {
        fault.before(Operation.SYNC, file);
        appender.sync();
      }

      @Override
      public long size() {
        return appender.size();
      }

      @Override
      public void close() throws IOException {
        appender.close();
      }
    };
  }

  @Override
  public void replaceDurably(List<Image> images) throws IOException {
    fault.before(Operation.REPLACE, images.getFirst().file());
    real.replaceDurably(images);
  }

  @Override
  public FileCalls.Stat replaceLazily(Image image) throws IOException {
    fault.before(Operation.REPLACE, image.file());
    return real.replaceLazily(image);
  }

  @Override
  public FileCalls.Stat createLazily(Image image) throws IOException {
    fault.before(Operation.REPLACE, image.file());
    return real.createLazily(image);
  }

  @Override
  public void syncAll(Path root) throws IOException {
    fault.before(Operation.SYNC_ALL, root);
    real.syncAll(root);
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    fault.before(Operation.MOVE, from);
    real.move(from, to);
  }

  @Override
  public void moveLazily(Path from, Path to) throws IOException {
    fault.before(Operation.MOVE, from);
    real.moveLazily(from, to);
  }

  @Override
  public void remove(Path file) throws IOException {
    fault.before(Operation.REMOVE, file);
    real.remove(file);
  }
}
