package dev.contextd.storage.binary;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class KeyedHashTest {
  private static final int DIGITS = 52;
  private static final int MANY = 40_000;

  private static int of(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return KeyedHash.of(utf8, 0, utf8.length);
  }

  private static int checksum(String text) {
    return Crc32c.of(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static String text(long bits) {
    return IntStream.range(0, DIGITS)
        .mapToObj(i -> (bits >>> i & 1) == 0 ? "b" : "c")
        .reduce("", String::concat);
  }

  /** Texts of one checksum, as whoever knows linear algebra chooses them. */
  private static List<String> alike() {
    int base = checksum(text(0));
    int[] sums = new int[Integer.SIZE];
    long[] texts = new long[Integer.SIZE];
    List<Long> changesNothing = new ArrayList<>();
    for (int i = 0; i < DIGITS; i++) {
      long bits = 1L << i;
      int sum = checksum(text(bits)) ^ base;
      while (sum != 0 && texts[Integer.numberOfTrailingZeros(sum)] != 0) {
        int lowest = Integer.numberOfTrailingZeros(sum);
        sum ^= sums[lowest];
        bits ^= texts[lowest];
      }
      if (sum == 0) {
        changesNothing.add(bits);
      } else {
        sums[Integer.numberOfTrailingZeros(sum)] = sum;
        texts[Integer.numberOfTrailingZeros(sum)] = bits;
      }
    }
    List<String> alike = new ArrayList<>();
    for (int n = 0; n < MANY; n++) {
      long bits = 0;
      for (int j = 0; j < changesNothing.size(); j++) {
        bits ^= (n >>> j & 1) == 0 ? 0 : changesNothing.get(j);
      }
      alike.add(text(bits));
    }
    return alike;
  }

  @Test
  void textsOfOneChecksumDoNotMeet() {
    List<String> alike = alike();
    assertThat(alike.stream().map(KeyedHashTest::checksum).distinct()).hasSize(1);
    assertThat(alike.stream().map(KeyedHashTest::of).distinct().count())
        .as("numbers of 32 bits, of which a few may be alike by chance")
        .isGreaterThan(MANY - 20);
  }

  @Test
  void everyByteAndTheLengthCount() {
    byte[] bytes = new byte[40];
    List<Integer> hashes = new ArrayList<>();
    for (int length = 0; length <= 36; length++) {
      hashes.add(KeyedHash.of(bytes, 2, length));
      for (int at = 0; at < length; at++) {
        bytes[2 + at] = 1;
        hashes.add(KeyedHash.of(bytes, 2, length));
        bytes[2 + at] = 0;
      }
    }
    assertThat(hashes).doesNotHaveDuplicates();
    bytes[1] = 1;
    bytes[39] = 1;
    assertThat(KeyedHash.of(bytes, 2, 36))
        .as("bytes beside it")
        .isEqualTo(hashes.get(hashes.size() - 37));
  }
}
