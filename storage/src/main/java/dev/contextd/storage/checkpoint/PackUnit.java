package dev.contextd.storage.checkpoint;

import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.pack.PackFormat;
import dev.contextd.storage.pack.PackReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of a pack's rows in memory: the vectors off-heap, as aligned rows, the rest beside
 * them.
 *
 * <p>A row that is not in {@link #live} is damaged, deleted, or not the latest of its id.
 */
public final class PackUnit {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final long pack;
  private final int firstRow;
  private final int dimension;
  private final PackReader.@Nullable Body[] bodies;
  private final MemorySegment vectors;
  private final BitSet live;

  PackUnit(
      long pack,
      int firstRow,
      int dimension,
      PackReader.@Nullable Body[] bodies,
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

  public int dimension() {
    return dimension;
  }

  /** How many rows it has, dead ones included. */
  public int rows() {
    return bodies.length;
  }

  public boolean isLive(int row) {
    return live.get(row);
  }

  /** How many rows are live. */
  public int count() {
    return live.cardinality();
  }

  void kill(int row) {
    live.clear(row);
  }

  /** A live row without its vector. */
  public PackReader.Body body(int row) {
    return Objects.requireNonNull(bodies[row]);
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
    PackReader.Body body = body(row);
    return new StoredDocument(body.id(), body.metadata(), vector(row), body.content());
  }
}
