package dev.contextd.storage.pack;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.disk.FilesInMemory;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.provider.MethodSource;

/** A pack; the checksums are made right, so that the fuzzer comes behind them. */
class PackFuzz {
  private static final Path DIRECTORY = Path.of("packs");
  private static final int MAX_VECTOR_BYTES = 1 << 20;

  static List<byte[]> seeds() throws IOException {
    Path folder = Files.createTempDirectory("pack-seeds");
    Path file = folder.resolve(PackFormat.fileName(1));
    try (PackWriter writer = new PackWriter(new LocalDisk(), folder, 1, 2, 3)) {
      for (int n = 0; n < 4; n++) {
        writer.vector(new float[] {n, 1, 0});
      }
      for (int n = 0; n < 4; n++) {
        writer.body("id " + n, "content", Map.of("k", "v"), new FileState(n, 1, 2, 3), n == 0);
      }
      writer.finish(List.of("gone", "too"));
    }
    byte[] pack = Files.readAllBytes(file);
    Files.delete(file);
    Files.delete(folder);
    return List.of(pack);
  }

  @MethodSource("seeds")
  @FuzzTest
  void aPackIsReadOrRefused(byte[] pack) throws IOException {
    read(pack);
    read(mended(pack));
  }

  private static void read(byte[] pack) throws IOException {
    FilesInMemory disk = new FilesInMemory(DIRECTORY, Map.of("p", pack));
    try (PackReader reader = PackReader.open(disk, DIRECTORY.resolve("p"));
        Arena arena = Arena.ofConfined()) {
      for (int from = 0; from < reader.rows(); from += PackFormat.UNIT_ROWS) {
        int count = reader.unitRows(from);
        long bytes = (long) count * PackFormat.stride(reader.dimension()) * Float.BYTES;
        if (bytes > MAX_VECTOR_BYTES) {
          throw new AssertionError("a pack of " + pack.length + " bytes wants " + bytes);
        }
        reader.readVectors(from, arena.allocate(bytes, 64));
        reader.readBodies(from, from + count, (_, body) -> {});
      }
    } catch (FormatException e) {
      // Refused.
    }
  }

  private static byte[] mended(byte[] pack) {
    byte[] mended = pack.clone();
    ByteBuffer bytes = ByteBuffer.wrap(mended).order(ByteOrder.LITTLE_ENDIAN);
    int foot = mended.length - PackFormat.FOOT_BYTES;
    if (foot < PackFormat.HEAD_BYTES) {
      return mended;
    }
    bytes.putLong(foot, PackFormat.MAGIC).putInt(foot + 8, PackFormat.VERSION);
    long directory = bytes.getLong(foot + 48);
    int rows = bytes.getInt(foot + 32);
    sum(bytes, directory, directory + (long) rows * Long.BYTES, foot + 80);
    sum(bytes, bytes.getLong(foot + 56), bytes.getLong(foot + 64), foot + 84);
    // The bodies' checksum: of a small pack the second one in the table.
    long sums = bytes.getLong(foot + 64);
    if (sums >= 0 && sums <= foot - 8) {
      sum(bytes, PackFormat.HEAD_BYTES, bytes.getLong(foot + 40), (int) sums);
      sum(bytes, bytes.getLong(foot + 40), directory, (int) sums + 4);
    }
    sum(bytes, sums, sums + 8, foot + 88);
    sum(bytes, 0, PackFormat.HEAD_BYTES, foot + 92);
    sum(bytes, foot, mended.length - 4L, mended.length - 4);
    return mended;
  }

  private static void sum(ByteBuffer bytes, long from, long to, int target) {
    if (from >= 0 && to >= from && to <= bytes.limit()) {
      bytes.putInt(target, Crc32c.of(bytes.duplicate().limit((int) to).position((int) from)));
    }
  }
}
