package dev.contextd.storage.disk;

import dev.contextd.storage.chromem.Names;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A disk whose ways to write are made of single file operations.
 *
 * <p>Invariant: a file's final name only ever points at content that was written whole, and after
 * {@link #replaceDurably} at content that was fsynced before it got the name. Temp files are {@code
 * <name>.<n>.tmp}, which chromem-go does not read; one that a crash left behind is never reused.
 */
public final class LocalDisk implements Disk {
  /** Files of 48 MiB are always read, so that no document that was written is too large to read. */
  private static final long MIN_READ_LIMIT_BYTES = 48L << 20;

  /** A file costs several times its size while it is decoded, and some are decoded at once. */
  private static final int HEAP_SHARE = 8;

  private static final long MAX_READ_BYTES =
      Math.min(
          Integer.MAX_VALUE - Long.BYTES,
          Math.max(MIN_READ_LIMIT_BYTES, Runtime.getRuntime().maxMemory() / HEAP_SHARE));

  /** From so many names on, looking at each of them is worth a second thread. */
  private static final int MIN_PARALLEL_NAMES = 2_000;

  private static final int DIGEST_BUFFER_BYTES = 64 << 10;

  private final FileCalls calls;
  private final AtomicLong tempNumber = new AtomicLong();

  /** The machine's own disk. */
  public LocalDisk() {
    this(new LocalCalls());
  }

  public LocalDisk(FileCalls calls) {
    this.calls = calls;
  }

  @Override
  public List<String> names(Path directory) throws IOException {
    return calls.names(directory);
  }

  @Override
  public List<Entry> list(Path directory) throws IOException {
    return list(directory, Left.NONE).entries();
  }

  @Override
  public Listing list(Path directory, Left left) throws IOException {
    Listing found = calls.entries(directory, name -> entry(directory, name), left);
    return found == null
        ? new Listing(NameOrder.sorted(lookAtEach(directory)), new BitSet())
        : new Listing(NameOrder.sorted(found.entries()), found.asLeft());
  }

  @Override
  public Optional<LeftFolder> left(Path directory, Supplier<LeftFolder.Files> files)
      throws IOException {
    return Optional.ofNullable(calls.left(directory, files));
  }

  @Override
  public Look look(Path directory, LeftFolder left) {
    return calls.look(directory, left);
  }

  private List<Entry> lookAtEach(Path directory) throws IOException {
    List<String> names = calls.names(directory);
    return (names.size() < MIN_PARALLEL_NAMES ? names.stream() : names.parallelStream())
        .map(name -> entry(directory, name))
        .filter(Objects::nonNull)
        .toList();
  }

  /** One entry that cannot be looked at (a dead mount, say) must not hide its neighbours. */
  private @Nullable Entry entry(Path directory, String name) {
    try {
      FileCalls.Stat stat = calls.stat(directory.resolve(name));
      return stat == null
          ? null
          : new Entry(directory, name, stat.kind(), stat.size(), stat.modifiedNanos());
    } catch (IOException e) {
      return new Entry(directory, name, Kind.OTHER, 0, 0);
    }
  }

  @Override
  public boolean exists(Path path) throws IOException {
    return calls.stat(path) != null;
  }

  @Override
  public Kind kind(Path path) throws IOException {
    FileCalls.Stat stat = calls.stat(path);
    return stat == null ? Kind.OTHER : stat.kind();
  }

  @Override
  public Optional<FileCalls.Stat> stat(Path path) throws IOException {
    return Optional.ofNullable(calls.stat(path));
  }

  @Override
  public byte[] read(Path file) throws IOException {
    byte[] small = calls.readSmall(file);
    return small == null ? readOpened(file) : small;
  }

  private byte[] readOpened(Path file) throws IOException {
    try (FileCalls.OpenFile open = openRegular(file)) {
      long size = open.size();
      if (size > MAX_READ_BYTES) {
        throw new IOException(
            "it has %d bytes, this heap reads files of at most %d; give Java more with -Xmx"
                .formatted(size, MAX_READ_BYTES));
      }
      ByteBuffer content = ByteBuffer.allocate((int) size);
      int count = open.read(content, 0);
      return count < size ? Arrays.copyOf(content.array(), count) : content.array();
    }
  }

