package dev.contextd.storage.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.Allocation;
import dev.contextd.storage.FixtureData;
import dev.contextd.storage.Seed;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Packs as they are written, read back, damaged and forged. */
class PackTest {
  private static final int FOOT = PackFormat.FOOT_BYTES;

  @TempDir Path folder;

  /** A row as it went in, or as it came out. */
  record Row(
      String id,
      String content,
      @Nullable Map<String, String> metadata,
      FileState file,
      boolean isUnit,
      List<Integer> bits) {}

  /** What was read: null where a row is damaged. */
  record Read(int dimension, List<@Nullable Row> rows, List<String> tombstones, boolean lost) {}

  private static Row row(int n, int dimension, Random random) {
    List<Integer> bits = new ArrayList<>();
    for (int i = 0; i < dimension; i++) {
      bits.add(Float.floatToRawIntBits(random.nextFloat() - 0.5f));
    }
    Map<String, String> metadata =
        switch (n % 3) {
          case 0 -> null;
          case 1 -> Map.of();
          default -> Map.of("n", "" + n, "名", "");
        };
    String id = n % 50 == 7 ? "long ".repeat(2_000) + n : "id " + n;
    return new Row(
        id,
        n % 40 == 3 ? "" : "content 多 " + n,
        metadata,
        new FileState(n * 7L, n, Long.MAX_VALUE - n, -n),
        n % 2 == 0,
        bits);
  }

