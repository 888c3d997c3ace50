package dev.contextd.storage.pack;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A pack as it is read.
 *
 * <p>Invariants: no row is handed out of which any byte failed its checksum; a length or offset in
 * the file is believed only after the checksum over it was right, and bounded all the same.
 */
public final class PackReader implements Closeable {
  private static final int MAX_DIMENSION = 1 << 20;

  /** So many bytes of bodies are read at once, unless one body alone has more. */
  private static final int MAX_BODIES_BYTES = 16 << 20;

  private final Disk.Reader file;
  private final long number;
  private final long incarnation;
  private final int dimension;
  private final int rows;
  private final long bodiesAt;
  private final long directoryAt;
  private final long[] directory;
  private final int[] checksums;
  private final List<String> tombstones;
  private final boolean tombstonesLost;

  private PackReader(
      Disk.Reader file,
      ByteBuffer foot,
      long[] directory,
      int[] checksums,
      @Nullable List<String> tombstones) {
    this.file = file;
    this.number = foot.getLong(16);
    this.incarnation = foot.getLong(24);
    this.dimension = foot.getInt(12);
    this.rows = foot.getInt(32);
    this.bodiesAt = foot.getLong(40);
    this.directoryAt = foot.getLong(48);
    this.directory = directory;
    this.checksums = checksums;
    this.tombstones = tombstones == null ? List.of() : List.copyOf(tombstones);
    this.tombstonesLost = tombstones == null;
  }

