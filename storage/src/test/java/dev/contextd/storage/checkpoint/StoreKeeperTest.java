package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static dev.contextd.storage.checkpoint.Opened.document;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.Seed;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FaultyDisk;
import dev.contextd.storage.disk.ForwardingDisk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.folder.OwnerLock;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A store that is opened, crashes, is opened again, and owns its folder alone. */
class StoreKeeperTest {
  @TempDir Path temp;
  private int copies;

  @BeforeEach
  void createTheRoot() throws IOException {
    Files.createDirectory(root());
  }

  private Path root() {
    return temp.resolve("store");
  }

  private Path fresh() {
    return temp.resolve("copy-" + copies++);
  }

  private static Map<String, Map<String, String>> notes(String... idsAndContents) {
    Map<String, String> notes = new TreeMap<>();
    for (int i = 0; i < idsAndContents.length; i += 2) {
      notes.put(idsAndContents[i], idsAndContents[i + 1]);
    }
    return Map.of(NOTES, notes);
  }

  @Test
  void everyAcknowledgedWriteIsThereAfterACrashAndAfterAShutdown() throws Exception {
    Opened store = Opened.of(root()).create(NOTES).put("a", "1", "b", "2").remove("b");
    requireCrashSafe(store, notes("a", "1"));
    store.checkpoint();
    requireCrashSafe(store, notes("a", "1"));
    store.put("a", "1 again", "c", "3");
    requireCrashSafe(store, notes("a", "1 again", "c", "3"));
    store.close();
    try (Opened again = Opened.of(root())) {
      assertThat(again.contents()).isEqualTo(notes("a", "1 again", "c", "3"));
      assertThat(again.damage()).isEmpty();
      assertThat(again.keeper().status().pendingBytes()).isZero();
    }
  }

  /** Opens the folder as a crash would leave it now, and as a crash of that one would. */
  private void requireCrashSafe(Opened store, Map<String, Map<String, String>> expected)
      throws IOException {
    Path crashed = store.crashedTo(fresh());
    Opened again = Opened.of(crashed);
    assertThat(again.contents()).isEqualTo(expected);
    assertThat(again.damage()).isEmpty();
    try (Opened third = Opened.of(again.crashedTo(fresh()))) {
      assertThat(third.contents()).isEqualTo(expected);
      assertThat(third.damage()).isEmpty();
    }
    again.close();
  }

  @Test
  void nothingOfADeletedCollectionEntersItsNamesake() throws Exception {
    Opened store = Opened.of(root()).create(NOTES).put("a", "old");
    store.drop(NOTES);
    requireCrashSafe(store, Map.of());
    store.create(NOTES).put("b", "new");
    requireCrashSafe(store, notes("b", "new"));
    store.checkpoint();
    requireCrashSafe(store, notes("b", "new"));
    store.close();
  }

  @Test
  void randomWritesCheckpointsMergesAndCrashesLoseNothing() throws Exception {
    Random random = Seed.random("StoreKeeperTest.randomWrites");
    for (int round = 0; round < 6; round++) {
      Path root = Files.createDirectory(fresh());
      Map<String, String> model = new TreeMap<>();
      Opened store = Opened.of(root).create(NOTES);
      for (int step = 0; step < 60; step++) {
        String id = "doc " + random.nextInt(25);
        switch (random.nextInt(12)) {
          case 0, 1 -> store.checkpoint();
          case 2 -> store.purgePacks();
          case 3, 4, 5 -> {
            store.remove(id);
            model.remove(id);
          }
          case 6 -> {
            Path crashed = store.crashedTo(fresh());
            store.close();
            store = Opened.of(crashed);
            assertThat(store.damage()).isEmpty();
            assertThat(store.notes()).isEqualTo(model);
          }
          default -> {
            String content = "step " + step;
            store.put(id, content, id + "'s twin", content);
            model.put(id, content);
            model.put(id + "'s twin", content);
          }
        }
      }
      assertThat(store.notes()).isEqualTo(model);
      store.close();
    }
  }

