package dev.contextd.storage.chromem;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.Allocation;
import dev.contextd.storage.FixtureData;
import dev.contextd.storage.Seed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Decoders under damaged input: a value or a FormatException, within bounded memory.
 *
 * <p>The bound for plain gob: the dearest byte of a stream is a field of a type descriptor, which
 * takes one byte (an end mark) and becomes an object of 24 bytes and up to four references to it;
 * floats are one byte and 4, map entries two bytes and two strings. {@value #PLAIN_BYTES_PER_BYTE}
 * leaves a little room. An export holds whole documents of five bytes, each an object, a list's
 * entry and a hash. What is gzip counts by its inflated size, which has its own limit.
 */
class DecoderFuzzTest {
  static final long PLAIN_BYTES_PER_BYTE = 64;
  private static final long EXPORT_BYTES_PER_BYTE = 128;

  /**
   * Damaged gzip inflates to at most 1032 bytes a byte, in buffers that double up to that, and is
   * refused by its sum. What passes is a fixture of a few KiB.
   */
  private static final long GZIP_BYTES_PER_BYTE = 3 * 1032;

  private static final long GZIP_FIXED_BYTES = 4L << 20;

  private static final int MUTATIONS = 20_000;
  private static final byte[] KEY = FixtureData.KEY.getBytes(StandardCharsets.US_ASCII);

  /** All decoders that read this kind of file: the right one, and those given it by mistake. */
  private record Target(String name, Allocation.Decoder decoder, long bytesPerByte) {}

  private static final List<Target> TARGETS =
      List.of(
          new Target("document", DocumentFormat::decode, PLAIN_BYTES_PER_BYTE),
          new Target("metadata", MetadataFormat::decode, PLAIN_BYTES_PER_BYTE),
          new Target("export", bytes -> ExportFormat.decode(bytes, null), EXPORT_BYTES_PER_BYTE),
          new Target("secret", bytes -> ExportFormat.decode(bytes, KEY), EXPORT_BYTES_PER_BYTE));

  private static boolean accepts(Target target, byte[] bytes, String what) {
    String where = target.name() + " decoder, " + what;
    boolean isGzip = bytes.length > 1 && bytes[0] == 0x1f && bytes[1] == (byte) 0x8b;
    boolean isWrapped = isGzip || target.name().equals("secret");
    if (isWrapped) {
      long bound = GZIP_FIXED_BYTES + GZIP_BYTES_PER_BYTE * bytes.length;
      return Allocation.acceptsWithin(target.decoder(), bytes, bound, where);
    }
    return Allocation.accepts(target.decoder(), bytes, target.bytesPerByte(), where);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "gzip"})
  void everyTruncationOfADocumentOrMetadataFileIsRefused(String kind) throws Exception {
    for (Path file : FixtureData.files(kind)) {
      byte[] whole = Files.readAllBytes(file);
      Target own = TARGETS.get(isMetadata(file) ? 1 : 0);
      for (int length = 0; length < whole.length; length++) {
        byte[] cut = Arrays.copyOf(whole, length);
        assertThat(accepts(own, cut, file + " cut to " + length)).isFalse();
      }
      assertThat(accepts(own, whole, file + " whole")).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "gzip"})
  void everyBitFlipOfADocumentOrMetadataFileIsReadOrRefused(String kind) throws Exception {
    for (Path file : FixtureData.files(kind)) {
      byte[] whole = Files.readAllBytes(file);
      Target own = TARGETS.get(isMetadata(file) ? 1 : 0);
      for (int bit = 0; bit < whole.length * Byte.SIZE; bit++) {
        accepts(own, FixtureData.flipped(whole, bit), file + " with bit " + bit + " turned");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"export.gob", "export.gob.gz"})
  void everyTruncationOfAnExportIsRefused(String name) throws Exception {
    byte[] whole = FixtureData.bytes(name);
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThat(accepts(TARGETS.get(2), cut, name + " cut to " + length)).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"export.gob", "export.gob.gz"})
  void everyBitFlipOfAnExportIsReadOrRefused(String name) throws Exception {
    byte[] whole = FixtureData.bytes(name);
    for (int bit = 0; bit < whole.length * Byte.SIZE; bit++) {
      accepts(TARGETS.get(2), FixtureData.flipped(whole, bit), name + " with bit " + bit);
    }
  }

  @Test
  void randomMutationsAreReadOrRefused() throws Exception {
    Random random = Seed.random("randomMutationsAreReadOrRefused");
    List<byte[]> corpus = corpus();
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] mutant = corpus.get(random.nextInt(corpus.size())).clone();
      for (int n = random.nextInt(1, 8); n > 0; n--) {
        mutant = mutated(mutant, corpus, random);
      }
      for (Target target : TARGETS) {
        accepts(target, mutant, "mutant " + i + " of " + mutant.length + " bytes");
      }
    }
  }

  @Test
  void garbageIsReadOrRefused() {
    Random random = Seed.random("garbageIsReadOrRefused");
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] garbage = new byte[random.nextInt(600)];
      random.nextBytes(garbage);
      if (i % 2 == 0) {
        for (int at = 0; at < garbage.length; at++) {
          garbage[at] &= 0x0f; // small numbers are what gob is made of
        }
      }
      for (Target target : TARGETS) {
        accepts(target, garbage, "garbage " + i);
      }
    }
  }

  /** The fixtures, the gzip ones inflated as well, so that mutations reach behind gzip's sum. */
  private static List<byte[]> corpus() throws IOException {
    List<byte[]> corpus = new ArrayList<>();
    try (Stream<Path> walk = Files.walk(FixtureData.path(""))) {
      for (Path file : walk.filter(path -> path.toString().contains(".gob")).sorted().toList()) {
        if (Files.isRegularFile(file)) {
          corpus.add(Files.readAllBytes(file));
        }
      }
    }
    return corpus;
  }

  private static byte[] mutated(byte[] bytes, List<byte[]> corpus, Random random) {
    if (bytes.length == 0) {
      return new byte[] {(byte) random.nextInt()};
    }
    int at = random.nextInt(bytes.length);
    int end = Math.min(bytes.length, at + random.nextInt(1, 40));
    byte[] other = corpus.get(random.nextInt(corpus.size()));
    return switch (random.nextInt(7)) {
      case 0 -> FixtureData.flipped(bytes, at * Byte.SIZE + random.nextInt(Byte.SIZE));
      case 1 -> with(bytes, at, random.nextBoolean() ? (byte) random.nextInt() : (byte) 0xf8);
      case 2 -> joined(bytes, 0, at, bytes, end, bytes.length);
      case 3 -> joined(bytes, 0, end, bytes, at, bytes.length);
      case 4 -> joined(bytes, 0, at, other, Math.min(at, other.length), other.length);
      case 5 -> Arrays.copyOf(bytes, at);
      default -> filled(bytes, at, end, random.nextBoolean() ? (byte) 0 : (byte) 0xff);
    };
  }

  private static byte[] with(byte[] bytes, int at, byte value) {
    return filled(bytes, at, at + 1, value);
  }

  private static byte[] filled(byte[] bytes, int from, int to, byte value) {
    byte[] copy = bytes.clone();
    Arrays.fill(copy, from, to, value);
    return copy;
  }

  private static byte[] joined(byte[] a, int fromA, int toA, byte[] b, int fromB, int toB) {
    byte[] result = Arrays.copyOf(Arrays.copyOfRange(a, fromA, toA), toA - fromA + toB - fromB);
    System.arraycopy(b, fromB, result, toA - fromA, toB - fromB);
    return result;
  }

  private static boolean isMetadata(Path file) {
    return file.getFileName().toString().startsWith(Names.METADATA_HASH);
  }
}