  /**
   * Opens a pack and verifies everything but its rows.
   *
   * @throws FormatException where no row of it can be used
   * @throws IOException where it cannot be opened or read
   */
  public static PackReader open(Disk disk, Path path) throws IOException, FormatException {
    Disk.Reader file = disk.reader(path);
    try {
      return open(file);
    } catch (IOException | FormatException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static PackReader open(Disk.Reader file) throws IOException, FormatException {
    long size = file.size() - PackFormat.FOOT_BYTES;
    ByteBuffer foot = section(file, size, PackFormat.FOOT_BYTES, file.size());
    if (foot.getLong(0) != PackFormat.MAGIC
        || foot.getInt(124) != Crc32c.of(foot.duplicate().position(0).limit(124))) {
      throw new FormatException("the foot of the pack is damaged");
    }
    if (foot.getInt(8) != PackFormat.VERSION) {
      throw new FormatException(
          "the pack has version " + foot.getInt(8) + ", this program reads " + PackFormat.VERSION);
    }
    requireSum(section(file, 0, PackFormat.HEAD_BYTES, size), foot.getInt(92), "head");
    int rows = foot.getInt(32);
    requireOrder(foot, rows, size);
    ByteBuffer offsets = section(file, foot.getLong(48), (long) rows * Long.BYTES, size);
    requireSum(offsets, foot.getInt(80), "directory");
    long[] directory = new long[rows];
    offsets.asLongBuffer().get(directory);
    requireRising(directory, foot.getLong(40), foot.getLong(48));
    long vectorBytes = rows * PackFormat.rowBytes(foot.getInt(12));
    int blocks =
        PackFormat.blocks(vectorBytes) + PackFormat.blocks(foot.getLong(48) - foot.getLong(40));
    ByteBuffer sums = section(file, foot.getLong(64), (long) blocks * Integer.BYTES, size);
    requireSum(sums, foot.getInt(88), "table of checksums");
    int[] checksums = new int[blocks];
    sums.asIntBuffer().get(checksums);
    return new PackReader(file, foot, directory, checksums, readTombstones(file, foot, size));
  }

  private static void requireOrder(ByteBuffer foot, int rows, long size) throws FormatException {
    int dimension = foot.getInt(12);
    long at = PackFormat.HEAD_BYTES;
    boolean fits = rows >= 0 && dimension >= (rows == 0 ? 0 : 1) && dimension <= MAX_DIMENSION;
    fits = fits && foot.getLong(40) == at + rows * PackFormat.rowBytes(dimension);
    for (int field = 40; fits && field <= 72; field += Long.BYTES) {
      fits = foot.getLong(field) >= at && foot.getLong(field) <= size;
      at = foot.getLong(field);
    }
    if (!fits || at != size) {
      throw new FormatException("the foot of the pack does not fit the file");
    }
  }

  private static void requireRising(long[] directory, long from, long to) throws FormatException {
    long before = from;
    for (long offset : directory) {
      if (offset < before || offset > to) {
        throw new FormatException("the directory of the pack does not fit its rows");
      }
      before = offset;
    }
  }

  private static void requireSum(ByteBuffer bytes, int crc, String what) throws FormatException {
    if (Crc32c.of(bytes) != crc) {
      throw new FormatException("the " + what + " of the pack is damaged");
    }
  }

  private static @Nullable List<String> readTombstones(Disk.Reader file, ByteBuffer foot, long size)
      throws IOException {
    try {
      ByteBuffer bytes = section(file, foot.getLong(56), foot.getLong(64) - foot.getLong(56), size);
      requireSum(bytes, foot.getInt(84), "list of deletions");
      List<String> ids = new ArrayList<>();
      BinaryReader in = new BinaryReader(bytes);
      for (int i = 0; i < foot.getInt(36); i++) {
        ids.add(in.string());
      }
      return ids;
    } catch (FormatException e) {
      return null;
    }
  }

  private static ByteBuffer section(Disk.Reader file, long offset, long bytes, long size)
      throws IOException, FormatException {
    if (offset < 0 || bytes < 0 || bytes > Integer.MAX_VALUE - 8 || offset > size - bytes) {
      throw new FormatException("the pack is cut short");
    }
    ByteBuffer buffer = ByteBuffer.allocate((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
    try {
      file.read(buffer, offset);
    } catch (java.io.EOFException e) {
      throw new FormatException("the pack is cut short", e);
    }
    return buffer.flip();
  }

  public long number() {
    return number;
  }

  public long incarnation() {
    return incarnation;
  }

  public int dimension() {
    return dimension;
  }

  public int rows() {
    return rows;
  }

  /** Ids that older packs hold and that are deleted. */
  public List<String> tombstones() {
    return tombstones;
  }

  /** Whether deletions are in it that cannot be read any more. */
  public boolean tombstonesLost() {
    return tombstonesLost;
  }

  /**
   * A row without its vector.
   *
   * @param metadata null where the document's file has none
   * @param isUnit whether the vector has unit length
   */
  public record Body(
      String id,
      String content,
      @Nullable Map<String, String> metadata,
      FileState file,
      boolean isUnit) {}

  /** Takes the bodies of rows. */
  @FunctionalInterface
  public interface BodySink {
    /**
     * Takes one.
     *
     * @param body null where it is damaged
     */
    void accept(int row, @Nullable Body body);
  }

  /** Reads the bodies of rows {@code from} to {@code to - 1} and decodes each, some at a time. */
  public void readBodies(int from, int to, BodySink sink) throws IOException {
    for (Piece piece : pieces(from, to)) {
      PackBodies bodies = new PackBodies(piece.to() - piece.from(), 1);
      read(piece, piece.from(), bodies);
      for (int row = 0; row < bodies.rows(); row++) {
        sink.accept(piece.from() + row, bodies.isWhole(row) ? bodies.body(row) : null);
      }
    }
  }

  /** Reads the bodies of rows {@code from} to {@code to - 1}, which are counted from 0 there. */
  public PackBodies bodies(int from, int to) throws IOException {
    List<Piece> pieces = pieces(from, to);
    PackBodies bodies = new PackBodies(Math.max(0, to - from), pieces.size());
    for (Piece piece : pieces) {
      read(piece, from, bodies);
    }
    return bodies;
  }

  /** Rows whose bodies are read at once. */
  private record Piece(int from, int to, long begin, int length) {}

  private List<Piece> pieces(int from, int to) {
    List<Piece> pieces = new ArrayList<>();
    split(from, to, pieces);
    return pieces;
  }

  private void split(int from, int to, List<Piece> pieces) {
    if (from >= to) {
      return;
    }
    long section = directoryAt - bodiesAt;
    int firstBlock = (int) ((offset(from) - bodiesAt) / PackFormat.BLOCK_BYTES);
    int endBlock = PackFormat.blocks(offset(to) - bodiesAt);
    long begin = (long) firstBlock * PackFormat.BLOCK_BYTES;
    long length = Math.min(section, (long) endBlock * PackFormat.BLOCK_BYTES) - begin;
    if (length > MAX_BODIES_BYTES && to - from > 1) {
      int middle = (from + to) >>> 1;
      split(from, middle, pieces);
      split(middle, to, pieces);
      return;
    }
    pieces.add(new Piece(from, to, begin, (int) length));
  }

  private void read(Piece piece, int first, PackBodies bodies) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(piece.length()).order(ByteOrder.LITTLE_ENDIAN);
    file.read(bytes, bodiesAt + piece.begin());
    bytes.flip();
    int firstBlock = (int) (piece.begin() / PackFormat.BLOCK_BYTES);
    int table = PackFormat.blocks(rows * PackFormat.rowBytes(dimension)) + firstBlock;
    BitSet bad = badBlocks(bytes, table);
    byte[] array = bytes.array();
    int at = (int) (offset(piece.from()) - bodiesAt - piece.begin());
    for (int row = piece.from(); row < piece.to(); row++) {
      int until = (int) (offset(row + 1) - bodiesAt - piece.begin());
      if (at < until && until <= array.length && !touches(bad, at, until)) {
        bodies.note(row - first, array, at, until);
      }
      at = until;
    }
  }

  /** Where a row begins, and the one before it ends. */
  private long offset(int row) {
    return row == rows ? directoryAt : directory[row];
  }

  private static boolean touches(BitSet bad, int from, int to) {
    int block = bad.nextSetBit(from / PackFormat.BLOCK_BYTES);
    return block >= 0 && block <= (to - 1) / PackFormat.BLOCK_BYTES;
  }

  private BitSet badBlocks(ByteBuffer bytes, int table) {
    BitSet bad = new BitSet();
    for (int block = 0; block < PackFormat.blocks(bytes.limit()); block++) {
      int from = block * PackFormat.BLOCK_BYTES;
      int to = Math.min(bytes.limit(), from + PackFormat.BLOCK_BYTES);
      if (Crc32c.of(bytes.duplicate().position(from).limit(to)) != checksums[table + block]) {
        bad.set(block);
      }
    }
    return bad;
  }

  /** How many rows there are from a row on, up to the end of its unit. */
  public int unitRows(int from) {
    return Math.min(rows - from, PackFormat.UNIT_ROWS);
  }

  /**
   * Reads the vectors of one unit of rows into memory laid out as in the file.
   *
   * @param from a multiple of {@value PackFormat#UNIT_ROWS}
   * @param target native memory of at least {@code unitRows(from) * stride * 4} bytes
   * @return the rows, counted from {@code from}, whose vectors are damaged
   */
  public BitSet readVectors(int from, MemorySegment target) throws IOException {
    int count = unitRows(from);
    long rowBytes = PackFormat.rowBytes(dimension);
    ByteBuffer bytes =
        target.asSlice(0, count * rowBytes).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    file.read(bytes, PackFormat.HEAD_BYTES + from * rowBytes);
    bytes.flip();
    BitSet badBlocks = badBlocks(bytes, (int) (from * rowBytes / PackFormat.BLOCK_BYTES));
    BitSet badRows = new BitSet();
    for (int block = badBlocks.nextSetBit(0); block >= 0; block = badBlocks.nextSetBit(block + 1)) {
      long first = (long) block * PackFormat.BLOCK_BYTES / rowBytes;
      long last = ((long) (block + 1) * PackFormat.BLOCK_BYTES - 1) / rowBytes;
      badRows.set((int) first, (int) Math.min(last + 1, count));
    }
    return badRows;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