  @Override
  public Sum sum(Path file) throws IOException {
    MessageDigest digest = Names.sha256();
    ByteBuffer buffer = ByteBuffer.allocate(DIGEST_BUFFER_BYTES);
    long bytes = 0;
    try (FileCalls.OpenFile open = openRegular(file)) {
      for (int n = open.read(buffer, bytes); n > 0; n = open.read(buffer, bytes)) {
        bytes += n;
        digest.update(buffer.flip());
        buffer.clear();
      }
    }
    return new Sum(bytes, digest.digest());
  }

  @Override
  public Reader reader(Path file) throws IOException {
    FileCalls.OpenFile open = openRegular(file);
    return new Reader() {
      @Override
      public long size() throws IOException {
        return open.size();
      }

      @Override
      public void read(ByteBuffer target, long position) throws IOException {
        if (target.hasRemaining() && open.read(target, position) >= 0 && target.hasRemaining()) {
          throw new EOFException(file + " ends before byte " + (position + target.limit()));
        }
      }

      @Override
      public void close() throws IOException {
        open.close();
      }
    };
  }

  /** Opening a FIFO would wait for ever. */
  private FileCalls.OpenFile openRegular(Path file) throws IOException {
    FileCalls.Stat stat = calls.stat(file);
    if (stat == null) {
      throw new NoSuchFileException(file.toString());
    }
    if (stat.kind() != Kind.FILE && stat.kind() != Kind.SYMBOLIC_LINK) {
      throw new IOException(file + " is not a regular file");
    }
    return calls.open(file);
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    FileCalls.Stat stat = calls.stat(directory);
    if (stat != null && isDirectory(directory, stat)) {
      return;
    }
    Path parent = directory.toAbsolutePath().getParent();
    if (parent != null) {
      createDirectories(parent);
    }
    try {
      calls.createDirectory(directory);
    } catch (FileAlreadyExistsException e) {
      FileCalls.Stat now = calls.stat(directory);
      if (now == null || !isDirectory(directory, now)) {
        throw e;
      }
    }
    if (parent != null) {
      calls.syncDirectory(parent);
    }
  }

