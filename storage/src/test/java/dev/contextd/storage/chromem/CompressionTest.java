package dev.contextd.storage.chromem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.Allocation;
import dev.contextd.storage.FixtureData;
import dev.contextd.storage.Seed;
import dev.contextd.storage.gob.FormatException;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is inflated, what is refused, and how much memory a small file may cost. */
class CompressionTest {

  @ParameterizedTest
  @CsvSource({
    "a.gob,PLAIN,a",
    "a.gob.gz,GZIP,a",
    "a.gob.gob,PLAIN,a.gob",
    "a.gob.gz.gob,PLAIN,a.gob.gz"
  })
  void theNameClaimsAKind(String name, Compression kind, String stem) {
    assertThat(Compression.ofFileName(name)).contains(kind);
    assertThat(kind.stem(name)).isEqualTo(stem);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gob", "a.gz", "a.gob.tmp", "a.GOB", "a.gob.gz.0.tmp", "a.gob "})
  void otherNamesClaimNothing(String name) {
    assertThat(Compression.ofFileName(name)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 100, 8 << 10, 1 << 20, 3_000_001})
  void whatWasCompressedInflates(int size) throws Exception {
    byte[] plain = new byte[size];
    Seed.random("whatWasCompressedInflates").nextBytes(plain);
    Arrays.fill(plain, 0, size / 2, (byte) 7);
    assertThat(Compression.inflate(Compression.GZIP.compress(plain))).isEqualTo(plain);
    assertThat(Compression.PLAIN.compress(plain)).isSameAs(plain);
  }

  @Test
  void whatIsNotGzipComesBackAsItIs() throws Exception {
    for (byte[] plain : new byte[][] {{}, {0x1f}, {0x1f, 0x1f}, {(byte) 0x8b, 0x1f}, {1, 2, 3}}) {
      assertThat(Compression.inflate(plain)).isSameAs(plain);
    }
  }

  @Test
  void everyTruncationIsRefused() throws Exception {
    byte[] whole = FixtureData.bytes("export.gob.gz");
    for (int length = 2; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> Compression.inflate(cut)).isInstanceOf(FormatException.class);
    }
  }

  @Test
  void aFlippedBitNeverAltersTheDataInSilence() throws Exception {
    byte[] plain = FixtureData.bytes("export.gob");
    byte[] whole = Compression.GZIP.compress(plain);
    int headerBits = 10 * Byte.SIZE;
    for (int bit = headerBits; bit < whole.length * Byte.SIZE; bit++) {
      byte[] flipped = FixtureData.flipped(whole, bit);
      assertThat(inflatesTo(flipped, plain)).as("bit %d", bit).isTrue();
    }
  }

  /** Bits that only pad deflate's last byte change nothing; all others must be noticed. */
  private static boolean inflatesTo(byte[] file, byte[] plain) {
    try {
      return Arrays.equals(Compression.inflate(file), plain);
    } catch (FormatException e) {
      return true;
    }
  }

  @Test
  void garbageBehindTheStreamIsPassedOver() throws Exception {
    byte[] plain = FixtureData.bytes("export.gob");
    byte[] whole = Compression.GZIP.compress(plain);
    Random random = Seed.random("garbageBehindTheStreamIsPassedOver");
    for (int extra : new int[] {1, 17, 18, 100, 5_000}) {
      byte[] longer = Arrays.copyOf(whole, whole.length + extra);
      for (int i = whole.length; i < longer.length; i++) {
        longer[i] = (byte) random.nextInt(1, 31); // never gzip's magic
      }
      assertThat(Compression.inflate(longer)).isEqualTo(plain);
    }
  }

  @Test
  void aBombIsRefusedAndCostsNoMoreMemoryThanTheLimit() throws Exception {
    byte[] bomb = zeros(2 * Compression.MAX_INFLATED_BYTES);
    assertThat((long) bomb.length * Compression.MAX_INFLATED_RATIO)
        .isLessThan(Compression.MAX_INFLATED_BYTES);
    assertThatThrownBy(() -> Compression.inflate(bomb))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("inflates beyond");
    // The last buffer has the limit's size, those before it double up to that: twice more at most.
    long bound = 3 * Compression.MAX_INFLATED_BYTES + (4L << 20);
    assertThat(Allocation.acceptsWithin(Compression::inflate, bomb, bound, "a bomb")).isFalse();
  }

  @Test
  void whatStaysBelowTheLimitIsNoBomb() throws Exception {
    byte[] file = zeros(Compression.MAX_INFLATED_BYTES - 1);
    assertThat(Compression.inflate(file)).hasSize((int) Compression.MAX_INFLATED_BYTES - 1);
  }

  /** A gzip file of so many zeros: about a thousandth of them in size. */
  private static byte[] zeros(long count) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] block = new byte[1 << 20];
    try (GZIPOutputStream gzip = new GZIPOutputStream(out, 64 << 10)) {
      for (long left = count; left > 0; left -= block.length) {
        gzip.write(block, 0, (int) Math.min(block.length, left));
      }
    }
    return out.toByteArray();
  }
}
