package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What was deleted on request or gave way to another version, kept for a time so that it can be
 * brought back.
 *
 * <pre>
 * .contextd/trash/20261123T231125.123Z-e9f85bf6/              a collection's folder
 * .contextd/trash/20261123T231125.123Z-e9f85bf6.documents/    documents that were deleted
 * .contextd/trash/20261123T231125.123Z-e9f85bf6.versions/     versions that gave way to another's
 * .contextd/trash/20261123T231125.123Z-e9f85bf6.remote_replaced/  documents of a remote store that
 *                                                             gave way there to those here
 * .contextd/trash/20261123T231125.123Z-e9f85bf6.remote_deleted/   those that were there alone
 * .contextd/trash/20261123T231125.123Z-e9f85bf6.3af7a34d/     a document out of quarantine
 * .contextd/trash/20261123T231125.123Z-....log                a file: a damaged part of the journal,
 *                                                             a damaged pack, an elder model record
 * </pre>
 *
 * <p>A second file of one name in an entry has {@code 2.} before it.
 *
 * <p>What is moved here is durable after the disk's next {@link Disk#syncAll}.
 */
public final class Trash {
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final int STAMP_LENGTH = 20;

  /** A folder's name, with a number behind it where one of that name was there. */
  private static final Pattern COLLECTION = Pattern.compile("[^.]+(\\.\\d{1,4})?");

  private final Disk disk;
  private final Path directory;
  private final Clock clock;

  Trash(Disk disk, Path directory, Clock clock) {
    this.disk = disk;
    this.directory = directory;
    this.clock = clock;
  }

  /**
   * A thing in the trash.
   *
   * @param name of the entry
   * @param kind {@code collection}, {@code documents}, {@code versions}, {@code remote_replaced},
   *     {@code remote_deleted} or {@code damaged}
   * @param folder of the collection that it came from; empty where it is of none
   * @param files that are in it; empty where it is a file itself
   */
  public record Entry(
      String name, String kind, String folder, Instant since, List<Disk.Entry> files) {}

  /** Moves a folder or a file into an entry of its own; returns the entry. */
  public Path move(Path thing) throws IOException {
    prepare();
    Path target = fresh(String.valueOf(thing.getFileName()));
    disk.moveLazily(thing, target);
    return target;
  }

  /** As {@link #move}, and durable when it returns. */
  public Path moveDurably(Path thing) throws IOException {
    prepare();
    Path target = fresh(String.valueOf(thing.getFileName()));
    disk.move(thing, target);
    return target;
  }

  /** Creates an entry for deleted documents of a collection's folder. */
  public Path documents(String folder) throws IOException {
    return create(folder + ".documents");
  }

  /** Creates an entry for versions that gave way. */
  public Path versions(String folder) throws IOException {
    return create(folder + ".versions");
  }

  /** Creates an entry for documents of a remote store that gave way there. */
  public Path remote(String folder, GaveWay how) throws IOException {
    return create(folder + "." + how.word());
  }

  /** Creates an entry for a whole collection. */
  public Path collection(String folder) throws IOException {
    return create(folder);
  }

  private Path create(String name) throws IOException {
    prepare();
    Path target = fresh(name);
    disk.createDirectories(target);
    return target;
  }

  /** A link that somebody put in its place while we run leads nothing of ours elsewhere. */
  private void prepare() throws IOException {
    OwnNames.clear(disk, directory, Disk.Kind.DIRECTORY);
    disk.createRealDirectory(directory);
  }

  /** What lies in the trash, the oldest first. */
  public List<Entry> list() throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (Stamped found : stamped()) {
      try {
        entries.add(entry(found));
      } catch (NoSuchFileException e) {
        // It was purged or restored just now.
      }
    }
    return entries;
  }

  /** What bears the name of an entry, and since when. */
  private record Stamped(Disk.Entry file, Instant since) {}

  private List<Stamped> stamped() throws IOException {
    List<Stamped> stamped = new ArrayList<>();
    if (disk.kind(directory) == Disk.Kind.DIRECTORY) {
      for (Disk.Entry found : disk.list(directory)) {
        Instant since = since(found.name());
        if (since != null) {
          stamped.add(new Stamped(found, since));
        }
      }
    }
    return stamped;
  }

  private Entry entry(Stamped stamped) throws IOException {
    Disk.Entry found = stamped.file();
    Instant since = stamped.since();
    String rest = found.name().substring(STAMP_LENGTH + 1);
    if (found.kind() != Disk.Kind.DIRECTORY) {
      return new Entry(found.name(), "damaged", "", since, List.of());
    }
    int dot = rest.indexOf('.');
    String folder = dot < 0 ? rest : rest.substring(0, dot);
    return new Entry(found.name(), kind(rest), folder, since, disk.list(found.path()));
  }

  private static String kind(String rest) {
    for (GaveWay how : GaveWay.values()) {
      if (rest.contains("." + how.word())) {
        return how.word();
      }
    }
    if (rest.contains(".versions")) {
      return "versions";
    }
    return COLLECTION.matcher(rest).matches() ? "collection" : "documents";
  }

  /** The files of an entry. */
  public List<Disk.Entry> files(String entry) throws IOException {
    requireThere(entry);
    return disk.list(directory.resolve(entry));
  }

  /**
   * Names of entries.
   *
   * @param olderThan those of at least this age
   */
  public List<String> expired(Duration olderThan) throws IOException {
    Instant limit = clock.instant().minus(olderThan);
    return stamped().stream()
        .filter(found -> !found.since().isAfter(limit))
        .map(found -> found.file().name())
        .toList();
  }

  /** Removes one entry for good; returns false where it is gone already. */
  public boolean remove(String entry) throws IOException {
    requireThere(entry);
    Path path = directory.resolve(entry);
    boolean isThere = disk.exists(path);
    if (isThere) {
      remove(path);
    }
    return isThere;
  }

  private void remove(Path path) throws IOException {
    if (disk.kind(path) == Disk.Kind.DIRECTORY) {
      for (Disk.Entry inside : disk.list(path)) {
        remove(inside.path());
      }
      disk.removeEmptyDirectory(path);
    } else {
      disk.remove(path);
    }
  }

  /** The name is that of an entry, and not a path to elsewhere. */
  private void requireThere(String entry) throws IOException {
    boolean isName = since(entry) != null && !entry.contains("/") && !entry.contains("\\");
    if (!isName || disk.kind(directory) != Disk.Kind.DIRECTORY) {
      throw new NoSuchFileException(entry, null, "no entry of the trash");
    }
  }

  private static @Nullable Instant since(String name) {
    if (name.length() <= STAMP_LENGTH || name.charAt(STAMP_LENGTH) != '-') {
      return null;
    }
    try {
      return STAMP.parse(name.substring(0, STAMP_LENGTH), Instant::from);
    } catch (DateTimeParseException e) {
      return null;
    }
  }

  private Path fresh(String name) throws IOException {
    return FreshName.in(disk, directory, STAMP.format(clock.instant()) + "-" + name, "");
  }
}
