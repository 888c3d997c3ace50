package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.FOLDER;
import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static dev.contextd.storage.checkpoint.Opened.document;
import static dev.contextd.storage.checkpoint.Opened.file;
import static dev.contextd.storage.checkpoint.Opened.foreign;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.Seed;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.disk.RealDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A folder so large that its files are told by their numbers, against the same folder of which
 * every file is an entry: both are judged alike.
 */
class LargeFolderTest {
  private static final int DOCUMENTS = 4_000;
  private static final int CHANGES = 60;

  @TempDir Path temp;

  private static String id(int number) {
    return "document " + number;
  }

  private void change(Path folder, int number, Random random) throws Exception {
    Path path = folder.resolve(file(id(number)));
    switch (random.nextInt(9)) {
      case 0 -> Files.delete(path);
      case 1 -> Files.write(path, new byte[random.nextInt(20)]);
      case 2 -> {
        FileTime before = Files.getLastModifiedTime(path);
        byte[] bytes = Files.readAllBytes(path);
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        Files.write(path, bytes);
        Files.setLastModifiedTime(path, before); // Not seen before the scrub.
      }
      case 3 -> foreign(path, document(id(number), "another program's"));
      case 4 -> Files.setLastModifiedTime(path, FileTime.fromMillis(random.nextInt()));
      case 5 -> Files.move(path, folder.resolve(file(id(number)).replace(".gob", "-3.gob")));
      case 6 -> {
        Files.delete(path);
        Files.createDirectory(path);
      }
      case 7 -> {
        Files.delete(path);
        Files.createSymbolicLink(path, folder.resolve(file(id((number + 1) % DOCUMENTS))));
      }
      default ->
          foreign(
              folder.resolve(file("new " + number)),
              document("new " + number, "another program's"));
    }
  }

  private record Judged(
      List<Damage> damage, Map<String, String> notes, Map<String, String> trash) {}

  private Judged judged(String copy, Disk disk) throws Exception {
    Opened store = Opened.of(temp.resolve(copy), disk);
    try {
      store.checkpoint();
      return new Judged(store.found(), store.notes(), store.trash());
    } finally {
      store.closeDamaged();
    }
  }

  @Test
  void bothAreJudgedAlike() throws Exception {
    Random random = Seed.random("LargeFolderTest.bothAreJudgedAlike");
    Path root = Files.createDirectory(temp.resolve("store"));
    try (Opened store = Opened.of(root).create(NOTES)) {
      List<StoredDocument> documents =
          IntStream.range(0, DOCUMENTS).mapToObj(n -> document(id(n), "content " + n)).toList();
      store.put(NOTES, documents);
    }
    assertThat(judged("store", new LocalDisk()).damage()).isEmpty();
    List<Integer> numbers = new ArrayList<>(IntStream.range(0, DOCUMENTS).boxed().toList());
    Collections.shuffle(numbers, random);
    for (int number : numbers.subList(0, CHANGES)) {
      change(root.resolve(FOLDER), number, random);
    }
    for (String copy : List.of("by numbers", "by entries")) {
      assertThat(
              new ProcessBuilder("cp", "-a", root.toString(), temp.resolve(copy).toString())
                  .start()
                  .waitFor())
          .isZero();
    }

    Judged byNumbers = judged("by numbers", new LocalDisk());
    Judged byEntries = judged("by entries", new RealDisk());

    assertThat(byNumbers.damage()).isNotEmpty().isEqualTo(byEntries.damage());
    assertThat(byNumbers.notes()).isEqualTo(byEntries.notes());
    assertThat(byNumbers.trash().values())
        .containsExactlyInAnyOrderElementsOf(byEntries.trash().values());
  }
}
