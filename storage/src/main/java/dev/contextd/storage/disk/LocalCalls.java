package dev.contextd.storage.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The machine's own file operations. */
final class LocalCalls implements FileCalls {
  private static final Logger log = LoggerFactory.getLogger(LocalCalls.class);
  private static final boolean POSIX =
      FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
  private static final FileAttribute<?>[] FILE_MODE = mode("rw-------");
  private static final FileAttribute<?>[] DIRECTORY_MODE = mode("rwx------");
  private static final Set<OpenOption> READ =
      Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
  private static final Set<OpenOption> CREATE =
      Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
  private static final Set<OpenOption> LOCK =
      Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE, LinkOption.NOFOLLOW_LINKS);

  /** A folder of so many bytes has about two thousand names: the quicker way has to be linked. */
  private static final long MIN_LARGE_BYTES = 64 << 10;

  /** Who reads so many files reads more: the quicker way has to be linked. */
  private static final int MIN_READS = 1_000;

  private static final boolean HAS_SYNC_FS =
      System.getProperty("os.name", "").equals("Linux")
          && LocalCalls.class.getModule().isNativeAccessEnabled();

  /**
   * The locks of this process, whatever the object that took them: the system counts them by
   * process, and opening a locked file again, only to close it, would give the lock away.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private volatile boolean createsNoneWhole;

  /** Folders that stay open so that the system tells each failure of their disk. */
  private final Map<Path, Integer> watched = new ConcurrentHashMap<>();

  private final AtomicInteger reads = new AtomicInteger();
  private final AtomicBoolean isWritingBack = new AtomicBoolean();

  /** What was written and not synced; kept only where the system has no call for all at once. */
  private final Set<Path> unsynced = ConcurrentHashMap.newKeySet();

  @Override
  public List<String> names(Path directory) throws IOException {
    LinuxFolder linux = ofLarge(directory);
    List<String> all = linux == null ? null : linux.names(directory);
    return all == null ? streamed(directory) : all;
  }

  /** Whether its name means the same to the system, whose own calls may be used. */
  private static boolean isOfLinux(Path path) {
    return HAS_SYNC_FS && path.getFileSystem().equals(FileSystems.getDefault());
  }

  private static List<String> streamed(Path directory) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      for (Path path : stream) {
        names.add(String.valueOf(path.getFileName()));
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return names;
  }

  @Override
  public Disk.@Nullable Listing entries(
      Path directory, Function<String, Disk.@Nullable Entry> byName, Disk.Left left)
      throws IOException {
    LinuxFolder linux = ofLarge(directory);
    return linux == null ? null : linux.entries(directory, byName, left);
  }

  @Override
  public @Nullable LeftFolder left(Path directory, Supplier<LeftFolder.Files> files)
      throws IOException {
    LinuxFolder linux = ofLarge(directory);
    return linux == null ? null : linux.left(directory, files.get());
  }

  @Override
  public Disk.Look look(Path directory, LeftFolder left) {
    return isForUs(directory) ? new LinuxLook(directory, left) : Disk.Look.NONE;
  }

  private static boolean isForUs(Path directory) {
    return isOfLinux(directory) && LinuxFiles.isForUs(directory);
  }

  private @Nullable LinuxFolder ofLarge(Path directory) throws IOException {
    if (!isForUs(directory)) {
      return null;
    }
    Stat folder = stat(directory);
    boolean isLarge = folder != null && folder.size() >= MIN_LARGE_BYTES;
    return isLarge ? LinuxFolder.find().orElse(null) : null;
  }

  @Override
  public @Nullable Stat stat(Path path) throws IOException {
    // An exception for every name that is not there would cost more than the call.
    BasicFileAttributes attributes =
        path.getFileSystem()
            .provider()
            .readAttributesIfExists(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    return attributes == null
        ? null
        : new Stat(
            kind(attributes),
            attributes.size(),
            attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS),
            attributes.fileKey() == null ? path : attributes.fileKey());
  }

  private static Disk.Kind kind(BasicFileAttributes attributes) {
    if (attributes.isRegularFile()) {
      return Disk.Kind.FILE;
    }
    if (attributes.isDirectory()) {
      return Disk.Kind.DIRECTORY;
    }
    return attributes.isSymbolicLink() ? Disk.Kind.SYMBOLIC_LINK : Disk.Kind.OTHER;
  }

  private record Channel(FileChannel channel) implements OpenFile {
    @Override
    public void append(ByteBuffer bytes) throws IOException {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
      int begin = target.position();
      long at = position;
      while (target.hasRemaining()) {
        int count = channel.read(target, at);
        if (count < 0) {
          break;
        }
        at += count;
      }
      return target.position() - begin;
    }

    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public void force() throws IOException {
      channel.force(true);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  @Override
  public OpenFile create(Path file) throws IOException {
    OpenFile created = new Channel(FileChannel.open(file, CREATE, FILE_MODE));
    note(file);
    return created;
  }

  @Override
  public @Nullable Stat createWhole(Path file, byte[] content) throws IOException {
    if (!isOfLinux(file) || createsNoneWhole) {
      return null;
    }
    LinuxFiles linux = LinuxFiles.find().orElse(null);
    Stat stat = linux == null ? null : linux.create(file, content);
    if (stat == null) {
      createsNoneWhole = true;
    }
    return stat;
  }

  @Override
  public OpenFile createShared(Path file) throws IOException {
    if (!file.getFileSystem().equals(FileSystems.getDefault())) {
      return create(file);
    }
    create(file).close();
    return SharedFile.open(file, HAS_SYNC_FS);
  }

  @Override
  public OpenFile open(Path file) throws IOException {
    return new Channel(FileChannel.open(file, READ));
  }

  @Override
  public byte @Nullable [] readSmall(Path file) {
    if (!isOfLinux(file) || (reads.get() < MIN_READS && reads.incrementAndGet() < MIN_READS)) {
      return null;
    }
    LinuxFiles linux = LinuxFiles.find().orElse(null);
    return linux == null ? null : linux.read(file);
  }

  @Override
  public void createDirectory(Path directory) throws IOException {
    Files.createDirectory(directory, DIRECTORY_MODE);
    note(directory);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    unsynced.remove(from);
    note(to);
  }

  @Override
  public void remove(Path path) throws IOException {
    Files.delete(path);
    unsynced.remove(path);
  }

  @Override
  public void syncFile(Path file) throws IOException {
    Unhindered.run(() -> sync(file, StandardOpenOption.WRITE));
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    if (!POSIX) {
      return; // Windows opens no directories; its file system journals the names itself.
    }
    Unhindered.run(() -> sync(directory, StandardOpenOption.READ));
  }

  private static void sync(Path path, OpenOption how) throws IOException {
    try (FileChannel channel = FileChannel.open(path, how)) {
      channel.force(true);
    }
  }

  @Override
  public Closeable watch(Path root) throws IOException {
    if (!HAS_SYNC_FS) {
      return () -> {};
    }
    int file = SyncFs.INSTANCE.open(root);
    watched.put(root, file);
    return () -> {
      if (watched.remove(root, file)) {
        SyncFs.INSTANCE.close(file);
      }
    };
  }

  @Override
  public void writeBackSoon(Path root) {
    if (watched.containsKey(root) && isWritingBack.compareAndSet(false, true)) {
      Thread.ofPlatform().daemon().name("write-back").start(() -> writeBack(root));
    }
  }

  /** Through a file of its own: whatever fails is told to the one that stays open as well. */
  private void writeBack(Path root) {
    try {
      SyncFs.INSTANCE.call(root);
    } catch (IOException e) {
      log.debug("what was written back early fails again when it is synced: {}", e.toString());
    } finally {
      isWritingBack.set(false);
    }
  }

  @Override
  public void syncFileSystem(Path root) throws IOException {
    if (HAS_SYNC_FS) {
      Integer open = watched.get(root);
      if (open == null) {
        SyncFs.INSTANCE.call(root);
      } else {
        SyncFs.INSTANCE.sync(root, open);
      }
      return;
    }
    List<Path> paths = List.copyOf(unsynced);
    unsynced.clear();
    try {
      Set<Path> directories = ConcurrentHashMap.newKeySet();
      for (Path path : paths) {
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          syncFile(path);
        }
        directories.add(path.toAbsolutePath().resolveSibling(""));
      }
      for (Path directory : directories) {
        syncDirectory(directory);
      }
    } catch (IOException e) {
      unsynced.addAll(paths);
      throw e;
    }
  }

  @Override
  public @Nullable Lock tryLock(Path file) throws IOException {
    Path parent = file.toAbsolutePath().getParent();
    Path key = (parent == null ? file : parent.toRealPath().resolve(file.getFileName()));
    if (!HELD.add(key)) {
      return null;
    }
    try {
      Lock lock = lock(file, key);
      if (lock == null) {
        HELD.remove(key);
      }
      return lock;
    } catch (IOException | RuntimeException e) {
      HELD.remove(key);
      throw e;
    }
  }

  private static @Nullable Lock lock(Path file, Path key) throws IOException {
    FileChannel channel = FileChannel.open(file, LOCK, FILE_MODE);
    try {
      FileLock lock = channel.tryLock();
      if (lock == null) {
        channel.close();
        return null;
      }
      return () -> {
        channel.close();
        HELD.remove(key);
      };
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private void note(Path path) {
    if (!HAS_SYNC_FS) {
      unsynced.add(path);
    }
  }

  private static FileAttribute<?>[] mode(String permissions) {
    return POSIX
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
