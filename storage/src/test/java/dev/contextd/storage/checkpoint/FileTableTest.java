package dev.contextd.storage.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.Seed;
import dev.contextd.storage.chromem.FileState;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Files found by their keys, as a hash map finds them. */
class FileTableTest {
  private static final int MANY = 20_000;

  /** Of a few hashes and of many, with and without a number, plain and zipped. */
  private static long key(Random random) {
    long hash = random.nextInt(4) == 0 ? random.nextInt(100) : random.nextLong(1L << 32);
    return (hash << 16 | random.nextInt(4)) << 1 | random.nextInt(2);
  }

  private static long named(long key) {
    return FileState.key(FileState.name(key)).orElseThrow();
  }

  /** As whoever chooses ids can, who knows where the golden ratio puts their hashes. */
  @Test
  void namesThatWereChosenToMeetDoNot() {
    long golden = 0x9e3779b97f4a7c15L;
    FileTable table = new FileTable(MANY);
    for (long hash = 1; table.count() < MANY; hash++) {
      long key = hash << 17;
      if (((key * golden) >>> (Long.SIZE - 4)) == 0) {
        table.put(key, 1, 1);
      }
    }
    BitSet numbers = table.numbers();
    int longest = 0;
    int end;
    for (int from = numbers.nextSetBit(0); from >= 0; from = numbers.nextSetBit(end)) {
      end = numbers.nextClearBit(from);
      longest = Math.max(longest, end - from);
    }
    assertThat(numbers.cardinality()).isEqualTo(MANY);
    assertThat(longest).isLessThan(MANY / 10);
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