  @Test
  void manySmallPacksBecomeOneAndDeadRowsGo() throws Exception {
    Opened store = Opened.of(root()).create(NOTES);
    for (int n = 0; n < 30; n++) {
      store.put("doc " + n, "content " + n).checkpoint();
    }
    assertThat(store.packs()).hasSize(30);
    store.remove("doc 3", "doc 4").put("doc 5", "content 5 again").purgePacks();
    assertThat(store.packs()).hasSizeLessThan(6);
    Map<String, String> expected = store.notes();
    assertThat(expected).hasSize(28);
    for (String pack : store.packs()) {
      byte[] bytes = Files.readAllBytes(root().resolve(".contextd/packs").resolve(pack));
      assertThat(new String(bytes, StandardCharsets.ISO_8859_1))
          .as("deleted and replaced contents are gone for good")
          .doesNotContain("content 3\0")
          .doesNotContain("doc 4");
    }
    store.close();
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).isEqualTo(expected);
      assertThat(again.damage()).isEmpty();
    }
  }

  @Test
  void aDeletionSurvivesMergesWhileAnOlderPackHoldsTheDocument() throws Exception {
    Opened store = Opened.of(root()).create(NOTES);
    List<String> many = new ArrayList<>();
    for (int n = 0; n < 200; n++) {
      many.add("old " + n);
      many.add("content");
    }
    store.put(many.toArray(String[]::new)).checkpoint();
    store.remove("old 7").checkpoint();
    for (int n = 0; n < 8; n++) {
      store.put("new " + n, "content").checkpoint();
    }
    while (store.keeper().purge(Duration.ofDays(1)) > 0) {
      // Only merges that are worth it by themselves: the old pack stays.
    }
    assertThat(store.packs()).hasSizeLessThan(6);
    requireCrashSafe(store, store.contents());
    assertThat(store.notes()).hasSize(207).doesNotContainKey("old 7");
    store.close();
  }

  @Test
  void aDeletionSurvivesDamageToOtherRowsOfItsPack() throws Exception {
    Opened store = Opened.of(root()).create(NOTES);
    store.put("a", "1", "b", "2", "c", "3").checkpoint();
    store.remove("a").put("d", "4").checkpoint();
    store.close();
    Path pack = root().resolve(".contextd/packs").resolve(store.packs().getLast());
    invert(pack, 128); // the vector of d
    try (Opened damaged = Opened.of(root())) {
      assertThat(damaged.damage()).containsExactly("PackDamaged");
      assertThat(damaged.contents()).isEqualTo(notes("b", "2", "c", "3", "d", "4"));
      damaged.checkpoint();
      requireCrashSafe2(damaged, notes("b", "2", "c", "3", "d", "4"));
    }
    try (Opened again = Opened.of(root())) {
      assertThat(again.contents()).isEqualTo(notes("b", "2", "c", "3", "d", "4"));
      again.purgePacks();
    }
    try (Opened mended = Opened.of(root())) {
      assertThat(mended.contents()).isEqualTo(notes("b", "2", "c", "3", "d", "4"));
      assertThat(mended.damage()).isEmpty();
    }
  }

  /** As above, where the damage to the pack may still be there. */
  private void requireCrashSafe2(Opened store, Map<String, Map<String, String>> expected)
      throws IOException {
    Opened again = Opened.of(store.crashedTo(fresh()));
    assertThat(again.contents()).isEqualTo(expected);
    again.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"tombstones", "foot"})
  void aDeletionThatCannotBeReadBeforeAMergeIsNotForgotten(String part) throws Exception {
    Opened store = Opened.of(root()).create(NOTES);
    List<String> many = new ArrayList<>();
    for (int n = 0; n < 100; n++) {
      many.add("old " + n);
      many.add("content");
    }
    store.put(many.toArray(String[]::new)).checkpoint();
    store.remove("old 7").put("x", "1", "y", "2", "z", "3").checkpoint();
    Path pack = root().resolve(".contextd/packs").resolve(store.packs().getLast());
    byte[] bytes = Files.readAllBytes(pack);
    int foot = bytes.length - 128;
    int tombstones = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(foot + 56);
    invert(pack, part.equals("foot") ? foot + 40 : tombstones + 5);
    store.put("x", "1 again", "y", "2 again").checkpoint();
    store.keeper().purge(Duration.ofDays(1));
    store.checkpoint();
    requireCrashSafe2(store, store.contents());
    assertThat(store.notes()).hasSize(102).doesNotContainKey("old 7");
    store.close();
  }

  private static void invert(Path file, int at) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[at] ^= (byte) 0xff;
    Files.write(file, bytes);
  }

  @Test
  void damageAtRandomPlacesOfWhatIsOursCostsNothingWhileTheFilesAreThere() throws Exception {
    Random random = Seed.random("StoreKeeperTest.damageAtRandomPlaces");
    Opened store = Opened.of(root()).create(NOTES);
    for (int n = 0; n < 6; n++) {
      store.put("doc " + n, "content " + n, "twin " + n, "content").checkpoint();
    }
    store.remove("doc 1").checkpoint();
    Map<String, Map<String, String>> expected = store.contents();
    store.close();
    for (int round = 0; round < 60; round++) {
      Path copy = fresh();
      Opened.copy(root(), copy);
      List<Path> ours;
      try (Stream<Path> walk = Files.walk(copy.resolve(".contextd"))) {
        ours =
            walk.filter(Files::isRegularFile)
                .filter(file -> Files.isRegularFile(file) && !file.toString().contains("trash"))
                .sorted()
                .toList();
      }
      Path victim = ours.get(random.nextInt(ours.size()));
      int size = (int) Files.size(victim);
      if (size == 0 || round % 10 == 0) {
        Files.delete(victim);
      } else {
        invert(victim, random.nextInt(size));
      }
      for (int opening = 0; opening < 3; opening++) {
        try (Opened opened = Opened.of(copy)) {
          assertThat(opened.contents()).as("%s, opening %d", victim, opening).isEqualTo(expected);
          opened.purgePacks();
        }
      }
      try (Opened opened = Opened.of(copy)) {
        assertThat(opened.damage()).as("mended, %s", victim).isEmpty();
      }
    }
  }

  @Test
  void withoutItsCatalogAStoreIsReadFromItsFiles() throws Exception {
    Opened store = Opened.of(root()).create(NOTES).put("a", "1", "b", "2").checkpoint();
    store.remove("a");
    store.close();
    invert(root().resolve(".contextd/manifest"), 20);
    invert(root().resolve(".contextd/manifest.copy"), 20);
    try (Opened again = Opened.of(root())) {
      assertThat(again.damage()).containsExactly("CatalogLost");
      assertThat(again.contents()).isEqualTo(notes("b", "2"));
      again.put("c", "3");
    }
    try (Opened again = Opened.of(root())) {
      assertThat(again.damage()).isEmpty();
      assertThat(again.contents()).isEqualTo(notes("b", "2", "c", "3"));
    }
  }

  @Test
  void aSecondStoreOfThisProcessIsToldWhoOwnsTheFolder() throws Exception {
    Opened store = Opened.of(root()).create(NOTES).put("a", "1");
    store.keeper().announce("http://127.0.0.1:8484");
    assertThatThrownBy(() -> Opened.of(root()))
        .isInstanceOf(OwnerLock.OwnedException.class)
        .hasMessageContaining("process " + ProcessHandle.current().pid())
        .hasMessageContaining("http://127.0.0.1:8484")
        .hasMessageContaining(root().toString());
    store.put("b", "still mine");
    store.close();
    try (Opened again = Opened.of(root())) {
      assertThat(again.contents()).isEqualTo(notes("a", "1", "b", "still mine"));
    }
  }

  /** Opens a store, says so, and waits to be killed. */
  static final class Child {
    public static void main(String[] arguments) throws IOException, InterruptedException {
      try (Opened store = Opened.of(Path.of(arguments[0]))) {
        store.create(NOTES).put("a", "from the child");
        System.out.println("open");
        new CountDownLatch(1).await();
      } catch (OwnerLock.OwnedException e) {
        System.out.println("owned: " + e.getMessage());
      }
    }
  }

  private Process child() throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Child.class.getName(),
            root().toString())
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static String lastLine(Process child, String prefix) throws IOException {
    BufferedReader out = child.inputReader(StandardCharsets.UTF_8);
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      if (line.startsWith(prefix)) {
        return line;
      }
    }
    return "";
  }

  @Test
  void anotherProcessIsRefusedBothWaysAndADeadOneIsNoObstacle() throws Exception {
    Process child = child();
    try {
      assertThat(lastLine(child, "open")).isEqualTo("open");
      assertThatThrownBy(() -> Opened.of(root()))
          .isInstanceOf(OwnerLock.OwnedException.class)
          .hasMessageContaining("process " + child.pid());
    } finally {
      child.destroyForcibly().waitFor();
    }
    try (Opened store = Opened.of(root())) {
      assertThat(store.contents()).isEqualTo(notes("a", "from the child"));
      assertThat(store.damage()).isEmpty();
      Process late = child();
      assertThat(lastLine(late, "owned")).contains("process " + ProcessHandle.current().pid());
      assertThat(late.waitFor()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRootThatIsGoneOrAnotherIsNotWrittenInto(boolean isReplaced) throws Exception {
    Opened store = Opened.of(root()).create(NOTES).put("a", "1").checkpoint();
    store.put("b", "waits for its checkpoint");
    Path moved = Files.move(root(), temp.resolve("moved"));
    if (isReplaced) {
      Files.createDirectory(root());
      Files.createDirectory(root().resolve(".contextd"));
      Files.createDirectory(root().resolve(Opened.FOLDER));
    }
    List<String> before = tree(temp);
    assertThatThrownBy(store::checkpoint).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> store.put("c", "3"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(isReplaced ? "another folder" : "is gone");
    assertThatThrownBy(() -> store.create("other")).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> store.drop(NOTES)).isInstanceOf(IOException.class);
    assertThat(store.keeper().readOnlyReason()).isPresent();
    store.keeper().close();
    assertThat(tree(temp)).isEqualTo(before);
    try (Opened found = Opened.of(moved)) {
      assertThat(found.contents()).isEqualTo(notes("a", "1", "b", "waits for its checkpoint"));
    }
  }

  /** As where memory runs out amid a failure: whoever asks for the store's health is told. */
  @Test
  void aStoreThatCannotTakeBackAWriteSaysThatItIsReadOnly() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    Opened store = Opened.of(root(), disk).create(NOTES).put("a", "1");
    assertThat(store.keeper().readOnlyReason()).isEmpty();
    disk.fault((operation, _) -> {
      if (operation == FaultyDisk.Operation.SYNC) {
        throw new IOException("Input/output error");
      }
    });
    assertThatThrownBy(() -> store.putStubborn("b", "2")).hasMessageContaining("until a restart");
    assertThat(store.keeper().readOnlyReason())
        .get()
        .asString()
        .contains("could not be taken back");
    disk.heal();
    store.keeper().abandon();
    try (Opened again = Opened.of(root())) {
      assertThat(again.keeper().readOnlyReason()).isEmpty();
      assertThat(again.notes()).containsEntry("a", "1");
    }
  }

  private static List<String> tree(Path folder) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      return walk.map(Path::toString).sorted().toList();
    }
  }

  @Test
  void aStoreOfALaterVersionIsNotWrittenInto() throws Exception {
    Opened store = Opened.of(root()).create(NOTES).put("a", "1");
    store.close();
    for (String name : List.of("manifest", "manifest.copy")) {
      Path file = root().resolve(".contextd").resolve(name);
      byte[] bytes = Files.readAllBytes(file);
      ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(8, 9);
      CRC32C crc = new CRC32C();
      crc.update(bytes, 0, bytes.length - 4);
      buffer.putInt(bytes.length - 4, (int) crc.getValue());
      Files.write(file, bytes);
    }
    List<String> before = tree(root());
    Opened later = Opened.of(root());
    assertThat(later.keeper().readOnlyReason().orElseThrow()).contains("version 9");
    assertThat(later.contents()).isEqualTo(notes("a", "1"));
    later.keeper().close();
    assertThat(tree(root())).isEqualTo(before);
  }

  @Test
  void aWriteOfAnotherDimensionAfterADeletionOfAllIsKept() throws Exception {
    Opened store = Opened.of(root()).create(NOTES).put("a", "1").checkpoint();
    store.remove("a");
    StoredDocument wide = new StoredDocument("b", null, new float[] {1, 0, 0, 0, 0}, "wide");
    store.put(NOTES, List.of(wide));
    requireCrashSafe(store, notes("b", "wide"));
    store.checkpoint();
    requireCrashSafe(store, notes("b", "wide"));
    store.close();
    assertThat(document(root().resolve(Opened.FOLDER).resolve(Opened.file("b"))).embedding())
        .hasSize(5);
  }

  /**
   * An older pack still holds a version of it, of which a tombstone alone tells that it is over.
   */
  @Test
  void whatIsDeletedWhileItsDamagedRowIsMergedStaysDeleted() throws Exception {
    AtomicReference<Opened> deletesIn = new AtomicReference<>();
    Disk disk =
        new ForwardingDisk() {
          private final Disk real = new LocalDisk();

          @Override
          protected Disk next() {
            return real;
          }

          @Override
          public Appender appender(Path file) throws IOException {
            Opened store = file.toString().endsWith(".pack") ? deletesIn.getAndSet(null) : null;
            if (store != null) {
              store.remove("x");
            }
            return super.appender(file);
          }
        };
    Opened store = Opened.of(root(), disk).create(NOTES);
    store.put("x", "1", "a", "1", "b", "1", "c", "1", "d", "1").checkpoint();
    store.put("x", "2", "p", "1", "q", "1", "r", "1").checkpoint();
    store.remove("p", "q", "r").checkpoint();
    Path second = root().resolve(".contextd/packs").resolve(store.packs().get(1));
    byte[] bytes = Files.readAllBytes(second);
    bytes[128] ^= 1; // The vector of x.
    Files.write(second, bytes);
    deletesIn.set(store);
    store.keeper().purge(Duration.ofDays(30));
    assertThat(deletesIn).as("merged").hasNullValue();
    store.checkpoint();
    assertThat(store.keeper().scrub()).isEmpty();
    store.close();
    try (Opened again = Opened.of(root())) {
      assertThat(again.damage()).isEmpty();
      assertThat(again.notes()).isEqualTo(Map.of("a", "1", "b", "1", "c", "1", "d", "1"));
    }
  }
}
