package dev.contextd.storage.checkpoint;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.pack.PackBodies;
import dev.contextd.storage.pack.PackFormat;
import dev.contextd.storage.pack.PackReader;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a pack's rows into memory, its units in parallel, and verifies every byte of them. */
final class PackLoading {
  private static final int ALIGNMENT_BYTES = 64;

  private PackLoading() {}

  /**
   * A pack in memory.
   *
   * @param damagedRows how many rows were left out
   */
  record Loaded(
      List<PackUnit> units, List<String> tombstones, boolean tombstonesLost, int damagedRows) {}

  /**
   * Reads a pack.
   *
   * @throws FormatException where nothing of it can be used, or it is not the one the manifest
   *     names
   * @throws IOException where it cannot be opened or read
   */
  static Loaded load(Disk disk, Workers workers, Path packs, Manifest.Pack entry, long incarnation)
      throws IOException, FormatException {
    try (PackReader reader =
        PackReader.open(disk, packs.resolve(PackFormat.fileName(entry.number())))) {
      if (reader.number() != entry.number()
          || reader.incarnation() != incarnation
          || reader.rows() != entry.rows()) {
        throw new FormatException("it is not the pack that the manifest names");
      }
      int count = (reader.rows() + PackFormat.UNIT_ROWS - 1) / PackFormat.UNIT_ROWS;
      List<PackUnit> units = readUnits(workers, reader, count);
      int live = units.stream().mapToInt(PackUnit::count).sum();
      return new Loaded(units, reader.tombstones(), reader.tombstonesLost(), reader.rows() - live);
    }
  }

  private static List<PackUnit> readUnits(Workers workers, PackReader reader, int count)
      throws IOException {
    if (count == 0) {
      return new ArrayList<>();
    }
    if (count == 1) {
      return new ArrayList<>(List.of(readUnit(reader, 0)));
    }
    @Nullable PackUnit[] units = new PackUnit[count];
    try {
      workers.forEach(
          count,
          n -> {
            try {
              units[n] = readUnit(reader, n * PackFormat.UNIT_ROWS);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return new ArrayList<>(Arrays.asList(units));
  }

  private static PackUnit readUnit(PackReader reader, int from) throws IOException {
    int rows = reader.unitRows(from);
    int dimension = reader.dimension();
    long bytes = (long) rows * PackFormat.stride(dimension) * Float.BYTES;
    MemorySegment vectors = Arena.ofAuto().allocate(bytes, ALIGNMENT_BYTES);
    BitSet bad = reader.readVectors(from, vectors);
    PackBodies bodies = reader.bodies(from, from + rows);
    BitSet live = bodies.whole();
    live.andNot(bad);
    return new PackUnit(reader.number(), from, dimension, bodies, vectors, live);
  }
}