  /** A link to a folder is one too, above the root: users move their stores to other disks. */
  private boolean isDirectory(Path path, FileCalls.Stat stat) throws IOException {
    if (stat.kind() != Kind.SYMBOLIC_LINK) {
      return stat.kind() == Kind.DIRECTORY;
    }
    try {
      calls.names(path);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void replaceDurably(List<Image> images) throws IOException {
    List<Path> temps = new ArrayList<>(images.size());
    int renamed = 0;
    List<byte @Nullable []> before = new ArrayList<>(images.size());
    try {
      for (Image image : images) {
        before.add(exists(image.file()) ? read(image.file()) : null);
        temps.add(writeTemp(image));
      }
      for (Path temp : temps) {
        calls.syncFile(temp);
      }
      for (; renamed < images.size(); renamed++) {
        calls.rename(temps.get(renamed), images.get(renamed).file());
      }
      calls.syncDirectory(directoryOf(images));
    } catch (IOException e) {
      undo(images, before, renamed, temps, e);
      throw e;
    }
  }

  @Override
  public FileCalls.Stat replaceLazily(Image image) throws IOException {
    Path temp = writeTemp(image);
    try {
      FileCalls.Stat stat = calls.stat(temp);
      if (stat == null) {
        throw new NoSuchFileException(temp.toString());
      }
      calls.rename(temp, image.file());
      return stat;
    } catch (IOException e) {
      discard(temp, e);
      throw e;
    }
  }

  @Override
  public FileCalls.Stat createLazily(Image image) throws IOException {
    FileCalls.Stat created = calls.createWhole(image.file(), image.content());
    if (created != null) {
      return created;
    }
    if (exists(image.file())) {
      throw new FileAlreadyExistsException(image.file().toString());
    }
    return replaceLazily(image);
  }

  @Override
  public void writeBackSoon(Path root) {
    calls.writeBackSoon(root);
  }

  @Override
  public void syncAll(Path root) throws IOException {
    calls.syncFileSystem(root);
  }

  @Override
  public Closeable watch(Path root) throws IOException {
    return calls.watch(root);
  }

  @Override
  public void sync(Path file) throws IOException {
    calls.syncFile(file);
    calls.syncDirectory(parentOf(file));
  }

  @Override
  public void syncNames(Path directory) throws IOException {
    calls.syncDirectory(directory);
  }

  @Override
  public Appender appender(Path file) throws IOException {
    FileCalls.OpenFile open = calls.createShared(file);
    return new Appender() {
      private long size;
      private boolean isNamed;

      @Override
      public void append(ByteBuffer bytes) throws IOException {
        int count = bytes.remaining();
        open.append(bytes);
        size += count;
      }

      @Override
      public void reserve(int bytes) throws IOException {
        open.reserve(bytes);
      }

      @Override
      public long reserved() {
        return open.reserved();
      }

      @Override
      public void sync() throws IOException {
        open.force();
        if (!isNamed) {
          calls.syncDirectory(parentOf(file));
          isNamed = true;
        }
      }

      @Override
      public long size() {
        return size;
      }

      @Override
      public void close() throws IOException {
        open.close();
      }
    };
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    moveLazily(from, to);
    try {
      calls.syncDirectory(parentOf(to));
      calls.syncDirectory(parentOf(from));
    } catch (IOException e) {
      moveBack(to, from, e);
      throw e;
    }
  }

  @Override
  public void moveLazily(Path from, Path to) throws IOException {
    if (exists(to)) {
      throw new FileAlreadyExistsException(to.toString());
    }
    calls.rename(from, to);
  }

  @Override
  public void removeEmptyDirectory(Path directory) throws IOException {
    if (kind(directory) == Kind.DIRECTORY) {
      calls.remove(directory);
      calls.syncDirectory(parentOf(directory));
    }
  }

  @Override
  public void remove(Path file) throws IOException {
    calls.remove(file);
  }

  @Override
  public Optional<FileCalls.Lock> tryLock(Path file) throws IOException {
    return Optional.ofNullable(calls.tryLock(file));
  }

  private void moveBack(Path to, Path from, IOException cause) throws IOException {
    try {
      calls.rename(to, from);
    } catch (IOException e) {
      cause.addSuppressed(e);
      throw new UndoFailedException(from + " was moved to " + to + ", not durably", cause);
    }
  }

  private Path writeTemp(Image image) throws IOException {
    String name = fileName(image.file());
    while (true) {
      Path temp = image.file().resolveSibling(name + "." + tempNumber.getAndIncrement() + ".tmp");
      try (FileCalls.OpenFile open = calls.create(temp)) {
        try {
          open.append(ByteBuffer.wrap(image.content()));
          return temp;
        } catch (IOException e) {
          discard(temp, e);
          throw e;
        }
      } catch (FileAlreadyExistsException e) {
        // A crash left it behind: it is kept, and the next number is tried.
      }
    }
  }

  private void undo(
      List<Image> images,
      List<byte @Nullable []> before,
      int renamed,
      List<Path> temps,
      IOException cause)
      throws IOException {
    temps
        .subList(Math.min(renamed, temps.size()), temps.size())
        .forEach(temp -> discard(temp, cause));
    boolean undone = true;
    for (int i = 0; i < renamed; i++) {
      undone &= undoOne(images.get(i).file(), before.get(i), cause);
    }
    if (renamed > 0) {
      try {
        calls.syncDirectory(directoryOf(images));
      } catch (IOException e) {
        cause.addSuppressed(e);
        undone = false;
      }
    }
    if (!undone) {
      throw new UndoFailedException(
          "a write failed, and undoing it failed too: files in "
              + directoryOf(images)
              + " are partly new",
          cause);
    }
  }

  /** One file that cannot be put back must not keep the others from it. */
  private boolean undoOne(Path file, byte @Nullable [] old, IOException cause) {
    @Nullable Path temp = null;
    try {
      if (old == null) {
        calls.remove(file);
      } else {
        temp = writeTemp(new Image(file, old));
        calls.syncFile(temp);
        calls.rename(temp, file);
      }
      return true;
    } catch (IOException e) {
      cause.addSuppressed(e);
      if (temp != null) {
        discard(temp, cause);
      }
      return false;
    }
  }

  private void discard(Path temp, IOException cause) {
    try {
      if (exists(temp)) {
        calls.remove(temp);
      }
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  private static Path directoryOf(List<Image> images) {
    return parentOf(images.getFirst().file());
  }

  private static Path parentOf(Path path) {
    Path parent = path.toAbsolutePath().getParent();
    return parent == null ? path : parent;
  }

  private static String fileName(Path path) {
    Path name = path.getFileName();
    return name == null ? "" : name.toString();
  }
}
