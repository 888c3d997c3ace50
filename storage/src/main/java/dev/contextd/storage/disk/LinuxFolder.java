package dev.contextd.storage.disk;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A large folder's names and what bears them, in as few calls as Linux has: getdents64(2) for many
 * names at once, statx(2) for each of them by the bytes that came, without a path being made.
 *
 * <p>Layouts are those of the manual pages.
 */
record LinuxFolder(
    int directoryFlag,
    LinuxStat stat,
    MethodHandle open,
    MethodHandle getdents,
    MethodHandle close) {
  /** How many bytes of names are asked for at once. */
  private static final int NAMES_BYTES = 1 << 20;

  /** So many names are looked at before another thread may take the next ones. */
  static final int PART_NAMES = 2_048;

  /** Made on first use: linking costs a start several hundredths of a second. */
  private static final class Linked {
    static final Optional<LinuxFolder> FOLDER = link();
  }

  static Optional<LinuxFolder> find() {
    return Linked.FOLDER;
  }

  private static Optional<LinuxFolder> link() {
    if (!Libc.has("getdents64")) {
      return Optional.empty();
    }
    return LinuxStat.find()
        .flatMap(stat -> LinuxFiles.directoryFlag().map(flag -> linked(flag, stat)));
  }

  /** Of one type with that of statx(2): an opening that writes nothing links no other. */
  private static LinuxFolder linked(int directoryFlag, LinuxStat stat) {
    return new LinuxFolder(
        directoryFlag,
        stat,
        Libc.plainFunction("open"),
        Libc.plainFunction("getdents64"),
        Libc.plainFunction("close"));
  }

  /** What is made of the names in an open folder. */
  private interface Use<T> {
    T of(Open folder, List<LinuxNames> names);
  }

  /**
   * All names, in no order.
   *
   * @return null where {@link #entries} is
   */
  @Nullable List<String> names(Path directory) {
    return opened(
        directory, (_, names) -> names.stream().flatMap(some -> some.texts().stream()).toList());
  }

  /**
   * All entries, in no order, but for those that are as they were left.
   *
   * @param byName looks at one that could not be looked at here
   * @return null where it cannot be listed, or a name is not plain ASCII: Java has the words then
   */
  Disk.@Nullable Listing entries(
      Path directory, Function<String, Disk.@Nullable Entry> byName, Disk.Left left) {
    return opened(
        directory, (folder, names) -> new Looks(folder, directory, byName, left).at(names));
  }

  /**
   * How a folder is left.
   *
   * @return null where it cannot be listed, or other names are in it than those of all the files
   */
  @Nullable LeftFolder left(Path directory, LeftFolder.Files files) {
    try (Open folder = open(directory)) {
      if (folder == null) {
        return null;
      }
      LeftNames found = new LeftNames(files);
      return folder.forEachPiece(found::add) ? found.folder() : null;
    }
  }

  private <T> @Nullable T opened(Path directory, Use<T> use) {
    try (Open folder = open(directory)) {
      if (folder == null) {
        return null;
      }
      List<LinuxNames> names = new ArrayList<>();
      boolean isListed =
          folder.forEachPiece(piece -> {
            LinuxNames some = LinuxNames.of(piece.address(), piece.toArray(JAVA_LONG));
            return some != null && names.add(some);
          });
      return isListed ? use.of(folder, names) : null;
    }
  }

  /** Opens a folder; null where that cannot be. */
  @SuppressWarnings("MustBeClosedChecker") // by what is returned
  @Nullable Open open(Path directory) {
    Arena arena = Arena.ofShared();
    int folder = -1;
    try {
      long path = Libc.path(arena, directory);
      long flags = Libc.O_RDONLY | Libc.O_CLOEXEC | directoryFlag;
      folder = (int) Libc.call(() -> (long) open.invokeExact(path, flags, 0L, 0L, 0L));
    } finally {
      if (folder < 0) {
        arena.close();
      }
    }
    return folder < 0 ? null : new Open(this, arena, folder);
  }

  /** An open folder, and the memory for its names. */
  static final class Open implements AutoCloseable {
    private final LinuxFolder calls;
    private final Arena arena;
    private final int number;

    private Open(LinuxFolder calls, Arena arena, int number) {
      this.calls = calls;
      this.arena = arena;
      this.number = number;
    }

    /**
     * Hands over the system's list of names, piece by piece; each lies in memory until this is
     * closed.
     *
     * @param use tells whether to go on
     * @return whether all was handed over
     */
    boolean forEachPiece(Predicate<MemorySegment> use) {
      while (true) {
        MemorySegment piece = arena.allocate(NAMES_BYTES, Long.BYTES);
        long address = piece.address();
        long count =
            Libc.call(() ->
                (long)
                    calls.getdents.invokeExact((long) number, address, (long) NAMES_BYTES, 0L, 0L));
        if (count <= 0 || !use.test(piece.asSlice(0, count))) {
          return count == 0;
        }
      }
    }

    /** As {@link LinuxStat#look(int, long, long)}. */
    boolean look(long name, long answer) {
      return calls.stat.look(number, name, answer);
    }

    @Override
    public void close() {
      Libc.call(() -> (long) calls.close.invokeExact((long) number, 0L, 0L, 0L, 0L));
      arena.close();
    }
  }

  /** Some names, looked at by one thread. */
  private record Part(LinuxNames names, int from) {
    int end() {
      return Math.min(names.count(), from + PART_NAMES);
    }
  }

  /** What is behind the names of some parts. */
  private static final class Seen {
    final List<Disk.Entry> entries = new ArrayList<>();

    /** Numbers of files that are as they were left; the entries are the others. */
    final BitSet asLeft = new BitSet();

    void add(Seen other) {
      entries.addAll(other.entries);
      asLeft.or(other.asLeft);
    }
  }

  /** Looks at every name of one folder. */
  private record Looks(
      Open folder, Path directory, Function<String, Disk.@Nullable Entry> byName, Disk.Left left) {

    Disk.Listing at(List<LinuxNames> names) {
      List<Part> parts = new ArrayList<>();
      for (LinuxNames some : names) {
        for (int from = 0; from < some.count(); from += PART_NAMES) {
          parts.add(new Part(some, from));
        }
      }
      Seen seen = parts.parallelStream().collect(Seen::new, this::look, Seen::add);
      return new Disk.Listing(seen.entries, seen.asLeft);
    }

    private void look(Seen seen, Part part) {
      try (Arena arena = Arena.ofConfined()) {
        Few few = new Few(this, part.names(), new LinuxAnswers(arena));
        for (int from = part.from(); from < part.end(); from += LinuxAnswers.MOST) {
          few.look(from, Math.min(part.end() - from, LinuxAnswers.MOST), seen);
        }
      }
    }
  }

  /**
   * Looks at a few names at a time. A method for each step, because one of all steps keeps Java's
   * compiler for several hundredths of a second.
   */
  private static final class Few {
    private final Looks folder;
    private final LinuxNames names;
    private final LinuxAnswers answers;
    private final long[] files = new long[LinuxAnswers.MOST * Disk.Left.NUMBERS];
    private final int[] numbers = new int[LinuxAnswers.MOST];

    Few(Looks folder, LinuxNames names, LinuxAnswers answers) {
      this.folder = folder;
      this.names = names;
      this.answers = answers;
    }

    void look(int from, int count, Seen seen) {
      answers.ask(folder.folder(), names.address(), names.starts(), from, count);
      noteFiles(from, count);
      folder.left().find(files, count, numbers);
      note(from, count, seen);
    }

    private void noteFiles(int from, int count) {
      for (int i = 0; i < count; i++) {
        int answer = i * LinuxStat.WORDS;
        int at = i * Disk.Left.NUMBERS;
        boolean isFile = answers.isAnswered[i] && LinuxStat.isFile(answers.words, answer);
        files[at] = isFile ? names.keys()[from + i] : -1;
        files[at + 1] = LinuxStat.size(answers.words, answer);
        files[at + 2] = LinuxStat.modifiedNanos(answers.words, answer);
      }
    }

    private void note(int from, int count, Seen seen) {
      for (int i = 0; i < count; i++) {
        if (numbers[i] >= 0) {
          seen.asLeft.set(numbers[i]);
        } else {
          noteEntry(i, names.text(from + i), seen);
        }
      }
    }

    private void noteEntry(int i, String name, Seen seen) {
      Disk.Entry entry = entry(i, name);
      if (entry != null) {
        seen.entries.add(entry);
      }
    }

    private Disk.@Nullable Entry entry(int i, String name) {
      int at = i * LinuxStat.WORDS;
      return answers.isAnswered[i]
          ? new Disk.Entry(
              folder.directory(),
              name,
              LinuxStat.kind(answers.words, at),
              LinuxStat.size(answers.words, at),
              LinuxStat.modifiedNanos(answers.words, at))
          : folder.byName().apply(name);
    }
  }
}
