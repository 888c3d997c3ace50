package dev.contextd.engine.search;

import dev.contextd.storage.checkpoint.PackUnit;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A block of rows: their vectors off-heap at unit length, their documents and metadata columns
 * beside them.
 *
 * <p>Invariants: slots are filled in order by one writer and never overwritten; a reader only looks
 * at slots below the fill its snapshot names, which was published after they were written. A
 * deletion is a sequence number in {@link #died}, alive is {@link Long#MAX_VALUE}: a reader of
 * snapshot {@code s} sees the row where {@code died > s}. The memory is freed when nothing refers
 * to the chunk any more, its last reader included.
 */
final class RowChunk {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int ALIGNMENT_BYTES = 64;

  private final int dimension;
  private final int stride;
  private final int capacity;
  private final MemorySegment vectors;

  /** A row of a pack is made when it is asked for; two threads may make one each, all alike. */
  private final @Nullable Row[] rows;

  private final @Nullable PackUnit packed;
  private final long[] died;

  /** Null as long as no filter asked for those of a pack's chunk. */
  private volatile @Nullable MetadataColumns columns;

  private boolean hasDead;

  RowChunk(int dimension, int capacity) {
    this(
        dimension,
        capacity,
        Arena.ofAuto()
            .allocate((long) capacity * DotKernel.stride(dimension) * Float.BYTES, ALIGNMENT_BYTES),
        null);
    this.columns = new MetadataColumns(capacity);
  }

  /** A chunk of a pack's rows, whose memory it takes over; those that are not live stay empty. */
  RowChunk(PackUnit unit) {
    this(unit.dimension(), unit.rows(), unit.vectors(), unit);
    for (int row = unit.nextDead(0); row < capacity; row = unit.nextDead(row + 1)) {
      leaveEmpty(row);
    }
    for (int row = unit.nextScaled(0); row >= 0; row = unit.nextScaled(row + 1)) {
      if (unit.isLive(row)) {
        float[] original = unit.vector(row);
        overwrite(row, Vectors.scaled(original, Vectors.norm(original)));
        rows[row] = new Row(unit, this, row, original);
      }
    }
  }

  private RowChunk(int dimension, int capacity, MemorySegment vectors, @Nullable PackUnit packed) {
    this.dimension = dimension;
    this.stride = DotKernel.stride(dimension);
    this.capacity = capacity;
    this.vectors = vectors;
    this.packed = packed;
    this.rows = new Row[capacity];
    this.died = new long[capacity];
    Arrays.fill(died, Long.MAX_VALUE);
  }

  int capacity() {
    return capacity;
  }

  int stride() {
    return stride;
  }

  MemorySegment vectors() {
    return vectors;
  }

  MetadataColumns columns() {
    MetadataColumns built = columns;
    return built == null ? build() : built;
  }

  /** Opening many documents is quicker without, and the first filter makes up for it. */
  private synchronized MetadataColumns build() {
    MetadataColumns built = columns;
    if (built == null) {
      built = new MetadataColumns(capacity);
      PackUnit unit = Objects.requireNonNull(packed);
      for (int row = unit.nextLive(0); row >= 0; row = unit.nextLive(row + 1)) {
        built.put(row, unit.metadata(row));
      }
      columns = built;
    }
    return built;
  }

  /**
   * Fills a slot.
   *
   * @param unit the vector at unit length
   * @param original the vector as stored where it is not of unit length; else null
   */
  Row put(
      int slot,
      String id,
      String content,
      Map<String, String> metadata,
      float[] unit,
      float @Nullable [] original) {
    overwrite(slot, unit);
    Row row = new Row(id, content, columns().put(slot, metadata), this, slot, original);
    rows[slot] = row;
    return row;
  }

  /** Writes a vector into its slot. */
  private void overwrite(int slot, float[] unit) {
    MemorySegment.copy(unit, 0, vectors, FLOAT, (long) slot * stride * Float.BYTES, dimension);
  }

  /** A slot that no snapshot ever sees. */
  private void leaveEmpty(int slot) {
    died[slot] = 0;
    hasDead = true;
  }

  /** Takes back a {@link #kill} that no published snapshot knows of. */
  void revive(int slot) {
    died[slot] = Long.MAX_VALUE;
  }

  void kill(int slot, long sequence) {
    died[slot] = sequence;
    hasDead = true;
  }

  /** False only where every row lives, for all snapshots published so far. */
  boolean hasDead() {
    return hasDead;
  }

  boolean isAlive(int slot, long sequence) {
    return died[slot] > sequence;
  }

  /** Whether a row was ever put into the slot. */
  boolean isFilled(int slot) {
    return rows[slot] != null || (packed != null && packed.isLive(slot));
  }

  Row row(int slot) {
    Row row = rows[slot];
    if (row == null) {
      if (packed == null || !packed.isLive(slot)) {
        throw new IllegalStateException("slot " + slot + " was never filled");
      }
      row = new Row(packed, this, slot, null);
      rows[slot] = row;
    }
    return row;
  }

  /** All rows that were ever put. */
  void forEachRow(Consumer<Row> action) {
    for (int slot = 0; slot < capacity; slot++) {
      if (isFilled(slot)) {
        action.accept(row(slot));
      }
    }
  }

  float[] vector(int slot) {
    float[] vector = new float[dimension];
    MemorySegment.copy(vectors, FLOAT, (long) slot * stride * Float.BYTES, vector, 0, dimension);
    return vector;
  }
}
