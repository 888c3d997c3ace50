package dev.contextd.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.Seed;
import dev.contextd.storage.chromem.FileState;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Names as getdents64(2) gives them, made up here, so that every byte is tried. */
class LinuxNamesTest {
  private static final int HEAD_BYTES = 19;
  private static final int NAMES = 200_000;
  private static final int ADDRESS = 4_096;

  /** Entries with garbage wherever the manual page does not say what stands there. */
  private static long[] entries(List<String> names, Random random) {
    List<Long> words = new ArrayList<>();
    for (String name : names) {
      byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
      int length = (HEAD_BYTES + utf8.length + 1 + 7) / 8 * 8;
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      ByteBuffer entry = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      entry.putShort(16, (short) length).put(HEAD_BYTES, utf8);
      entry.put(HEAD_BYTES + utf8.length, (byte) 0);
      for (int at = 0; at < length; at += Long.BYTES) {
        words.add(entry.getLong(at));
      }
    }
    return words.stream().mapToLong(Long::longValue).toArray();
  }

  private static LinuxNames found(List<String> names, Random random) {
    return Objects.requireNonNull(LinuxNames.of(ADDRESS, entries(names, random)));
  }

  /** Most names nearly are that of a document's file. */
  private static String name(Random random) {
    StringBuilder name = new StringBuilder();
    name.append(random.nextInt(8) == 0 ? "00000000" : "%08x".formatted(random.nextInt()));
    name.append(random.nextBoolean() ? ".gob" : ".gob.gz");
    for (int changes = random.nextInt(3); changes > 0; changes--) {
      int at = random.nextInt(name.length());
      char other = (char) (1 + random.nextInt(127));
      switch (random.nextInt(4)) {
        case 0 -> name.setLength(Math.max(1, at));
        case 1 -> name.append(other == '/' ? 'x' : other);
        default -> name.setCharAt(at, other == '/' ? 'x' : other);
      }
    }
    return name.toString();
  }

  /** As what has the name as text says it, but for metadata and {@code -N}, which have no key. */
  private static long key(String name) {
    boolean isPlain = !name.startsWith("00000000") && !name.contains("-");
    return isPlain ? FileState.key(name).orElse(-1) : -1;
  }

  @Test
  void everyNameIsFoundWithItsKey() {
    Random random = Seed.random("LinuxNamesTest.everyName");
    List<String> names = new ArrayList<>();
    for (int i = 0; i < NAMES; i++) {
      String name = name(random);
      if (!name.equals(".") && !name.equals("..")) {
        names.add(name);
      }
    }
    LinuxNames found = found(names, random);
    assertThat(found.texts()).containsExactlyElementsOf(names);
    int known = 0;
    for (int i = 0; i < names.size(); i++) {
      assertThat(found.keys()[i]).as(names.get(i)).isEqualTo(key(names.get(i)));
      known += found.keys()[i] >= 0 ? 1 : 0;
    }
    assertThat(known).as("both kinds were tried").isBetween(NAMES / 10, NAMES * 9 / 10);
  }

  @Test
  void theFolderItselfAndTheOneAboveAreNoNames() {
    Random random = Seed.random("LinuxNamesTest.theFolderItself");
    LinuxNames found = found(List.of(".", "..", "...", ".g", "..gob", "g."), random);
    assertThat(found.texts()).containsExactly("...", ".g", "..gob", "g.");
    assertThat(found.address() + found.starts()[0]).isEqualTo(ADDRESS + 2 * 24 + HEAD_BYTES);
  }

  @Test
  void aNameThatIsNotAsciiIsForJava() {
    Random random = Seed.random("LinuxNamesTest.aNameThatIsNotAscii");
    for (String name : List.of("é", "3af7a34é.gob", "3af7a34d.gobé", "3af7a34d.gob.gé", "多多多多多多")) {
      assertThat(LinuxNames.of(ADDRESS, entries(List.of("3af7a34d.gob", name), random)))
          .as(name)
          .isNull();
    }
  }
}
