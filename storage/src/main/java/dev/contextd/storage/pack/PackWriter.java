package dev.contextd.storage.pack;

import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.disk.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes a pack from front to end: all vectors, then all bodies in the same order, then {@link
 * #finish}. It is durable after the disk's next {@link Disk#syncAll}.
 */
public final class PackWriter implements Closeable {
  private static final int INITIAL_ROWS = 1_024;
  private static final int BODY_BYTES = 512;

  private final Disk.Appender file;
  private final long number;
  private final long incarnation;
  private final int dimension;
  private final int stride;
  private final ByteBuffer vectors =
      ByteBuffer.allocateDirect(16 * PackFormat.BLOCK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private BinaryWriter bodies = new BinaryWriter(2 * PackFormat.BLOCK_BYTES);
  private final BinaryWriter checksums = new BinaryWriter();
  private final int headCrc;
  private long[] directory = new long[INITIAL_ROWS];
  private int vectorCount;
  private int bodyCount;
  private long bodiesAt;
  private long bodyBytes;

  public PackWriter(Disk disk, Path directory, long number, long incarnation, int dimension)
      throws IOException {
    this.number = number;
    this.incarnation = incarnation;
    this.dimension = dimension;
    this.stride = PackFormat.stride(dimension);
    this.file = disk.appender(directory.resolve(PackFormat.fileName(number)));
    BinaryWriter head =
        new BinaryWriter(PackFormat.HEAD_BYTES)
            .u64(PackFormat.MAGIC)
            .u32(PackFormat.VERSION)
            .align(PackFormat.HEAD_BYTES);
    this.headCrc = Crc32c.of(head.toByteBuffer());
    file.append(head.toByteBuffer());
  }

  /** Adds a vector as stored: {@code float[dimension]}. */
  public void vector(float[] vector) throws IOException {
    if (vector.length != dimension) {
      throw new IllegalArgumentException(
          "a pack of dimension " + dimension + " takes no vector of " + vector.length);
    }
    for (int i = 0; i < stride; ) {
      int values = Math.min(vectors.remaining() / Float.BYTES, Math.max(0, dimension - i));
      vectors.asFloatBuffer().put(vector, Math.min(i, dimension), values);
      vectors.position(vectors.position() + values * Float.BYTES);
      i += values;
      for (; i >= dimension && i < stride && vectors.hasRemaining(); i++) {
        vectors.putFloat(0);
      }
      if (!vectors.hasRemaining()) {
        flushVectors();
      }
    }
    vectorCount++;
  }

  private void flushVectors() throws IOException {
    vectors.flip();
    sum(vectors);
    file.append(vectors);
    vectors.clear();
  }

  private void sum(ByteBuffer bytes) {
    for (int at = 0; at < bytes.limit(); at += PackFormat.BLOCK_BYTES) {
      int end = Math.min(bytes.limit(), at + PackFormat.BLOCK_BYTES);
      checksums.u32(Crc32c.of(bytes.duplicate().position(at).limit(end)));
    }
  }

  /** Adds the rest of the next row; the first call ends the vectors. */
  public void body(
      String id,
      String content,
      @Nullable Map<String, String> metadata,
      FileState state,
      boolean isUnit)
      throws IOException {
    if (bodyCount == 0) {
      flushVectors();
      bodiesAt = file.size();
    }
    if (bodyCount == directory.length) {
      directory = Arrays.copyOf(directory, bodyCount * 2);
    }
    directory[bodyCount++] = bodiesAt + bodyBytes + bodies.length();
    bodies.u8(isUnit ? PackFormat.UNIT_LENGTH : 0).string(id).string(content).map(metadata);
    state.write(bodies);
    if (bodies.length() > 2 * PackFormat.BLOCK_BYTES - BODY_BYTES) {
      flushBodies(false);
    }
  }

  /** Writes whole blocks and keeps the rest, so that blocks of checksums do not shift. */
  private void flushBodies(boolean isEnd) throws IOException {
    ByteBuffer all = bodies.toByteBuffer();
    int whole = isEnd ? all.limit() : all.limit() / PackFormat.BLOCK_BYTES * PackFormat.BLOCK_BYTES;
    ByteBuffer ready = all.duplicate().limit(whole);
    sum(ready);
    file.append(ready.duplicate());
    bodyBytes += whole;
    byte[] rest = new byte[all.limit() - whole];
    all.position(whole).get(rest);
    bodies = new BinaryWriter(2 * PackFormat.BLOCK_BYTES).raw(rest);
  }

  /**
   * Ends the pack.
   *
   * @return the size of the file
   */
  public long finish(List<String> tombstones) throws IOException {
    if (bodyCount != vectorCount) {
      throw new IllegalStateException(vectorCount + " vectors and " + bodyCount + " bodies");
    }
    if (bodyCount == 0) {
      bodiesAt = file.size();
    }
    flushBodies(true);
    BinaryWriter offsets = new BinaryWriter(bodyCount * Long.BYTES).rawLongs(directory, bodyCount);
    BinaryWriter deleted = new BinaryWriter();
    tombstones.forEach(deleted::string);
    long directoryAt = file.size();
    file.append(offsets.toByteBuffer());
    long tombstonesAt = file.size();
    file.append(deleted.toByteBuffer());
    long checksumsAt = file.size();
    file.append(checksums.toByteBuffer());
    BinaryWriter foot =
        new BinaryWriter(PackFormat.FOOT_BYTES)
            .u64(PackFormat.MAGIC)
            .u32(PackFormat.VERSION)
            .u32(dimension)
            .u64(number)
            .u64(incarnation)
            .u32(bodyCount)
            .u32(tombstones.size())
            .u64(bodiesAt)
            .u64(directoryAt)
            .u64(tombstonesAt)
            .u64(checksumsAt)
            .u64(file.size())
            .u32(Crc32c.of(offsets.toByteBuffer()))
            .u32(Crc32c.of(deleted.toByteBuffer()))
            .u32(Crc32c.of(checksums.toByteBuffer()))
            .u32(headCrc);
    foot.align(PackFormat.FOOT_BYTES - Integer.BYTES).u32(Crc32c.of(foot.toByteBuffer()));
    file.append(foot.toByteBuffer());
    return file.size();
  }

  /** Makes what was written durable, but not the file's name. */
  public void sync() throws IOException {
    file.sync();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
