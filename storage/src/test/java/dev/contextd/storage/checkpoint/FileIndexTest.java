package dev.contextd.storage.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.Seed;
import dev.contextd.storage.check.KnownFolder.KnownFile;
import dev.contextd.storage.chromem.FileState;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Files found by their keys, as a hash map finds them. */
class FileIndexTest {
  private static KnownFile file(long key, String id) {
    return new KnownFile(id, new FileState(key, 1, 2, 3));
  }

  /** Of a few hashes and of many, with and without a number, plain and zipped. */
  private static long key(Random random) {
    long hash = random.nextInt(4) == 0 ? random.nextInt(100) : random.nextLong(1L << 32);
    return (hash << 16 | random.nextInt(4)) << 1 | random.nextInt(2);
  }

  @Test
  void whatWasPutIsFoundAndNothingElse() {
    Random random = Seed.random("FileIndexTest.whatWasPutIsFound");
    for (int capacity : new int[] {0, 1, 2, 15, 16, 17, 5_000}) {
      FileIndex index = new FileIndex(capacity);
      Map<Long, String> model = new HashMap<>();
      for (int i = 0; i < capacity; i++) {
        long key = key(random);
        model.put(key, "id " + i);
        index.put(file(key, "id " + i));
      }
      model.forEach((key, id) ->
          assertThat(
                  index.file(index.number(FileState.key(FileState.name(key)).orElseThrow())).id())
              .isEqualTo(id));
      for (int i = 0; i < 1_000; i++) {
        long key = key(random);
        assertThat(index.number(FileState.key(FileState.name(key)).orElseThrow()) >= 0)
            .isEqualTo(model.containsKey(key));
      }
    }
  }
}
