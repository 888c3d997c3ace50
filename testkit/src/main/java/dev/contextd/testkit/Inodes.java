package dev.contextd.testkit;

import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The files and folders of a simulated disk at one moment, by number: folders hold names of
 * numbers, files hold bytes. Not safe for many threads.
 */
final class Inodes {
  static final int ROOT = 1;

  /** What has a number. */
  sealed interface Node {
    long modified();
  }

  static final class Directory implements Node {
    final SortedMap<String, Integer> names = new TreeMap<>();
    private long modified;

    @Override
    public long modified() {
      return modified;
    }
  }

  static final class File implements Node {
    private byte[] bytes = new byte[0];
    private int size;
    private long modified;

    int size() {
      return size;
    }

    byte[] content() {
      return content(0, size);
    }

    byte[] content(int from, int to) {
      return Arrays.copyOfRange(bytes, from, to);
    }

    void replace(byte[] content, long time) {
      bytes = content;
      size = content.length;
      modified = time;
    }

    int read(ByteBuffer target, long position) {
      int count = (int) Math.min(target.remaining(), Math.max(0, size - position));
      if (count > 0) {
        target.put(bytes, (int) position, count);
      }
      return count;
    }

    @Override
    public long modified() {
      return modified;
    }

    private void append(byte[] more) {
      if (bytes.length - size < more.length) {
        bytes = Arrays.copyOf(bytes, Math.max(size + more.length, size + size / 2));
      }
      System.arraycopy(more, 0, bytes, size, more.length);
      size += more.length;
    }
  }

  private final Map<Integer, Node> nodes = new TreeMap<>(Map.of(ROOT, new Directory()));
  private int next = ROOT + 1;

  Inodes copy() {
    Inodes copy = new Inodes();
    copy.next = next;
    nodes.forEach((number, node) -> copy.nodes.put(number, copy(node)));
    return copy;
  }

  private static Node copy(Node node) {
    return switch (node) {
      case File file -> {
        File copied = new File();
        copied.replace(file.content(), file.modified);
        yield copied;
      }
      case Directory directory -> {
        Directory copied = new Directory();
        copied.names.putAll(directory.names);
        copied.modified = directory.modified;
        yield copied;
      }
    };
  }

  /** A number that nothing has had. */
  int fresh() {
    return next;
  }

  Node node(int number) {
    return Objects.requireNonNull(nodes.get(number));
  }

  File file(int number) {
    return (File) node(number);
  }

  Directory directory(int number) {
    return (Directory) node(number);
  }

  Map<Integer, Node> all() {
    return nodes;
  }

  /** The number at a path; null where nothing bears the name. */
  @Nullable Integer find(Path path) throws FileSystemException {
    int at = ROOT;
    for (Path name : path.toAbsolutePath().normalize()) {
      if (!(nodes.get(at) instanceof Directory directory)) {
        throw new FileSystemException(path.toString(), null, "Not a directory");
      }
      Integer found = directory.names.get(name.toString());
      if (found == null) {
        return null;
      }
      at = found;
    }
    return at;
  }

  /** Whether a path leads from the root to a folder. */
  boolean isReachable(int directory) {
    Set<Integer> seen = new HashSet<>(Set.of(ROOT));
    Deque<Integer> toVisit = new ArrayDeque<>(seen);
    while (!toVisit.isEmpty() && !seen.contains(directory)) {
      for (int child : directory(toVisit.remove()).names.values()) {
        if (node(child) instanceof Directory && seen.add(child)) {
          toVisit.add(child);
        }
      }
    }
    return seen.contains(directory);
  }

  void apply(Operation operation, long time) {
    switch (operation) {
      case Operation.Create create -> {
        create(create.inode(), create.isDirectory(), time);
        setName(create.name(), create.inode(), time);
      }
      case Operation.Append append -> append(append, time);
      case Operation.Overwrite overwrite -> overwrite(overwrite, time);
      case Operation.Truncate truncate -> truncate(truncate);
      case Operation.Rename rename -> {
        setName(rename.from(), null, time);
        setName(rename.to(), rename.inode(), time);
      }
      case Operation.Remove remove -> setName(remove.name(), null, time);
      case Operation.SyncFile _, Operation.SyncDirectory _, Operation.SyncFileSystem _ -> {
        // Nothing that can be seen while there is power.
      }
    }
  }

  /** Something that bears no name yet. */
  void create(int number, boolean isDirectory, long time) {
    next = Math.max(next, number + 1);
    if (isDirectory) {
      Directory directory = new Directory();
      directory.modified = time;
      nodes.put(number, directory);
    } else {
      File file = new File();
      file.modified = time;
      nodes.put(number, file);
    }
  }

  void append(Operation.Append append, long time) {
    File file = file(append.inode());
    file.append(append.bytes());
    file.modified = time;
  }

  void overwrite(Operation.Overwrite overwrite, long time) {
    File file = file(overwrite.inode());
    System.arraycopy(
        overwrite.bytes(), 0, file.bytes, overwrite.position(), overwrite.bytes().length);
    file.modified = time;
  }

  /** The time of change stays. */
  void truncate(Operation.Truncate truncate) {
    file(truncate.inode()).size = truncate.size();
  }

  /**
   * @param number null where nothing bears the name any more
   */
  void setName(Operation.Name name, @Nullable Integer number, long time) {
    Directory directory = directory(name.directory());
    directory.modified = time;
    if (number == null) {
      directory.names.remove(name.text());
    } else {
      directory.names.put(name.text(), number);
    }
  }
}
