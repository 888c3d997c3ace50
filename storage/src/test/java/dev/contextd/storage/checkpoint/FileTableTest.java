package dev.contextd.storage.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.Seed;
import dev.contextd.storage.chromem.FileState;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Files found by their keys, as a hash map finds them. */
class FileTableTest {
  /** Of a few hashes and of many, with and without a number, plain and zipped. */
  private static long key(Random random) {
    long hash = random.nextInt(4) == 0 ? random.nextInt(100) : random.nextLong(1L << 32);
    return (hash << 16 | random.nextInt(4)) << 1 | random.nextInt(2);
  }

  private static long named(long key) {
    return FileState.key(FileState.name(key)).orElseThrow();
  }

  @Test
  void whatWasPutIsFoundAndNothingElse() {
    Random random = Seed.random("FileTableTest.whatWasPutIsFound");
    for (int capacity : new int[] {0, 1, 2, 15, 16, 17, 5_000}) {
      FileTable table = new FileTable(capacity);
      String[] ids = new String[table.slots()];
      Map<Long, String> model = new HashMap<>();
      for (int i = 0; i < capacity; i++) {
        long key = key(random);
        model.put(key, "id " + i);
        ids[table.put(key, i, -i)] = "id " + i;
      }
      model.forEach((key, id) -> {
        int number = table.number(named(key));
        long size = Long.parseLong(id.substring("id ".length()));
        assertThat(ids[number]).isEqualTo(id);
        assertThat(table.isUnchanged(number, size, -size)).isTrue();
        assertThat(table.isUnchanged(number, size + 1, -size)).isFalse();
        assertThat(table.isUnchanged(number, size, -size + 1)).isFalse();
      });
      for (int i = 0; i < 1_000; i++) {
        long key = key(random);
        assertThat(table.number(named(key)) >= 0).isEqualTo(model.containsKey(key));
      }
    }
  }
}
