package dev.contextd.testkit;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.testkit.Operation.Name;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory that can lose power after any of its operations.
 *
 * <p>Paths are only names here, below a root that exists. Every operation that changes something or
 * makes it durable is appended to a log; {@link #crash} gives the disk as it may be found when
 * power was lost right after the first of them. What may survive is described at {@link PowerLoss}.
 * The rest follows the interface: a file's sync makes its bytes durable and not its name, a
 * folder's sync the names in it and not their content, and a created folder's own name needs the
 * sync of the folder above.
 *
 * <p>Safe for many threads.
 */
public final class PowerCalls implements FileCalls {
  /** Time passes by operations, so that a seed repeats it. */
  private static final long TICK_NANOS = TimeUnit.MICROSECONDS.toNanos(1);

  private static final long START_NANOS = TimeUnit.DAYS.toNanos(20_000);

  private record Logged(Operation operation, long time, String text) {}

  private final Inodes before;
  private final Inodes now;
  private final long start;
  private final SyncSite lies;
  private final List<Logged> log = new ArrayList<>();
  private final Set<Integer> locked = new HashSet<>();
  private long time;
  private int ignored;

  /** An empty disk. */
  public PowerCalls() {
    this(new Inodes(), START_NANOS, (_, _) -> false);
  }

  private PowerCalls(Inodes durable, long time, SyncSite lies) {
    this.before = durable;
    this.now = durable.copy();
    this.start = time;
    this.time = time;
    this.lies = lies;
  }

  /** A disk that holds what this one holds, all durable, and does nothing when a site syncs. */
  public synchronized PowerCalls without(SyncSite site) {
    return new PowerCalls(now.copy(), time, site);
  }

  /** How many syncs did nothing because of {@link #without}. */
  public synchronized int ignored() {
    return ignored;
  }

  /** How many operations there were. */
  public synchronized int logLength() {
    return log.size();
  }

  /** The operations from one number to before another, for messages. */
  public synchronized List<String> describe(int from, int to) {
    return log.subList(Math.max(0, from), Math.min(to, log.size())).stream()
        .map(Logged::text)
        .toList();
  }

  /** As the other, by chance with one of the {@link Survivors}. */
  public PowerCalls crash(int prefix, Random choices) {
    Survivors[] all = Survivors.values();
    boolean any = choices.nextBoolean();
    return crash(prefix, any ? Survivors.ANY : all[choices.nextInt(all.length)], choices);
  }

  /**
   * The disk after power was lost right after the first operations, with an empty log and all that
   * survived durable. It does not lie, and this disk goes on as if nothing had happened.
   *
   * @param prefix how many operations, 0 to {@link #logLength}
   * @param choices makes the same of the same log
   */
  public PowerCalls crash(int prefix, Survivors survivors, Random choices) {
    PowerLoss loss;
    List<Logged> done;
    synchronized (this) {
      loss = new PowerLoss(before.copy());
      done = List.copyOf(log.subList(0, prefix));
    }
    done.forEach(logged -> loss.apply(logged.operation(), logged.time()));
    long last = done.isEmpty() ? start : done.getLast().time();
    return new PowerCalls(loss.choose(survivors, choices), last, (_, _) -> false);
  }

  /**
   * The disk after the process was killed right after the first operations, while the power stayed:
   * all of them are seen, no lock is held, and what was not synced can still be lost.
   *
   * @param prefix how many operations, 0 to {@link #logLength}, with which the new log begins
   */
  public synchronized PowerCalls kill(int prefix) {
    PowerCalls killed = new PowerCalls(before.copy(), start, lies);
    for (Logged done : log.subList(0, prefix)) {
      killed.now.apply(done.operation(), done.time());
      killed.log.add(done);
      killed.time = done.time();
    }
    return killed;
  }

  /** Writes everything below the root to a real folder, so that other programs can look at it. */
  public synchronized void materialise(Path realFolder) throws IOException {
    Files.createDirectories(realFolder);
    materialise(now.directory(Inodes.ROOT), realFolder);
  }

  private void materialise(Inodes.Directory directory, Path to) throws IOException {
    for (Map.Entry<String, Integer> name : directory.names.entrySet()) {
      Path path = to.resolve(name.getKey());
      switch (now.node(name.getValue())) {
        case Inodes.Directory inner -> {
          Files.createDirectory(path);
          materialise(inner, path);
        }
        case Inodes.File file -> Files.write(path, file.content());
      }
    }
  }

  @Override
  public synchronized List<String> names(Path directory) throws IOException {
    if (now.node(require(directory)) instanceof Inodes.Directory found) {
      return List.copyOf(found.names.keySet());
    }
    throw new NotDirectoryException(directory.toString());
  }

  @Override
  public synchronized @Nullable Stat stat(Path path) {
    Integer number = findUnlessBelowFile(path);
    if (number == null) {
      return null;
    }
    return switch (now.node(number)) {
      case Inodes.File file -> new Stat(Disk.Kind.FILE, file.size(), file.modified(), number);
      case Inodes.Directory directory ->
          new Stat(Disk.Kind.DIRECTORY, directory.names.size(), directory.modified(), number);
    };
  }

  @Override
  public synchronized OpenFile create(Path file) throws IOException {
    return new Opened(file, createNode(file, false), true);
  }

  /** Other than in the real one a kill may come between the name and the content. */
  @Override
  public synchronized @Nullable Stat createWhole(Path file, byte[] content) throws IOException {
    try (OpenFile created = create(file)) {
      created.append(ByteBuffer.wrap(content));
    }
    return stat(file);
  }

  @Override
  public synchronized OpenFile open(Path file) throws IOException {
    return new Opened(file, requireFile(file), false);
  }

  @Override
  public synchronized void createDirectory(Path directory) throws IOException {
    createNode(directory, true);
  }

  private int createNode(Path path, boolean isDirectory) throws IOException {
    if (now.find(path) != null) {
      throw new FileAlreadyExistsException(path.toString());
    }
    int number = now.fresh();
    log(
        new Operation.Create(nameOf(path), number, isDirectory),
        (isDirectory ? "create folder " : "create ") + path);
    return number;
  }

  @Override
  public synchronized void rename(Path from, Path to) throws IOException {
    int number = require(from);
    Integer replaced = now.find(to);
    if (replaced != null && replaced == number) {
      return; // As rename(2) does with two names of one file.
    }
    if (replaced != null && (isDirectory(number) || isDirectory(replaced))) {
      throw new FileSystemException(to.toString(), null, "Is a directory");
    }
    if (to.toAbsolutePath().normalize().startsWith(from.toAbsolutePath().normalize())) {
      throw new FileSystemException(to.toString(), null, "Invalid argument");
    }
    log(new Operation.Rename(nameOf(from), nameOf(to), number), "rename " + from + " to " + to);
  }

  @Override
  public synchronized void remove(Path path) throws IOException {
    int number = require(path);
    if (now.node(number) instanceof Inodes.Directory directory && !directory.names.isEmpty()) {
      throw new DirectoryNotEmptyException(path.toString());
    }
    log(new Operation.Remove(nameOf(path), number), "remove " + path);
  }

  @Override
  public synchronized void syncFile(Path file) throws IOException {
    sync(SyncSite.Call.FILE, file, new Operation.SyncFile(requireFile(file)));
  }

  @Override
  public synchronized void syncDirectory(Path directory) throws IOException {
    int number = require(directory);
    if (!isDirectory(number)) {
      throw new NotDirectoryException(directory.toString());
    }
    sync(SyncSite.Call.DIRECTORY, directory, new Operation.SyncDirectory(number));
  }

  @Override
  public synchronized void syncFileSystem(Path root) throws IOException {
    require(root);
    sync(SyncSite.Call.FILE_SYSTEM, root, new Operation.SyncFileSystem());
  }

  private void sync(SyncSite.Call call, Path path, Operation operation) {
    if (lies.matches(call, path)) {
      ignored++;
    } else {
      log(operation, "sync " + call + " " + path);
    }
  }

  /** Succeeds unless the file is locked through this very object; a crash ends all locks. */
  @Override
  public synchronized @Nullable Lock tryLock(Path file) throws IOException {
    int number = now.find(file) == null ? createNode(file, false) : requireFile(file);
    if (!locked.add(number)) {
      return null;
    }
    return () -> {
      synchronized (PowerCalls.this) {
        locked.remove(number);
      }
    };
  }

  private void log(Operation operation, String text) {
    time += TICK_NANOS;
    now.apply(operation, time);
    log.add(new Logged(operation, time, text));
  }

  private boolean isDirectory(int number) {
    return now.node(number) instanceof Inodes.Directory;
  }

  /** Java takes "not a directory" for "not there", as long as it only looks. */
  private @Nullable Integer findUnlessBelowFile(Path path) {
    try {
      return now.find(path);
    } catch (FileSystemException e) {
      return null;
    }
  }

  private int require(Path path) throws IOException {
    Integer number = now.find(path);
    if (number == null) {
      throw new NoSuchFileException(path.toString());
    }
    return number;
  }

  private int requireFile(Path path) throws IOException {
    int number = require(path);
    if (isDirectory(number)) {
      throw new FileSystemException(path.toString(), null, "Is a directory");
    }
    return number;
  }

  /** The folder must exist, the name in it need not. */
  private Name nameOf(Path path) throws IOException {
    Path absolute = path.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    Path name = absolute.getFileName();
    if (parent == null || name == null) {
      throw new FileSystemException(path.toString(), null, "Device or resource busy");
    }
    int directory = require(parent);
    if (!isDirectory(directory)) {
      throw new FileSystemException(path.toString(), null, "Not a directory");
    }
    return new Name(directory, name.toString());
  }

  /** Stays with its file whatever the names become, as an open file does. */
  private final class Opened implements OpenFile {
    private final Path path;
    private final int number;
    private final boolean isWritable;
    private int end;
    private boolean isClosed;

    Opened(Path path, int number, boolean isWritable) {
      this.path = path;
      this.number = number;
      this.isWritable = isWritable;
    }

    @Override
    public void append(ByteBuffer bytes) throws IOException {
      synchronized (PowerCalls.this) {
        requireOpen();
        if (!isWritable) {
          throw new NonWritableChannelException();
        }
        byte[] over = new byte[Math.min(bytes.remaining(), room())];
        bytes.get(over);
        if (over.length > 0) {
          log(
              new Operation.Overwrite(number, end, over),
              "overwrite %d of %s at %d".formatted(over.length, path, end));
        }
        byte[] behind = new byte[bytes.remaining()];
        bytes.get(behind);
        if (behind.length > 0) {
          log(new Operation.Append(number, behind), "append " + behind.length + " to " + path);
        }
        end += over.length + behind.length;
      }
    }

    private int room() {
      return now.file(number).size() - end;
    }

    @Override
    public void reserve(int bytes) throws IOException {
      synchronized (PowerCalls.this) {
        requireOpen();
        int lacking = bytes - room();
        if (lacking > 0) {
          log(
              new Operation.Append(number, new byte[lacking]),
              "append " + lacking + " zeros to " + path);
        }
      }
    }

    @Override
    public long reserved() {
      synchronized (PowerCalls.this) {
        return room();
      }
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
      synchronized (PowerCalls.this) {
        requireOpen();
        if (isWritable) {
          throw new NonReadableChannelException();
        }
        return now.file(number).read(target, position);
      }
    }

    @Override
    public long size() throws IOException {
      synchronized (PowerCalls.this) {
        requireOpen();
        return now.file(number).size();
      }
    }

    @Override
    public void force() throws IOException {
      synchronized (PowerCalls.this) {
        requireOpen();
        sync(SyncSite.Call.FILE, path, new Operation.SyncFile(number));
      }
    }

    @Override
    public void close() {
      synchronized (PowerCalls.this) {
        if (isWritable && !isClosed && room() > 0) {
          log(new Operation.Truncate(number, end), "truncate %s to %d".formatted(path, end));
        }
        isClosed = true;
      }
    }

    private void requireOpen() throws IOException {
      if (isClosed) {
        throw new ClosedChannelException();
      }
    }
  }
}
