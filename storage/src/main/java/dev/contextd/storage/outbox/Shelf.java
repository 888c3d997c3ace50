package dev.contextd.storage.outbox;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.Trash;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.SegmentRecords;
import dev.contextd.storage.journal.VoidedRanges;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The segments that wait in {@code .contextd/outbox}.
 *
 * <p>Invariants: a file comes here by one atomic move and is never written to; the records of one
 * segment at most are in memory; a file leaves only when it was asked for, those of which anything
 * could not be read or sent to the trash. {@link #take}, {@link #bytes} and {@link #oldest} are for
 * any thread, everything else is for the one that ships.
 */
final class Shelf {
  private static final Logger log = LoggerFactory.getLogger(Shelf.class);
  private static final long NEVER = Long.MIN_VALUE;

  private final Disk disk;
  private final Path directory;
  private final Trash trash;

  /** What lies here, by name. */
  private final Map<String, Waiting> waiting = new ConcurrentHashMap<>();

  private final Map<String, Scanned> scanned = new HashMap<>();

  /** Names of collections of which the creation was seen here. */
  private final Map<Long, String> created = new HashMap<>();

  private VoidedRanges voided = new VoidedRanges();
  private List<Scanned> inOrder = List.of();
  private long looked = NEVER;
  private @Nullable Loaded loaded;

  private record Waiting(long bytes, Instant modified) {}

  private record Loaded(String name, List<SegmentRecords.Entry> entries) {}

  /**
   * What is known of a segment without its records.
   *
   * @param first the lowest sequence of a write in it; {@link Long#MAX_VALUE} where it holds none
   * @param last the highest sequence in it, voided ones included; 0 where nothing can be read
   */
  record Scanned(
      Disk.Entry file,
      long first,
      long last,
      Set<Long> incarnations,
      Set<Long> dropped,
      List<JournalRecord.Voided> voided,
      boolean isDamaged) {
    boolean hasWrites() {
      return first != Long.MAX_VALUE;
    }
  }

  Shelf(Disk disk, Path directory, Trash trash) throws IOException {
    this.disk = disk;
    this.directory = directory;
    this.trash = trash;
    files().forEach(this::note);
  }

  private List<Disk.Entry> files() throws IOException {
    if (disk.kind(directory) != Disk.Kind.DIRECTORY) {
      return List.of();
    }
    return disk.list(directory).stream()
        .filter(file -> file.kind() == Disk.Kind.FILE && SegmentRecords.isSegment(file.name()))
        .toList();
  }

  private void note(Disk.Entry file) {
    Instant modified = Instant.EPOCH.plusNanos(file.modifiedNanos());
    waiting.put(file.name(), new Waiting(file.size(), modified));
  }

  /** Moves a segment here, durably. */
  void take(Path segment) throws IOException {
    disk.createRealDirectory(directory);
    Path target = SegmentRecords.freeName(disk, directory, segment);
    try {
      disk.move(segment, target);
    } catch (IOException e) {
      if (disk.exists(segment)) {
        throw e;
      }
      // It is here. If a loss of power takes that back, the next start moves it once more.
      log.warn("whether {} is moved for good is not known: {}", target, e.toString());
    }
    disk.stat(target)
        .ifPresent(stat -> {
          Instant modified = Instant.EPOCH.plusNanos(stat.modifiedNanos());
          waiting.put(String.valueOf(target.getFileName()), new Waiting(stat.size(), modified));
        });
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  long bytes() {
    return waiting.values().stream().mapToLong(Waiting::bytes).sum();
  }

  /** When the segment was written to last that waits for the longest time. */
  Optional<Instant> oldest() {
    return waiting.values().stream().map(Waiting::modified).min(Comparator.naturalOrder());
  }

  /** Moves everything to the trash, durably: it has nothing to do with what comes. */
  void clear() throws IOException {
    for (Disk.Entry file : files()) {
      trash.moveDurably(file.path());
      waiting.remove(file.name());
    }
  }

  /** Reads what has come since; once for each {@code until}. */
  void look(long until) throws IOException {
    if (looked == until) {
      return;
    }
    Set<String> vanished = new HashSet<>(waiting.keySet());
    List<Disk.Entry> files = files();
    Set<String> names = files.stream().map(Disk.Entry::name).collect(Collectors.toSet());
    scanned.keySet().retainAll(names);
    vanished.removeAll(names); // Taken out of our hands; what it held shows as missing.
    waiting.keySet().removeAll(vanished);
    for (Disk.Entry file : files) {
      note(file);
      if (!scanned.containsKey(file.name())) {
        scanned.put(file.name(), scan(file));
      }
    }
    arrange();
    looked = until;
  }

  private void arrange() {
    voided = new VoidedRanges();
    scanned.values().forEach(one -> one.voided().forEach(voided::add));
    inOrder =
        scanned.values().stream()
            .filter(Scanned::hasWrites)
            .sorted(Comparator.comparingLong(Scanned::first))
            .toList();
  }

  private Scanned scan(Disk.Entry file) throws IOException {
    SegmentRecords records = SegmentRecords.read(disk, file);
    if (records.otherVersion().isPresent()) {
      throw new IOException(
          "%s has version %d, which this program does not read; use the one that wrote it"
              .formatted(file.path(), records.otherVersion().getAsInt()));
    }
    long first = Long.MAX_VALUE;
    long last = 0;
    boolean isDamaged = records.isDamaged();
    Set<Long> incarnations = new HashSet<>();
    Set<Long> dropped = new HashSet<>();
    List<JournalRecord.Voided> ranges = new ArrayList<>();
    for (SegmentRecords.Entry entry : records.entries()) {
      last = Math.max(last, entry.sequence());
      if (!entry.isVoided()) {
        first = Math.min(first, entry.sequence());
        incarnations.add(entry.incarnation());
      }
      if (entry.isSmall()) {
        try {
          note(entry.decode(), ranges, dropped);
        } catch (FormatException e) {
          isDamaged = true;
        }
      }
    }
    loaded = new Loaded(file.name(), records.entries());
    return new Scanned(file, first, last, incarnations, dropped, ranges, isDamaged);
  }

  private void note(JournalRecord record, List<JournalRecord.Voided> ranges, Set<Long> dropped) {
    switch (record) {
      case JournalRecord.Created creation -> created.put(creation.incarnation(), creation.name());
      case JournalRecord.Dropped drop -> dropped.add(drop.incarnation());
      case JournalRecord.Voided range -> ranges.add(range);
      case JournalRecord.Put _, JournalRecord.Removed _, JournalRecord.Addressed _ -> {
        // Read when its turn comes.
      }
    }
  }

  /** Segments with writes behind a sequence, in order. */
  List<Scanned> behind(long sequence) {
    return inOrder.stream().filter(one -> one.last() > sequence).toList();
  }

  List<SegmentRecords.Entry> entries(Scanned segment) throws IOException {
    Loaded held = loaded;
    if (held != null && held.name().equals(segment.file().name())) {
      return held.entries();
    }
    loaded = null;
    try {
      List<SegmentRecords.Entry> entries = SegmentRecords.read(disk, segment.file()).entries();
      loaded = new Loaded(segment.file().name(), entries);
      return entries;
    } catch (IOException e) {
      looked = NEVER; // It may be gone: what is there is listed again.
      throw e;
    }
  }

  VoidedRanges voided() {
    return voided;
  }

  /** The name of a collection that was created by what waits, or has waited, here. */
  Optional<String> created(long incarnation) {
    return Optional.ofNullable(created.get(incarnation));
  }

  /** Files in which something is no record, by name. */
  List<String> damaged() {
    return scanned.values().stream()
        .filter(Scanned::isDamaged)
        .map(one -> one.file().name())
        .sorted()
        .toList();
  }

  /** The collections of which anything waits. */
  Set<Long> incarnations() {
    return scanned.values().stream()
        .flatMap(one -> one.incarnations().stream())
        .collect(Collectors.toSet());
  }

  /** Whether everything that lies here has been read. */
  boolean isRead() {
    return scanned.keySet().containsAll(waiting.keySet());
  }

  /**
   * Lets go of the segments in which nothing comes behind a sequence.
   *
   * @param isKnown whether a collection's name is known, so that its writes could be sent
   * @return the collections of which the deletion stood in them
   */
  Set<Long> retire(long shipped, LongPredicate isKnown) throws IOException {
    Set<Long> dropped = new HashSet<>();
    for (Scanned one : List.copyOf(scanned.values())) {
      if (one.last() <= shipped) {
        retire(one, isKnown);
        dropped.addAll(one.dropped());
      }
    }
    arrange();
    return dropped;
  }

  private void retire(Scanned one, LongPredicate isKnown) throws IOException {
    boolean isWhole =
        !one.isDamaged() && one.incarnations().stream().allMatch(n -> isKnown.test(n));
    if (disk.exists(one.file().path())) {
      if (isWhole) {
        disk.remove(one.file().path());
      } else {
        trash.move(one.file().path());
      }
    }
    scanned.remove(one.file().name());
    waiting.remove(one.file().name());
    Loaded held = loaded;
    if (held != null && held.name().equals(one.file().name())) {
      loaded = null;
    }
  }

  /** A collection that is never heard of again. */
  void forget(Set<Long> incarnations) {
    created.keySet().removeAll(incarnations);
  }
}
