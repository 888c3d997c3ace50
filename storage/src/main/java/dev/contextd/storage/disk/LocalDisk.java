package dev.contextd.storage.disk;

import dev.contextd.storage.chromem.Names;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The machine's own disk.
 *
 * <p>Invariant: a file's final name only ever points at content that was fsynced before it got the
 * name. Temp files are {@code <name>.<n>.tmp}, which chromem-go does not read; one that a crash
 * left behind is never reused.
 */
public final class LocalDisk implements Disk {
  private static final boolean POSIX =
      FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
  private static final FileAttribute<?>[] FILE_MODE = mode("rw-------");
  private static final FileAttribute<?>[] DIRECTORY_MODE = mode("rwx------");
  private static final Set<OpenOption> READ =
      Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
  private static final Set<OpenOption> CREATE =
      Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);

  /** Files of 48 MiB are always read, so that no document that was written is too large to read. */
  private static final long MIN_READ_LIMIT_BYTES = 48L << 20;

  /** A file costs several times its size while it is decoded, and some are decoded at once. */
  private static final int HEAP_SHARE = 8;

  private static final long MAX_READ_BYTES =
      Math.min(
          Integer.MAX_VALUE - Long.BYTES,
          Math.max(MIN_READ_LIMIT_BYTES, Runtime.getRuntime().maxMemory() / HEAP_SHARE));

  private static final int DIGEST_BUFFER_BYTES = 64 << 10;

  private final AtomicLong tempNumber = new AtomicLong();

  @Override
  public List<Entry> list(Path directory) throws IOException {
    List<Entry> entries = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      for (Path path : stream) {
        Entry entry = entry(path);
        if (entry != null) {
          entries.add(entry);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    entries.sort(Comparator.comparing(Entry::name));
    return entries;
  }

  /** One entry that cannot be looked at (a dead mount, say) must not hide its neighbours. */
  private static @Nullable Entry entry(Path path) {
    try {
      BasicFileAttributes attributes = attributes(path);
      return attributes == null
          ? null
          : new Entry(path, fileName(path), kind(attributes), attributes.size());
    } catch (IOException e) {
      return new Entry(path, fileName(path), Kind.OTHER, 0);
    }
  }

  @Override
  public boolean exists(Path path) throws IOException {
    return attributes(path) != null;
  }

  @Override
  public Kind kind(Path path) throws IOException {
    @Nullable BasicFileAttributes attributes = attributes(path);
    return attributes == null ? Kind.OTHER : kind(attributes);
  }

  @Override
  public byte[] read(Path file) throws IOException {
    requireRegular(file);
    try (FileChannel channel = FileChannel.open(file, READ)) {
      long size = channel.size();
      if (size > MAX_READ_BYTES) {
        throw new IOException(
            "it has %d bytes, this heap reads files of at most %d; give Java more with -Xmx"
                .formatted(size, MAX_READ_BYTES));
      }
      ByteBuffer content = ByteBuffer.allocate((int) size);
      while (content.hasRemaining() && channel.read(content) >= 0) {}
      return content.hasRemaining()
          ? Arrays.copyOf(content.array(), content.position())
          : content.array();
    }
  }

  @Override
  public Sum sum(Path file) throws IOException {
    requireRegular(file);
    MessageDigest digest = Names.sha256();
    ByteBuffer buffer = ByteBuffer.allocate(DIGEST_BUFFER_BYTES);
    long bytes = 0;
    try (FileChannel channel = FileChannel.open(file, READ)) {
      for (int n = channel.read(buffer); n >= 0; n = channel.read(buffer)) {
        bytes += n;
        digest.update(buffer.flip());
        buffer.clear();
      }
    }
    return new Sum(bytes, digest.digest());
  }

  /** Opening a FIFO would wait for ever. */
  private static void requireRegular(Path file) throws IOException {
    BasicFileAttributes attributes = attributes(file);
    if (attributes != null && !attributes.isRegularFile()) {
      throw new IOException(file + " is not a regular file");
    }
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    Path parent = directory.toAbsolutePath().getParent();
    if (parent != null) {
      createDirectories(parent);
    }
    try {
      Files.createDirectory(directory, DIRECTORY_MODE);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) {
        throw e;
      }
    }
    if (parent != null) {
      syncDirectory(parent);
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
        sync(temp);
      }
      for (; renamed < images.size(); renamed++) {
        rename(temps.get(renamed), images.get(renamed).file());
      }
      syncDirectory(directoryOf(images));
    } catch (IOException e) {
      undo(images, before, renamed, temps, e);
      throw e;
    }
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    if (exists(to)) {
      throw new FileAlreadyExistsException(to.toString());
    }
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    try {
      syncDirectory(parentOf(to));
      syncDirectory(parentOf(from));
    } catch (IOException e) {
      moveBack(to, from, e);
      throw e;
    }
  }

  @Override
  public void removeEmptyDirectory(Path directory) throws IOException {
    if (kind(directory) == Kind.DIRECTORY) {
      Files.delete(directory);
      syncDirectory(parentOf(directory));
    }
  }

  private static void moveBack(Path to, Path from, IOException cause) throws IOException {
    try {
      Files.move(to, from, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      cause.addSuppressed(e);
      throw new UndoFailedException(from + " was moved to " + to + ", not durably", cause);
    }
  }

  private Path writeTemp(Image image) throws IOException {
    while (true) {
      Path temp =
          image
              .file()
              .resolveSibling(fileName(image.file()) + "." + tempNumber.getAndIncrement() + ".tmp");
      try (FileChannel channel = FileChannel.open(temp, CREATE, FILE_MODE)) {
        ByteBuffer content = ByteBuffer.wrap(image.content());
        try {
          while (content.hasRemaining()) {
            channel.write(content);
          }
        } catch (IOException e) {
          Files.deleteIfExists(temp);
          throw e;
        }
        return temp;
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
    temps.forEach(temp -> discard(temp, cause));
    boolean undone = true;
    for (int i = 0; i < renamed; i++) {
      undone &= undoOne(images.get(i).file(), before.get(i), cause);
    }
    if (renamed > 0) {
      try {
        syncDirectory(directoryOf(images));
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
        Files.delete(file);
      } else {
        temp = writeTemp(new Image(file, old));
        sync(temp);
        rename(temp, file);
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

  private static void discard(Path temp, IOException cause) {
    try {
      Files.deleteIfExists(temp);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  private static Path directoryOf(List<Image> images) {
    return parentOf(images.getFirst().file());
  }

  private static void rename(Path temp, Path file) throws IOException {
    Files.move(temp, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void sync(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  private static void syncDirectory(Path directory) throws IOException {
    if (!POSIX) {
      return; // Windows opens no directories; its file system journals the names itself.
    }
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static @Nullable BasicFileAttributes attributes(Path path) throws IOException {
    try {
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private static Kind kind(BasicFileAttributes attributes) {
    if (attributes.isRegularFile()) {
      return Kind.FILE;
    }
    if (attributes.isDirectory()) {
      return Kind.DIRECTORY;
    }
    return attributes.isSymbolicLink() ? Kind.SYMBOLIC_LINK : Kind.OTHER;
  }

  private static Path parentOf(Path path) {
    Path parent = path.toAbsolutePath().getParent();
    return parent == null ? path : parent;
  }

  private static String fileName(Path path) {
    Path name = path.getFileName();
    return name == null ? "" : name.toString();
  }

  private static FileAttribute<?>[] mode(String permissions) {
    return POSIX
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
