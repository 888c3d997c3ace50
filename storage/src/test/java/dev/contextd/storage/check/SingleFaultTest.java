package dev.contextd.storage.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.FixtureData;
import dev.contextd.storage.FixtureData.Doc;
import dev.contextd.storage.Seed;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The promise: one bad file never costs more than itself. A document's file costs at most that
 * document, a metadata file at most its collection, and whatever is not served is reported.
 */
class SingleFaultTest {
  private static final int FAULTS = 400;

  @TempDir Path folder;

  /** What can happen to one file. */
  private enum Fault {
    GONE,
    EMPTY,
    CUT,
    BIT_TURNED,
    BYTES_TURNED,
    ZEROS,
    GARBAGE,
    LONGER,
    ZIPPED,
    ANOTHER_FILE,
    RENAMED,
    COPIED,
    MOVED_TO_ANOTHER_FOLDER,
    COPIED_TO_ANOTHER_FOLDER,
    A_FOLDER,
    A_DANGLING_LINK,
    A_LINK_TO_ANOTHER,
    A_FIFO,
    UNREADABLE
  }

  @Test
  void aFaultOfOneFileCostsNoMoreThanItself() throws Exception {
    Random random = Seed.random("aFaultOfOneFileCostsNoMoreThanItself");
    Path intact = folder.resolve("intact");
    FixtureData.copy("plain", intact);
    Map<String, Map<String, Doc>> before = documents(Checked.of(intact));
    Fault[] faults = Fault.values();
    for (int n = 0; n < FAULTS; n++) {
      Path root = folder.resolve("store-" + n);
      FixtureData.copy("plain", root);
      Path victim = pick(root, random, n % 4 == 0);
      Fault fault = faults[n % faults.length];
      String what = n + ": " + fault + " " + root.relativize(victim);
      String id = isMetadata(victim) ? "" : idOf(victim);
      Disk disk = apply(fault, victim, root, random);
      Checked after = Checked.of(root, disk);
      requireOthersServed(before, after, victim, id, what);
      requireReported(before, after, victim, id, what);
    }
  }

  /** Metadata files now and then: there are only three. */
  private static Path pick(Path root, Random random, boolean metadata) throws IOException {
    List<Path> files =
        FixtureData.files("plain").stream()
            .filter(file -> isMetadata(file) == metadata)
            .map(file -> root.resolve(FixtureData.path("plain").relativize(file).toString()))
            .toList();
    return files.get(random.nextInt(files.size()));
  }

  private static boolean isMetadata(Path file) {
    return file.endsWith("00000000.gob");
  }

  private static String idOf(Path file) throws Exception {
    return DocumentFormat.decode(Files.readAllBytes(file)).value().id();
  }

  private static String folderOf(Path file) {
    return String.valueOf(file.resolveSibling("").getFileName());
  }

  private static Map<String, Map<String, Doc>> documents(Checked checked) {
    Map<String, Map<String, Doc>> documents = new HashMap<>();
    checked.intact().keySet().forEach(name -> documents.put(name, checked.documents(name)));
    return documents;
  }

  private static void requireOthersServed(
      Map<String, Map<String, Doc>> before, Checked after, Path victim, String id, String what) {
    before.forEach((name, documents) -> {
      boolean isVictims = name.equals(folderOf(victim));
      if (isVictims && isMetadata(victim)) {
        return;
      }
      Map<String, Doc> others = new HashMap<>(documents);
      Map<String, Doc> served = new HashMap<>(after.documents(name));
      if (isVictims) {
        others.remove(id);
        served.remove(id);
      }
      assertThat(after.intact()).as(what).containsKey(name);
      assertThat(served).as(what).containsAllEntriesOf(others);
    });
  }

