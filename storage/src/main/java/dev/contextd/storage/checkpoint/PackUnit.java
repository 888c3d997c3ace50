package dev.contextd.storage.checkpoint;

import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.pack.PackBodies;
import dev.contextd.storage.pack.PackFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of a pack's rows in memory: the vectors off-heap, as aligned rows, the rest beside
 * them.
 *
 * <p>A row that is not live is damaged, deleted, or not the latest of its id; which ones are is
 * settled before the store is open.
 */
public final class PackUnit {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final long pack;
  private final int firstRow;
  private final int dimension;
  private final PackBodies bodies;
  private final MemorySegment vectors;
  private final BitSet live;

  PackUnit(
      long pack,
      int firstRow,
      int dimension,
      PackBodies bodies,
      MemorySegment vectors,
      BitSet live) {
    this.pack = pack;
    this.firstRow = firstRow;
    this.dimension = dimension;
    this.bodies = bodies;
    this.vectors = vectors;
    this.live = live;
  }

  long pack() {
    return pack;
  }

  int firstRow() {
    return firstRow;
  }

  /** All rows without their vectors; live ones are whole. */
  PackBodies bodies() {
    return bodies;
  }

  public int dimension() {
    return dimension;
  }

  /** How many rows it has, dead ones included. */
  public int rows() {
    return bodies.rows();
  }

  public boolean isLive(int row) {
    return live.get(row);
  }

  /** The first live row from one on; negative where there is none. */
  public int nextLive(int from) {
    return live.nextSetBit(from);
  }

  /** The first row from one on that is not live. */
  public int nextDead(int from) {
    return live.nextClearBit(from);
  }

  /** The first row from one on whose vector has not unit length; negative where there is none. */
  public int nextScaled(int from) {
    return bodies.nextScaled(from);
  }

  /** How many rows are live. */
  public int count() {
    return live.cardinality();
  }

  void kill(int row) {
    live.clear(row);
  }

  /** The id of a live row, decoded anew each time. */
  public String id(int row) {
    return bodies.id(row);
  }

  /** The content of a live row, decoded anew each time. */
  public String content(int row) {
    return bodies.content(row);
  }

  /** The metadata of a live row, decoded anew each time; empty where it has none. */
  public Map<String, String> metadata(int row) {
    @Nullable Map<String, String> metadata = bodies.metadata(row);
    return metadata == null ? Map.of() : metadata;
  }

  /** All rows' vectors: row after row, each of {@link PackFormat#stride} floats. */
  public MemorySegment vectors() {
    return vectors;
  }

  /** A copy of a row's vector: {@code float[dimension]}. */
  public float[] vector(int row) {
    float[] vector = new float[dimension];
    long offset = (long) row * PackFormat.stride(dimension) * Float.BYTES;
    MemorySegment.copy(vectors, FLOAT, offset, vector, 0, dimension);
    return vector;
  }

  StoredDocument document(int row) {
    return new StoredDocument(
        bodies.id(row), bodies.metadata(row), vector(row), bodies.content(row));
  }
}