  private static List<Row> rows(int count, int dimension, Random random) {
    List<Row> rows = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      rows.add(row(n, dimension, random));
    }
    return rows;
  }

  private Path write(int dimension, List<Row> rows, List<String> tombstones) throws IOException {
    Path file = folder.resolve(PackFormat.fileName(12));
    Files.deleteIfExists(file);
    try (PackWriter writer = new PackWriter(new LocalDisk(), folder, 12, 34, dimension)) {
      for (Row row : rows) {
        float[] vector = new float[dimension];
        for (int i = 0; i < dimension; i++) {
          vector[i] = Float.intBitsToFloat(row.bits().get(i));
        }
        writer.vector(vector);
      }
      for (Row row : rows) {
        writer.body(row.id(), row.content(), row.metadata(), row.file(), row.isUnit());
      }
      assertThat(writer.finish(tombstones)).isEqualTo(Files.size(file));
    }
    return file;
  }

  static Read read(Path file) throws IOException, FormatException {
    try (PackReader reader = PackReader.open(new LocalDisk(), file);
        Arena arena = Arena.ofConfined()) {
      List<@Nullable Row> rows = new ArrayList<>();
      int stride = PackFormat.stride(reader.dimension());
      for (int from = 0; from < reader.rows(); from += PackFormat.UNIT_ROWS) {
        int count = reader.unitRows(from);
        MemorySegment vectors = arena.allocate((long) count * stride * Float.BYTES, 64);
        BitSet bad = reader.readVectors(from, vectors);
        int begin = from;
        reader.readBodies(
            from,
            from + count,
            (row, body) ->
                rows.add(
                    body == null || bad.get(row - begin)
                        ? null
                        : row(body, vectors, (row - begin) * (long) stride, reader.dimension())));
      }
      assertThat(reader.number()).isEqualTo(12);
      assertThat(reader.incarnation()).isEqualTo(34);
      return new Read(reader.dimension(), rows, reader.tombstones(), reader.tombstonesLost());
    }
  }

  private static Row row(PackReader.Body body, MemorySegment vectors, long at, int dimension) {
    List<Integer> bits = new ArrayList<>();
    for (int i = 0; i < dimension; i++) {
      bits.add(vectors.get(ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN), (at + i) * 4));
    }
    return new Row(body.id(), body.content(), body.metadata(), body.file(), body.isUnit(), bits);
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,5000", "3,9000", "15,700", "16,700", "17,700", "384,800", "1536,300"})
  void whatGoesInComesOut(int dimension, int count) throws Exception {
    Random random = Seed.random("PackTest.whatGoesInComesOut");
    List<Row> rows = rows(count, dimension, random);
    Read read = read(write(dimension, rows, List.of("gone", "", "名".repeat(3_000))));
    assertThat(read.dimension()).isEqualTo(dimension);
    assertThat(read.rows()).isEqualTo(rows);
    assertThat(read.tombstones()).containsExactly("gone", "", "名".repeat(3_000));
    assertThat(read.lost()).isFalse();
  }

  @Test
  void aPackOfDeletionsAloneHasNoRows() throws Exception {
    Read read = read(write(0, List.of(), List.of("a", "b")));
    assertThat(read.rows()).isEmpty();
    assertThat(read.tombstones()).containsExactly("a", "b");
    assertThat(read(write(3, List.of(), List.of())).tombstones()).isEmpty();
  }

  @Test
  void longContentsAreReadInParts() throws Exception {
    Random random = Seed.random("PackTest.longContentsAreReadInParts");
    List<Row> rows = new ArrayList<>();
    for (int n = 0; n < 40; n++) {
      Row row = row(n, 2, random);
      String content = ("" + (char) ('a' + n % 26)).repeat(n == 20 ? 20 << 20 : 900_000);
      rows.add(new Row(row.id(), content, row.metadata(), row.file(), false, row.bits()));
    }
    assertThat(read(write(2, rows, List.of())).rows()).isEqualTo(rows);
  }

  @Test
  void aVectorOfAnotherLengthAndABodyTooFewAreRefused() throws Exception {
    try (PackWriter writer = new PackWriter(new LocalDisk(), folder, 1, 1, 3)) {
      assertThatThrownBy(() -> writer.vector(new float[2]))
          .isInstanceOf(IllegalArgumentException.class);
      writer.vector(new float[3]);
      assertThatThrownBy(() -> writer.finish(List.of())).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void everySingleTurnedBitLosesItsRowsAndAltersNone() throws Exception {
    Random random = Seed.random("PackTest.everySingleTurnedBit");
    List<Row> rows = rows(3_000, 24, random);
    List<String> tombstones = List.of("x", "y", "z");
    Path file = write(24, rows, tombstones);
    byte[] whole = Files.readAllBytes(file);
    int refused = 0;
    int damaged = 0;
    for (int i = 0; i < 500; i++) {
      // Half of them near the end, where the tables are.
      int span = i % 2 == 0 ? whole.length : 40_000;
      int at = whole.length - 1 - random.nextInt(span);
      Files.write(file, FixtureData.flipped(whole, at * Byte.SIZE + random.nextInt(Byte.SIZE)));
      try {
        Read read = read(file);
        assertThat(read.rows()).hasSameSizeAs(rows);
        int lost = 0;
        for (int n = 0; n < rows.size(); n++) {
          Row found = read.rows().get(n);
          if (found == null) {
            lost++;
          } else {
            assertThat(found).as("row %d, byte %d", n, at).isEqualTo(rows.get(n));
          }
        }
        assertThat(lost).as("rows of one block, byte %d", at).isLessThan(2_000);
        assertThat(read.lost() ? tombstones : read.tombstones()).isEqualTo(tombstones);
        damaged += lost > 0 || read.lost() ? 1 : 0;
      } catch (FormatException e) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
    assertThat(damaged).isPositive();
  }

  @Test
  void everyBitOfASmallPackIsGuarded() throws Exception {
    Random random = Seed.random("PackTest.everyBitOfASmallPackIsGuarded");
    List<Row> rows = rows(2, 3, random);
    Path file = write(3, rows, List.of("t"));
    byte[] whole = Files.readAllBytes(file);
    for (int bit = 0; bit < whole.length * Byte.SIZE; bit++) {
      Files.write(file, FixtureData.flipped(whole, bit));
      try {
        Read read = read(file);
        boolean isWhole = read.rows().equals(rows) && read.tombstones().equals(List.of("t"));
        assertThat(isWhole).as("bit %d", bit).isFalse();
        assertThat(read.rows()).allMatch(row -> row == null || rows.contains(row));
      } catch (FormatException e) {
        assertThat(e.reason()).isNotEmpty();
      }
    }
  }

  @Test
  void everyCutIsRefused() throws Exception {
    Path file = write(3, rows(5, 3, new Random(1)), List.of("t"));
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> read(file)).isInstanceOf(FormatException.class);
    }
  }

  /** What a foot says, field by field, with the checksum made right again. */
  @Test
  void aFootThatLiesIsRefusedWithoutAllocatingOrLooping() throws Exception {
    Random random = Seed.random("PackTest.aFootThatLies");
    Path file = write(3, rows(20, 3, random), List.of("t", "u"));
    byte[] whole = Files.readAllBytes(file);
    long[] values = {0, 1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << 20, 1L << 40, ~0L >>> 1};
    for (int field : new int[] {12, 16, 24, 32, 36, 40, 48, 56, 64, 72}) {
      for (int i = 0; i < 40; i++) {
        byte[] forged = whole.clone();
        ByteBuffer foot =
            ByteBuffer.wrap(forged, forged.length - FOOT, FOOT)
                .slice()
                .order(ByteOrder.LITTLE_ENDIAN);
        boolean isLong = field == 16 || field == 24 || field >= 40;
        long old = isLong ? foot.getLong(field) : foot.getInt(field);
        long value = i < values.length ? values[i] : old + random.nextInt(-300, 300);
        if (isLong) {
          foot.putLong(field, value);
        } else {
          foot.putInt(field, (int) value);
        }
        foot.putInt(FOOT - 4, Crc32c.of(foot.duplicate().position(0).limit(FOOT - 4)));
        Files.write(file, forged);
        Allocation.acceptsWithin(
            _ -> readAll(file), forged, 2L << 20, "field " + field + " = " + value);
      }
    }
  }

  @Test
  void aDirectoryThatLiesIsRefused() throws Exception {
    Path file = write(3, rows(20, 3, new Random(1)), List.of());
    byte[] whole = Files.readAllBytes(file);
    Random random = Seed.random("PackTest.aDirectoryThatLies");
    for (int i = 0; i < 300; i++) {
      byte[] forged = whole.clone();
      ByteBuffer bytes = ByteBuffer.wrap(forged).order(ByteOrder.LITTLE_ENDIAN);
      int foot = forged.length - FOOT;
      int directory = (int) bytes.getLong(foot + 48);
      int end = (int) bytes.getLong(foot + 56);
      int at = directory + random.nextInt((end - directory) / Long.BYTES) * Long.BYTES;
      long value = i % 3 == 0 ? random.nextLong() : bytes.getLong(at) + random.nextInt(-400, 400);
      bytes.putLong(at, value);
      bytes.putInt(foot + 80, Crc32c.of(bytes.duplicate().position(directory).limit(end)));
      bytes.putInt(
          foot + FOOT - 4, Crc32c.of(bytes.duplicate().position(foot).limit(foot + FOOT - 4)));
      Files.write(file, forged);
      Allocation.acceptsWithin(_ -> readAll(file), forged, 2L << 20, "offset " + value);
    }
  }

  /** Reads everything, as a decoder under watch. */
  static Object readAll(Path file) throws FormatException {
    try (PackReader reader = PackReader.open(new LocalDisk(), file);
        Arena arena = Arena.ofConfined()) {
      long[] rows = {0};
      for (int from = 0; from < reader.rows(); from += PackFormat.UNIT_ROWS) {
        int count = reader.unitRows(from);
        long bytes = (long) count * PackFormat.stride(reader.dimension()) * Float.BYTES;
        reader.readVectors(from, arena.allocate(Math.max(bytes, 1), 64));
        reader.readBodies(from, from + count, (_, body) -> rows[0] += body == null ? 0 : 1);
      }
      return rows;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aPackOfALaterVersionIsRefusedByItsNumber() throws Exception {
    Path file = write(3, rows(2, 3, new Random(1)), List.of());
    byte[] whole = Files.readAllBytes(file);
    ByteBuffer bytes = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
    int foot = whole.length - FOOT;
    bytes.putInt(foot + 8, 2);
    bytes.putInt(
        foot + FOOT - 4, Crc32c.of(bytes.duplicate().position(foot).limit(foot + FOOT - 4)));
    Files.write(file, whole);
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("version 2");
  }
}
