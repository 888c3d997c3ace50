package dev.contextd.storage.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.Seed;
import dev.contextd.storage.checkpoint.KeptCollection.Copy;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.pack.PackBodies;
import dev.contextd.storage.pack.PackWriter;
import dev.contextd.storage.parallel.Workers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rows of several packs against a map of what was put and removed. */
class PackedRowsTest {
  private static final int PACKS = 6;
  private static final int MAX_ROWS = 9_000;
  private static final int DIMENSION = 2;
  private static final long INCARNATION = 5;

  @TempDir Path packs;

  private final Disk disk = new LocalDisk();

  /** Two ids with one hash: among so many a pair is nearly sure, and sought until there is one. */
  private static List<String> alike(Random random) {
    Map<Integer, String> seen = new HashMap<>();
    while (true) {
      String id = "id " + Long.toHexString(random.nextLong());
      String other = seen.put(PackBodies.idHash(id), id);
      if (other != null && !other.equals(id)) {
        return List.of(id, other);
      }
    }
  }

  private PackLoading.Loaded pack(long number, List<String> ids, Map<String, FileState> files)
      throws Exception {
    try (PackWriter writer = new PackWriter(disk, packs, number, INCARNATION, DIMENSION)) {
      for (int i = 0; i < ids.size(); i++) {
        writer.vector(new float[] {(float) number, i});
      }
      for (String id : ids) {
        FileState file = Objects.requireNonNull(files.get(id));
        writer.body(id, id + " in pack " + number, null, file, false);
      }
      long bytes = writer.finish(List.of());
      return PackLoading.load(
          disk,
          Workers.common(),
          packs,
          new Manifest.Pack(number, ids.size(), 0, bytes, 0),
          INCARNATION);
    }
  }

  @Test
  void theLatestRowOfEachIdIsFoundByIdAndByFile() throws Exception {
    Random random = Seed.random("PackedRowsTest.theLatestRow");
    List<String> all = new ArrayList<>(alike(random));
    all.add("");
    while (all.size() < 2 * MAX_ROWS) {
      all.add("document " + all.size());
    }
    PackedRows rows = new PackedRows(PACKS * (MAX_ROWS + 3));
    Map<String, Copy> model = new HashMap<>();
    long key = 1;
    for (long number = 1; number <= PACKS; number++) {
      Set<String> ids = new LinkedHashSet<>(all.subList(0, 3));
      for (int i = random.nextInt(MAX_ROWS); i > 0; i--) {
        ids.add(all.get(random.nextInt(all.size())));
      }
      Map<String, FileState> files = new HashMap<>();
      int row = 0;
      for (String id : ids) {
        FileState file = new FileState(key++, random.nextInt(100), random.nextInt(100), 3);
        files.put(id, file);
        model.put(id, new Copy(file, number, row++));
      }
      rows.add(pack(number, List.copyOf(ids), files).units());
      for (int i = random.nextInt(500); i > 0; i--) {
        String gone = all.get(random.nextInt(all.size()));
        rows.remove(gone);
        model.remove(gone);
      }
    }

    assertThat(rows.count()).isEqualTo(model.size());
    assertThat(rows.copies()).isEqualTo(model);
    assertThat(rows.units().stream().mapToInt(PackUnit::count).sum())
        .as("rows that are served")
        .isEqualTo(model.size());
    assertThat(rows.dimension()).isEqualTo(DIMENSION);
    for (String id : all) {
      Copy copy = model.get(id);
      assertThat(rows.copy(id)).isEqualTo(copy);
      assertThat(rows.document(id) == null).isEqualTo(copy == null);
      if (copy != null) {
        var document = Objects.requireNonNull(rows.document(id));
        assertThat(document.content()).isEqualTo(id + " in pack " + copy.pack());
        assertThat(document.embedding()).containsExactly((float) copy.pack(), copy.row());
        requireFound(rows, id, copy.file());
      }
    }
    assertThat(rows.table().number(key)).isNegative();
    rows.kill("");
    assertThat(rows.copy("")).as("known, and not served").isEqualTo(model.get(""));
    assertThat(rows.units().stream().mapToInt(PackUnit::count).sum())
        .isEqualTo(model.size() - (model.containsKey("") ? 1 : 0));
  }

  /** Whoever asks first: by id, by file, for a copy to be killed or for all of them. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void distinctRowsAreFoundLikeAllOthers(int first) throws Exception {
    PackedRows rows = PackedRows.distinct(2L * MAX_ROWS);
    Map<String, Copy> model = new HashMap<>();
    for (int number = 0; number < 2; number++) {
      List<String> ids =
          IntStream.range(number * MAX_ROWS, (number + 1) * MAX_ROWS)
              .mapToObj(Integer::toString)
              .toList();
      Map<String, FileState> files = new HashMap<>();
      for (int row = 0; row < MAX_ROWS; row++) {
        FileState file = new FileState(1L + model.size(), 5, 6, 7);
        files.put(ids.get(row), file);
        model.put(ids.get(row), new Copy(file, number, row));
      }
      rows.add(pack(number, ids, files).units());
    }
    assertThat(rows.count()).isEqualTo(model.size());
    switch (first) {
      case 0 -> assertThat(rows.copy("nothing")).isNull();
      case 1 -> assertThat(rows.table().count()).isEqualTo(model.size());
      case 2 -> rows.kill("0");
      default -> assertThat(rows.copies()).hasSize(model.size());
    }
    assertThat(rows.copies()).isEqualTo(model);
    for (var one : model.entrySet()) {
      assertThat(rows.copy(one.getKey())).isEqualTo(one.getValue());
    }
    rows.remove("1");
    assertThat(rows.copy("1")).isNull();
    assertThat(rows.count()).isEqualTo(model.size() - 1);
    assertThat(rows.units().stream().mapToInt(PackUnit::count).sum())
        .isEqualTo(model.size() - (first == 2 ? 2 : 1));
  }

  @Test
  void moreRowsThanWereExpectedAreRefused() throws Exception {
    List<String> ids = IntStream.range(0, 100).mapToObj(Integer::toString).toList();
    Map<String, FileState> files = new HashMap<>();
    ids.forEach(id -> files.put(id, FileState.UNSEEN));
    List<PackUnit> units = pack(1, ids, files).units();
    assertThatThrownBy(() -> new PackedRows(0).add(units))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("more rows than were expected");
  }

  private static void requireFound(PackedRows rows, String id, FileState file) {
    int number = rows.table().number(file.key());
    assertThat(number).isNotNegative();
    assertThat(rows.file(number).id()).isEqualTo(id);
    assertThat(rows.file(number).state()).isEqualTo(file);
    long[] asked = {
      file.key(),
      file.size(),
      file.modifiedNanos(),
      file.key(),
      file.size() + 1,
      file.modifiedNanos(),
      file.key(),
      file.size(),
      file.modifiedNanos() + 1,
      -1,
      file.size(),
      file.modifiedNanos()
    };
    int[] numbers = new int[4];
    rows.table().find(asked, numbers.length, numbers);
    assertThat(numbers).containsExactly(number, -1, -1, -1);
  }
}
