package dev.contextd.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NameOrderTest {
  private static final int ROUNDS = 2_000;
  private static final int MAX_NAMES = 40;
  private static final int MAX_LENGTH = 7;

  /** Few of them, so that many names begin alike; the ends of a byte, wide ones and surrogates. */
  private static final char[] CHARACTERS = {
    0, 'a', 'b', 0xfe, 0xff, 0x100, 0x101, 0xd800, 0xdc00, 0xffff
  };

  private static final List<String> ENDINGS =
      List.of("", ".gob", ".gob.gz", "-1.gob", "-10.gob", "0.gob", ".gob.3.tmp", "\uffff");

  @Test
  void namesComeAsTheirStringsCompare() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < ROUNDS; round++) {
      String[] names = new String[random.nextInt(MAX_NAMES)];
      Arrays.setAll(names, _ -> random.nextBoolean() ? name(random) : hashed(random));
      List<Disk.Entry> entries = Arrays.stream(names).map(NameOrderTest::entry).toList();
      Arrays.sort(names);
      assertThat(NameOrder.sorted(entries)).extracting(Disk.Entry::name).containsExactly(names);
    }
  }

  private static Disk.Entry entry(String name) {
    return new Disk.Entry(Path.of("folder"), name, Disk.Kind.FILE, 0, 0);
  }

  /** Names of documents, some of one hash, some that only begin like one. */
  private static String hashed(Random random) {
    String hash = String.format("%08x", random.nextInt(2) << 31 | random.nextInt(MAX_NAMES));
    return hash + ENDINGS.get(random.nextInt(ENDINGS.size()));
  }

  private static String name(Random random) {
    char[] name = new char[random.nextInt(MAX_LENGTH)];
    for (int i = 0; i < name.length; i++) {
      name[i] = CHARACTERS[random.nextInt(CHARACTERS.length)];
    }
    return new String(name);
  }
}
