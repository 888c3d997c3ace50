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
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Neighbouring packs of one collection made into one: only what still counts is copied, a unit of
 * rows in memory at a time.
 *
 * <p>A row that fails its checksum is left out and its document packed again from memory. Deletions
 * are kept while an older pack is left.
 */
final class PackMerge {
  /** Packs are merged while a collection has more of about one size. */
  private static final int MAX_SIMILAR = 4;

  /** A pack is of one size with younger ones that have more than a quarter of its rows together. */
  private static final int SIZE_RATIO = 4;

  private final Disk disk;
  private final Path packs;
  private final KeptCollection collection;
  private final List<LivePack> sources;
  private final Map<String, Integer> rows = new HashMap<>();
  private final Set<String> damaged = new HashSet<>();
  private Manifest.@Nullable Pack merged;

  /** Whether there are rows of which not even the id is known. */
  private boolean hasUnreadable;

  private PackMerge(Disk disk, Path packs, KeptCollection collection, List<LivePack> sources) {
    this.disk = disk;
    this.packs = packs;
    this.collection = collection;
    this.sources = sources;
  }

  /**
   * Merges what is worth it.
   *
   * @param deadBefore packs in which a row is dead since before this moment are worth it, in
   *     milliseconds since 1970
   * @return null where nothing is
   */
  static @Nullable PackMerge run(
      Disk disk, Path packs, KeptCollection collection, LongSupplier numbers, long deadBefore)
      throws IOException {
    List<LivePack> sources = choose(collection.packs, deadBefore);
    if (sources.isEmpty()) {
      return null;
    }
    if (!canTellDeletions(disk, packs, sources)) {
      // With no older pack left, there is nothing that the lost deletions could speak of.
      int end = collection.packs.indexOf(sources.getLast()) + 1;
      sources = List.copyOf(collection.packs.subList(0, end));
    }
    PackMerge merge = new PackMerge(disk, packs, collection, sources);
    merge.write(numbers.getAsLong());
    return merge;
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

  private void write(long number) throws IOException {
    disk.createRealDirectory(packs);
    int dimension = dimension();
    try (PackWriter writer =
        new PackWriter(disk, packs, number, collection.incarnation(), dimension)) {
      Set<String> tombstones = new HashSet<>();
      Map<Long, BitSet> bad = new HashMap<>();
      for (LivePack source : sources) {
        copyVectors(source, dimension, writer, bad, tombstones);
      }
      int count = 0;
      for (LivePack source : sources) {
        count = copyBodies(source, writer, bad, count);
      }
      boolean isOldest = collection.packs.getFirst() == sources.getFirst();
      tombstones.removeAll(rows.keySet());
      List<String> kept = isOldest ? List.of() : List.copyOf(tombstones);
      long bytes = writer.finish(kept);
      merged = new Manifest.Pack(number, count, kept.size(), bytes, 0);
    } catch (IOException | RuntimeException e) {
      disk.remove(packs.resolve(PackFormat.fileName(number)));
      throw e;
    }
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
      for (var copy : collection.copies.entrySet()) {
        if (copy.getValue().pack() == source.number) {
          damaged.add(copy.getKey());
        }
      }
      return null;
    }
  }

  private void copyVectors(
      LivePack source,
      int dimension,
      PackWriter writer,
      Map<Long, BitSet> bad,
      Set<String> tombstones)
      throws IOException {
    PackReader reader = open(source);
    if (reader == null) {
      return;
    }
    try (reader) {
      tombstones.addAll(reader.tombstones());
      BitSet left = new BitSet();
      bad.put(source.number, left);
      if (source.live == 0) {
        left.set(0, reader.rows());
        return;
      }
      int stride = PackFormat.stride(dimension);
      ByteBuffer buffer =
          ByteBuffer.allocateDirect(reader.unitRows(0) * stride * Float.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN);
      for (int from = 0; from < reader.rows(); from += PackFormat.UNIT_ROWS) {
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
  }

  /** Leaves out what does not count any more, and what is damaged. */
  private void judge(
      LivePack source, int row, PackReader.@Nullable Body body, boolean isBad, BitSet left) {
    if (body == null) {
      left.set(row);
      hasUnreadable = true;
      return;
    }
    Copy copy = collection.copies.get(body.id());
    boolean counts = copy != null && copy.pack() == source.number && copy.row() == row;
    if (!counts || isBad) {
      left.set(row);
    }
    if (counts && isBad) {
      damaged.add(body.id());
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

  /** The merged pack is durable: it takes the place of its sources, which are returned. */
  List<LivePack> apply() {
    Manifest.Pack entry = Objects.requireNonNull(merged);
    int at = collection.packs.indexOf(sources.getFirst());
    collection.packs.removeAll(sources);
    for (LivePack source : sources) {
      collection.damagedPacks.remove(source.number);
      collection.lostDeletions.remove(source.number);
    }
    if (entry.rows() > 0 || entry.tombstones() > 0) {
      collection.packs.add(at, new LivePack(entry, entry.rows()));
    }
    rows.forEach((id, row) ->
        collection.copies.computeIfPresent(
            id, (_, copy) -> new Copy(copy.file(), entry.number(), row)));
    if (hasUnreadable) {
      Set<Long> numbers = sources.stream().map(s -> s.number).collect(Collectors.toSet());
      collection.copies.forEach((id, copy) -> {
        if (numbers.contains(copy.pack())) {
          damaged.add(id);
        }
      });
    }
    // Rows that could not be read are in no pack any more.
    damaged.forEach(
        id -> collection.copies.computeIfPresent(id, (_, copy) -> new Copy(copy.file(), -1, 0)));
    collection.put(List.copyOf(damaged), List.of());
    return sources;
  }
}