  /** A document that is silently gone was deleted, as far as anybody can know. */
  private static void requireReported(
      Map<String, Map<String, Doc>> before, Checked after, Path victim, String id, String what) {
    String name = folderOf(victim);
    List<Damage> damage = after.report().damage();
    if (isMetadata(victim)) {
      boolean isServed = after.documents(name).equals(before.get(name));
      boolean isEmpty = before.getOrDefault(name, Map.of()).isEmpty();
      boolean isReported =
          damage.stream()
              .anyMatch(
                  found -> found.folder().equals(name) && found.loss() == Damage.Loss.COLLECTION);
      assertThat(isServed || isReported || isEmpty).as(what + " " + damage).isTrue();
    } else if (Files.exists(victim) && !after.documents(name).containsKey(id)) {
      String file = String.valueOf(victim.getFileName());
      assertThat(damage).as(what).anyMatch(found -> found.file().equals(file));
    }
  }

  private static Disk apply(Fault fault, Path victim, Path root, Random random) throws Exception {
    byte[] bytes = Files.readAllBytes(victim);
    Path elsewhere = root.resolve("f546c161").resolve("moved-" + victim.getFileName());
    switch (fault) {
      case GONE -> Files.delete(victim);
      case RENAMED -> Files.move(victim, victim.resolveSibling("renamed.gob"));
      case COPIED -> Files.copy(victim, victim.resolveSibling("ffffffff-1.gob"));
      case MOVED_TO_ANOTHER_FOLDER -> Files.move(victim, elsewhere);
      case COPIED_TO_ANOTHER_FOLDER -> Files.copy(victim, elsewhere);
      case A_FOLDER, A_DANGLING_LINK, A_LINK_TO_ANOTHER, A_FIFO -> replace(fault, victim, random);
      case UNREADABLE -> {
        return new ReadFaults(path -> {
          if (path.equals(victim)) {
            throw new IOException("Input/output error");
          }
        });
      }
      default -> Files.write(victim, altered(fault, bytes, random));
    }
    return new LocalDisk();
  }

  private static void replace(Fault fault, Path victim, Random random) throws Exception {
    Files.delete(victim);
    List<Path> others = FixtureData.files("plain");
    switch (fault) {
      case A_FOLDER -> Files.createDirectory(victim);
      case A_FIFO -> Checked.makeFifo(victim);
      case A_DANGLING_LINK -> Files.createSymbolicLink(victim, victim.resolveSibling("nowhere"));
      default -> Files.createSymbolicLink(victim, others.get(random.nextInt(others.size())));
    }
  }

  private static byte[] altered(Fault fault, byte[] bytes, Random random) throws IOException {
    return switch (fault) {
      case EMPTY -> new byte[0];
      case CUT -> Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case BIT_TURNED -> FixtureData.flipped(bytes, random.nextInt(bytes.length * Byte.SIZE));
      case BYTES_TURNED -> turned(bytes, random);
      case ZEROS -> zeroed(bytes, random.nextInt(bytes.length));
      case GARBAGE -> garbage(random);
      case LONGER -> Arrays.copyOf(bytes, bytes.length + random.nextInt(1, 5_000));
      case ZIPPED -> zipped(bytes);
      default -> another(random);
    };
  }

  private static byte[] turned(byte[] bytes, Random random) {
    byte[] copy = bytes.clone();
    for (int n = random.nextInt(1, 20); n > 0; n--) {
      copy[random.nextInt(copy.length)] = (byte) random.nextInt();
    }
    return copy;
  }

  /** What a crash leaves behind where blocks were never written. */
  private static byte[] zeroed(byte[] bytes, int from) {
    byte[] copy = bytes.clone();
    Arrays.fill(copy, from, copy.length, (byte) 0);
    return copy;
  }

  private static byte[] garbage(Random random) {
    byte[] garbage = new byte[random.nextInt(1, 2_000)];
    random.nextBytes(garbage);
    return garbage;
  }

  private static byte[] zipped(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private static byte[] another(Random random) throws IOException {
    List<Path> files = FixtureData.files("plain");
    return Files.readAllBytes(files.get(random.nextInt(files.size())));
  }
}
