package dev.contextd.storage.checkpoint;

import dev.contextd.storage.checkpoint.KeptCollection.Copy;
import dev.contextd.storage.checkpoint.KeptCollection.LivePack;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.pack.PackFormat;
import dev.contextd.storage.pack.PackReader;
import dev.contextd.storage.pack.PackWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Neighbouring packs of one collection made into one: only what still counts is copied, a unit of
 * rows in memory at a time.
 *
 * <p>A row that fails its checksum is left out and its document packed again from memory. Deletions
 * are kept while an older pack is left.
 *
 * <p>Invariants: {@link #write} runs beside checkpoints, which add packs behind the sources and
 * take away none of the collection's; the packs are immutable, and it holds the catalog's lock only
 * while it asks what counts. A row that ceases to count afterwards is a dead one of the merged
 * pack. {@link #choose} and {@link #apply} are called under the checkpointer's monitor.
 */
final class PackMerge {
  /** Packs are merged while a collection has more of about one size. */
  private static final int MAX_SIMILAR = 4;

  /** A pack is of one size with younger ones that have more than a quarter of its rows together. */
  private static final int SIZE_RATIO = 4;

  private final Disk disk;
  private final Path packs;
  private final KeptCollection collection;
  private final long number;
  private final Lock catalog;

  /** All that was copied counted at this moment, in milliseconds since 1970. */
  private final long since;

  /** All packs of the collection when the sources were chosen, oldest first. */
  private final List<LivePack> all;

  private List<LivePack> sources;
  private final Map<String, Integer> rows = new HashMap<>();
  private final Set<String> damaged = new HashSet<>();
  private Manifest.@Nullable Pack merged;
  private boolean isCreated;

  /** Sources in which anything could not be read. */
  private final Set<Long> spoilt = new HashSet<>();

  /** Whether there are rows of which not even the id is known. */
  private boolean hasUnreadable;

  private PackMerge(
      Disk disk,
      Path packs,
      KeptCollection collection,
      List<LivePack> sources,
      long number,
      long since,
      Lock catalog) {
    this.disk = disk;
    this.packs = packs;
    this.collection = collection;
    this.all = List.copyOf(collection.packs);
    this.sources = sources;
    this.number = number;
    this.since = since;
    this.catalog = catalog;
  }

  /**
   * Chooses what is worth it.
   *
   * @param now in milliseconds since 1970
   * @param deadBefore packs in which a row is dead since before this moment are worth it
   * @param catalog held by whoever reads where the collection's documents stand
   * @return null where nothing is
   */
  static @Nullable PackMerge choose(
      Disk disk,
      Path packs,
      KeptCollection collection,
      LongSupplier numbers,
      long now,
      long deadBefore,
      Lock catalog) {
    List<LivePack> sources = choose(collection.packs, deadBefore);
    return sources.isEmpty()
        ? null
        : new PackMerge(disk, packs, collection, sources, numbers.getAsLong(), now, catalog);
  }

  /**
   * Writes the merged pack, durably.
   *
   * @param isStopped asked now and then
   * @return whether it was written; not where it was stopped
   */
  boolean write(BooleanSupplier isStopped) throws IOException {
    if (!canTellDeletions(disk, packs, sources)) {
      // With no older pack left, there is nothing that the lost deletions could speak of.
      sources = List.copyOf(all.subList(0, all.indexOf(sources.getLast()) + 1));
    }
    disk.createRealDirectory(packs);
    int dimension = dimension();
    try (PackWriter writer =
        new PackWriter(disk, packs, number, collection.incarnation(), dimension)) {
      isCreated = true;
      Set<String> tombstones = new HashSet<>();
      Map<Long, BitSet> bad = new HashMap<>();
      for (LivePack source : sources) {
        if (!copyVectors(source, dimension, writer, bad, tombstones, isStopped)) {
          return false;
        }
      }
      int count = 0;
      for (LivePack source : sources) {
        count = copyBodies(source, writer, bad, count);
      }
      boolean isOldest = all.getFirst() == sources.getFirst();
      tombstones.removeAll(rows.keySet());
      List<String> kept = isOldest ? List.of() : List.copyOf(tombstones);
      long bytes = writer.finish(kept);
      writer.sync();
      merged = new Manifest.Pack(number, count, kept.size(), bytes, 0);
    }
    disk.syncNames(packs);
    return true;
  }

  /** Removes what was written, which nothing names. */
  void discard() {
    try {
      Path file = packs.resolve(PackFormat.fileName(number));
      if (isCreated && disk.exists(file)) {
        disk.remove(file);
      }
    } catch (IOException e) {
      // The next opening removes what no manifest names.
    }
  }

  private static boolean canTellDeletions(Disk disk, Path packs, List<LivePack> sources)
      throws IOException {
    for (LivePack source : sources) {
      if (source.tombstones > 0) {
        Path file = packs.resolve(PackFormat.fileName(source.number));
        try (PackReader reader = PackReader.open(disk, file)) {
          if (reader.tombstonesLost()) {
            return false;
          }
        } catch (FormatException e) {
          return false;
        }
      }
    }
    return true;
  }

  /** The run of neighbours to merge: packs with rows long dead, half dead ones, or many small. */
  static List<LivePack> choose(List<LivePack> packs, long deadBefore) {
    int last = packs.size();
    for (int i = 0; i < last; i++) {
      LivePack pack = packs.get(i);
      boolean isOverdue = pack.deadSince != 0 && pack.deadSince <= deadBefore;
      if (isOverdue || pack.live * 2 < pack.rows || (i == 0 && pack.tombstones > 0)) {
        return List.of(pack);
      }
    }
    long younger = 0;
    int from = last;
    while (from > 0 && (from == last || packs.get(from - 1).live <= younger * SIZE_RATIO)) {
      from--;
      younger += packs.get(from).live;
    }
    return last - from > MAX_SIMILAR ? List.copyOf(packs.subList(from, last)) : List.of();
  }

  private int dimension() throws IOException {
    int dimension = 0;
    for (LivePack source : sources) {
      if (source.live > 0) {
        PackReader reader = open(source);
        if (reader != null) {
          try (reader) {
            dimension = reader.dimension();
          }
        }
      }
    }
    return dimension;
  }

  private @Nullable PackReader open(LivePack source) throws IOException {
    try {
      return PackReader.open(disk, packs.resolve(PackFormat.fileName(source.number)));
    } catch (FormatException e) {
      spoilt.add(source.number);
      hasUnreadable = true;
      return null;
    }
  }

  /** Returns false where it was stopped. */
  private boolean copyVectors(
      LivePack source,
      int dimension,
      PackWriter writer,
      Map<Long, BitSet> bad,
      Set<String> tombstones,
      BooleanSupplier isStopped)
      throws IOException {
    PackReader reader = open(source);
    if (reader == null) {
      return true;
    }
    try (reader) {
      tombstones.addAll(reader.tombstones());
      BitSet left = new BitSet();
      bad.put(source.number, left);
      if (source.live == 0) {
        left.set(0, reader.rows());
        return true;
      }
      int stride = PackFormat.stride(dimension);
      ByteBuffer buffer =
          ByteBuffer.allocateDirect(reader.unitRows(0) * stride * Float.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN);
      for (int from = 0; from < reader.rows(); from += PackFormat.UNIT_ROWS) {
        if (isStopped.getAsBoolean()) {
          return false;
        }
        BitSet badVectors = reader.readVectors(from, MemorySegment.ofBuffer(buffer.clear()));
        int begin = from;
        reader.readBodies(
            from,
            from + reader.unitRows(from),
            (row, body) -> judge(source, row, body, badVectors.get(row - begin), left));
        for (int row = from; row < from + reader.unitRows(from); row++) {
          if (!left.get(row)) {
            float[] vector = new float[dimension];
            buffer
                .clear()
                .position((row - from) * stride * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(vector);
            writer.vector(vector);
          }
        }
      }
    }
    return true;
  }

  /** Leaves out what does not count any more, and what is damaged. */
  private void judge(
      LivePack source, int row, PackReader.@Nullable Body body, boolean isBad, BitSet left) {
    if (body == null || isBad) {
      spoilt.add(source.number);
    }
    if (body == null) {
      left.set(row);
      hasUnreadable = true;
      return;
    }
    Copy copy = copy(body.id());
    boolean counts = copy != null && copy.pack() == source.number && copy.row() == row;
    if (!counts || isBad) {
      left.set(row);
    }
    if (counts && isBad) {
      damaged.add(body.id());
    }
  }

  private @Nullable Copy copy(String id) {
    catalog.lock();
    try {
      return collection.copies().get(id);
    } finally {
      catalog.unlock();
    }
  }

  private int copyBodies(LivePack source, PackWriter writer, Map<Long, BitSet> bad, int first)
      throws IOException {
    PackReader reader = open(source);
    BitSet left = bad.get(source.number);
    if (reader == null || left == null) {
      return first;
    }
    int[] count = {first};
    List<IOException> failures = new ArrayList<>();
    try (reader) {
      for (int from = 0; from < reader.rows(); from += PackFormat.UNIT_ROWS) {
        reader.readBodies(
            from,
            from + reader.unitRows(from),
            (row, body) -> {
              if (left.get(row) || body == null) {
                return;
              }
              try {
                writer.body(body.id(), body.content(), body.metadata(), body.file(), body.isUnit());
                rows.put(body.id(), count[0]++);
              } catch (IOException e) {
                failures.add(e);
              }
            });
      }
    }
    if (!failures.isEmpty()) {
      throw failures.getFirst();
    }
    return count[0];
  }

  /** Whether all sources are still there: a collection that was deleted meanwhile has none. */
  boolean isWanted() {
    return collection.packs.containsAll(sources);
  }

  /**
   * The merged pack is durable: it takes the place of its sources, which are returned. What ceased
   * to count meanwhile has been dead since the merge began, lest a purge overlook it.
   */
  List<LivePack> apply() {
    Manifest.Pack entry = Objects.requireNonNull(merged);
    Set<Long> numbers = sources.stream().map(s -> s.number).collect(Collectors.toSet());
    int live = 0;
    for (var row : rows.entrySet()) {
      Copy copy = collection.copies().get(row.getKey());
      if (copy != null && numbers.contains(copy.pack())) {
        collection
            .copies()
            .put(row.getKey(), new Copy(copy.file(), entry.number(), row.getValue()));
        live++;
      }
    }
    int at = collection.packs.indexOf(sources.getFirst());
    collection.packs.removeAll(sources);
    spoilt.addAll(collection.damagedPacks);
    collection.damagedPacks.removeAll(numbers);
    collection.lostDeletions.removeAll(numbers);
    if (entry.rows() > 0 || entry.tombstones() > 0) {
      LivePack pack = new LivePack(entry, live);
      pack.deadSince = live < entry.rows() ? since : 0;
      collection.packs.add(at, pack);
    } else {
      discard(); // Nothing names it.
    }
    repack(numbers);
    return sources;
  }

  /** Whether bytes of a source that was merged are kept in no other place. */
  boolean isDamaged(LivePack source) {
    return spoilt.contains(source.number);
  }

  /** What could not be read is in no pack any more. */
  private void repack(Set<Long> numbers) {
    if (hasUnreadable) {
      damaged.addAll(collection.copies().keySet());
    }
    for (String id : damaged) {
      Copy copy = collection.copies().get(id);
      if (copy != null && numbers.contains(copy.pack())) {
        collection.copies().put(id, new Copy(copy.file(), -1, 0));
        collection.rewrite(id); // Unless it is about to be deleted.
      }
    }
  }
}
