package dev.contextd.resilience;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;
import static org.awaitility.Awaitility.await;

import dev.contextd.engine.Document;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.ForwardingDisk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.folder.QuarantineEntry;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.testkit.Fixtures;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What happens to a folder under an open store is noticed, mended or adopted, or told. */
class BackgroundScannerTest {
  private static final String MEMORIES = "e9f85bf6";
  private static final String CHECKPOINTS = "a1ef3a3d";
  private static final float[] VECTOR = {0.6f, 0.8f};
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private ResilientStore open() throws IOException {
    return open(HealthOptions.defaults());
  }

  private ResilientStore open(HealthOptions options) throws IOException {
    ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults(), options);
    store.store().checkpoint();
    store.watch();
    store.health();
    return store;
  }

  /** A file that is moved away and written again is missing for a moment. */
  private static void awaitThat(Callable<Boolean> condition) {
    await().atMost(PATIENCE).ignoreExceptionsInstanceOf(IOException.class).until(condition);
  }

  private Path file(String name) {
    return root.path().resolve(name);
  }

  private List<QuarantineEntry> quarantine() throws IOException {
    return new StoreFolder(new LocalDisk(), root.path(), Clock.systemUTC()).quarantine().list();
  }

  private static Optional<Document> document(VectorStore store, String collection, String id) {
    return store
        .collection(collection, Scope.ALL)
        .flatMap(found -> found.get(List.of(id)).stream().findFirst());
  }

  private static String anyId(VectorStore store, String collection) {
    return store
        .collection(collection, Scope.ALL)
        .orElseThrow()
        .page(Optional.empty(), 1)
        .documents()
        .getFirst()
        .id();
  }

  @Test
  void aMetadataFileDeletedUnderTheStoreIsWrittenAgain() throws Exception {
    root.copyOf("chromem-go/plain");
    Path metadata = file(MEMORIES + "/00000000.gob");
    try (ResilientStore store = open()) {
      Files.delete(metadata);
      awaitThat(() -> Files.exists(metadata));
      awaitThat(() -> store.checker().last().damage().isEmpty());
      assertThat(store.health().isDegraded()).isFalse();
    }
    assertThat(quarantine()).isEmpty();
    assertThat(audit())
        .singleElement(as(STRING))
        .contains("\"what\":\"mended\",\"folder\":\"" + MEMORIES + "\"", "is gone");
  }

  private List<String> audit() throws IOException {
    return Files.readAllLines(file(".contextd/audit.jsonl"));
  }

  @Test
  void aDocumentsFileDeletedOrDamagedComesBackAndTheBadBytesAreKept() throws Exception {
    root.copyOf("chromem-go/plain");
    Path one = file(CHECKPOINTS + "/24577f65.gob");
    Path other;
    try (Stream<Path> files = Files.list(file(MEMORIES))) {
      other = files.filter(path -> !path.endsWith("00000000.gob")).sorted().findFirst().get();
    }
    byte[] whole = Files.readAllBytes(other);
    byte[] torn = Arrays.copyOf(whole, whole.length / 2);
    try (ResilientStore store = open()) {
      Files.delete(one);
      Files.write(other, torn);
      awaitThat(() -> Files.exists(one) && Files.size(other) > torn.length);
      awaitThat(() -> store.checker().last().damage().isEmpty());
      assertThat(store.health().isDegraded()).isFalse();
      assertThat(store.store().readOnlyReason()).isEmpty();
    }
    List<QuarantineEntry> kept = quarantine();
    assertThat(kept).hasSize(1);
    assertThat(kept.getFirst().mended()).isTrue();
    assertThat(file(".quarantine/" + kept.getFirst().name() + "/" + other.getFileName()))
        .hasBinaryContent(torn);
    assertThat(audit())
        .hasSize(2)
        .allMatch(line -> line.contains("\"what\":\"mended\""))
        .anyMatch(line -> line.contains("\"kept\":\"" + kept.getFirst().name() + "\""))
        .anyMatch(line -> line.contains("\"file\":\"24577f65.gob\""));
  }

  @Test
  void aDamagedFileRenamedOverADocumentIsNoticed() throws Exception {
    root.copyOf("chromem-go/plain");
    Path target = file(CHECKPOINTS + "/24577f65.gob");
    try (ResilientStore store = open()) {
      Path bad = Files.write(root.beside("bad"), new byte[] {1, 2, 3});
      Files.move(bad, target, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      awaitThat(() -> Files.size(target) > 3);
      awaitThat(() -> store.checker().last().damage().isEmpty());
    }
  }

  @Test
  void aWholeFolderGoneIsADeletionOfWhichEverythingCanBeRestored() throws Exception {
    root.copyOf("chromem-go/plain");
    try (ResilientStore store = open()) {
      String id = anyId(store.store(), "contextd_memories");
      remove(file(MEMORIES));
      awaitThat(() -> store.store().collection("contextd_memories", Scope.ALL).isEmpty());
      awaitThat(() -> store.checker().last().damage().isEmpty());
      assertThat(file(MEMORIES)).doesNotExist();
      assertThat(store.health().isDegraded()).isFalse();
      VectorStore.TrashEntry kept =
          store.store().trash().stream()
              .filter(entry -> entry.folder().equals(MEMORIES))
              .findFirst()
              .orElseThrow();
      assertThat(kept.documents()).isEqualTo(6);
      assertThat(store.store().restore(kept.name())).isEqualTo(6);
      assertThat(document(store.store(), "contextd_memories", id)).isPresent();
    }
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  @Test
  void whatAnotherProgramWritesIsServedAndOursIsKept() throws Exception {
    Path elsewhere = root.beside("elsewhere");
    write(elsewhere, "notes", NewDocument.of("a", "theirs", VECTOR));
    write(root.path(), "notes", NewDocument.of("a", "ours", VECTOR));
    Path from;
    try (Stream<Path> folders = Files.list(elsewhere)) {
      from = folders.filter(path -> !path.endsWith(".contextd")).findFirst().get();
    }
    try (ResilientStore store = open()) {
      try (Stream<Path> files = Files.list(from)) {
        for (Path path : files.filter(f -> !f.endsWith("00000000.gob")).toList()) {
          Files.write(
              file(from.getFileName() + "/" + path.getFileName()), Files.readAllBytes(path));
        }
      }
      awaitThat(() ->
          document(store.store(), "notes", "a")
              .filter(d -> d.content().equals("theirs"))
              .isPresent());
      awaitThat(
          () -> store.store().trash().stream().anyMatch(entry -> entry.kind().equals("versions")));
      awaitThat(() -> store.checker().last().damage().isEmpty());
      assertThat(store.health().isDegraded()).isFalse();
    }
    try (ResilientStore again = open()) {
      assertThat(document(again.store(), "notes", "a").orElseThrow().content()).isEqualTo("theirs");
    }
  }

  private static void write(Path root, String collection, NewDocument document) throws IOException {
    try (VectorStore store = VectorStore.open(root, StoreOptions.defaults())) {
      store.upsert(collection, List.of(document), Scope.ALL);
    }
  }

  @Test
  void aCollectionThatAnotherProgramCreatesIsServed() throws Exception {
    Fixtures.copyTree(Fixtures.path("chromem-go/plain").resolve(CHECKPOINTS), file(CHECKPOINTS));
    try (ResilientStore store = open()) {
      Fixtures.copyTree(Fixtures.path("chromem-go/plain").resolve(MEMORIES), file(MEMORIES));
      awaitThat(() -> store.store().collection("contextd_memories", Scope.ALL).isPresent());
      assertThat(store.store().collection("contextd_memories", Scope.ALL).orElseThrow().count())
          .isEqualTo(6);
      store
          .store()
          .upsert(
              "contextd_memories",
              List.of(NewDocument.of("new", "x", new float[] {1, 0, 0, 0, 0, 0, 0, 0})),
              Scope.ALL);
    }
    try (ResilientStore again = open()) {
      assertThat(again.store().collection("contextd_memories", Scope.ALL).orElseThrow().count())
          .isEqualTo(7);
    }
  }

  @Test
  void anUnreadableNewFileIsQuarantinedAndDegrades() throws Exception {
    root.copyOf("chromem-go/plain");
    try (ResilientStore store = open()) {
      Files.write(file(MEMORIES + "/7fffffff.gob"), new byte[] {1});
      awaitThat(() -> !store.checker().last().quarantined().isEmpty());
      assertThat(file(MEMORIES + "/7fffffff.gob")).doesNotExist();
      assertThat(store.health().corrupt()).containsExactly(MEMORIES);
    }
  }

  @Test
  void manyFilesAtOnceAreNotMendedAndWritesAreRefused() throws Exception {
    root.copyOf("chromem-go/plain");
    try (ResilientStore store = open()) {
      try (Stream<Path> files = Files.list(file(CHECKPOINTS))) {
        for (Path path : files.filter(f -> !f.endsWith("00000000.gob")).limit(30).toList()) {
          Files.delete(path);
        }
      }
      awaitThat(() -> store.health().brake().isPresent());
      assertThat(store.health().isDegraded()).isTrue();
      assertThat(store.health().damage()).containsEntry("document_missing", 30);
      assertThat(store.store().collection("contextd_checkpoints", Scope.ALL).orElseThrow().count())
          .isEqualTo(40);
      org.assertj.core.api.Assertions.assertThatThrownBy(
              () -> store.store().create("new", java.util.Map.of()))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.READ_ONLY));
      try (Stream<Path> files = Files.list(file(CHECKPOINTS))) {
        assertThat(files).hasSize(11);
      }
    }
  }

  @Test
  void anotherRootUnderTheSamePathIsAnErrorAndNothingIsWrittenIntoIt() throws Exception {
    root.copyOf("chromem-go/plain");
    try (ResilientStore store = open()) {
      Files.move(root.path(), root.beside("away"));
      Files.createDirectories(root.path());
      awaitThat(() -> store.checker().last().error().isPresent());
      assertThat(store.store().readOnlyReason()).isPresent();
      try (Stream<Path> files = Files.list(root.path())) {
        assertThat(files).isEmpty();
      }
    }
  }

  @Test
  void withoutAnyEventTheNextFullCheckFindsIt() throws Exception {
    root.copyOf("chromem-go/plain");
    Path metadata = file(MEMORIES + "/00000000.gob");
    try (ResilientStore store =
        ResilientStore.open(
            root.path(),
            StoreOptions.defaults(),
            HealthOptions.defaults().withScanInterval(Duration.ofMillis(200)))) {
      store.store().checkpoint();
      Files.delete(metadata);
      store.watch();
      awaitThat(() -> Files.exists(metadata));
    }
  }

  @Test
  void aCollectionCreatedAnewByAnotherProgramLosesItsOldDocumentsToTheTrash() throws Exception {
    root.copyOf("chromem-go/plain");
    Path folder = file(MEMORIES);
    try (ResilientStore store = open()) {
      byte[] metadata = Files.readAllBytes(folder.resolve("00000000.gob"));
      Path kept = Files.createDirectories(root.beside("kept"));
      try (Stream<Path> files = Files.list(folder)) {
        for (Path path : files.toList()) {
          Files.move(path, kept.resolve(path.getFileName()));
        }
      }
      Files.write(folder.resolve("00000000.gob"), metadata);
      awaitThat(() ->
          store.store().collection("contextd_memories", Scope.ALL).orElseThrow().count() == 0);
      awaitThat(() -> store.checker().last().damage().isEmpty());
      assertThat(store.store().trash().stream().mapToInt(VectorStore.TrashEntry::documents).sum())
          .isEqualTo(6);
      assertThat(store.health().isDegraded()).isFalse();
    }
  }

  @Test
  void moreEventsThanTheSystemKeepsStillLeadToALook() throws Exception {
    root.copyOf("chromem-go/plain");
    Path metadata = file(MEMORIES + "/00000000.gob");
    try (ResilientStore store = open()) {
      for (int i = 0; i < 2_000; i++) {
        Files.write(file(MEMORIES + "/note" + i + ".txt"), new byte[] {1});
      }
      Files.delete(metadata);
      for (int i = 0; i < 2_000; i++) {
        Files.delete(file(MEMORIES + "/note" + i + ".txt"));
      }
      awaitThat(() -> Files.exists(metadata));
      assertThat(store.health().isDegraded()).isFalse();
    }
  }

  @Test
  void aFolderThatNeverSettlesDoesNotKeepTheOthersFromBeingMended() throws Exception {
    root.copyOf("chromem-go/plain");
    Path metadata = file(MEMORIES + "/00000000.gob");
    Path restless = file(CHECKPOINTS + "/note.txt");
    try (ResilientStore store = open()) {
      Files.write(restless, new byte[] {0});
      awaitThat(() -> store.checker().last().damage().containsKey("leftover"));
      Files.delete(metadata);
      awaitThat(() -> {
        Files.write(restless, Long.toString(System.nanoTime()).getBytes(UTF_8));
        return Files.exists(metadata);
      });
      Files.delete(restless);
    }
  }

  /** Hears whether anything was done to the folder beyond our own writes. */
  private static final class Deeds implements HealthListener {
    private final AtomicInteger count = new AtomicInteger();

    @Override
    public void onQuarantine(boolean isMoved) {
      count.incrementAndGet();
    }

    @Override
    public void onRepair(RepairSource source) {
      count.incrementAndGet();
    }

    @Override
    public void onDegraded(HealthReport report) {
      count.incrementAndGet();
    }
  }

  @Test
  void ownWritesUnderTheScannersEyesAreOwn() throws Exception {
    Deeds deeds = new Deeds();
    try (ResilientStore store = open()) {
      store.checker().listen(deeds);
      for (int i = 0; i < 300; i++) {
        store
            .store()
            .upsert(
                "c" + i % 5,
                List.of(
                    NewDocument.of("a" + i % 40, "v" + i, VECTOR),
                    NewDocument.of("b" + i, "v", VECTOR)),
                Scope.ALL);
        if (i % 7 == 0) {
          store.store().collection("c" + i % 5, Scope.ALL).orElseThrow().delete(List.of("b" + i));
        }
        if (i % 20 == 0) {
          store.store().checkpoint();
          assertThat(store.health().damage()).isEmpty();
        }
        if (i % 100 == 99) {
          store.store().delete("c" + i % 5, Scope.ALL);
        }
      }
      store.store().checkpoint();
      assertThat(store.health().damage()).isEmpty();
      assertThat(store.store().trash()).noneMatch(entry -> entry.kind().equals("versions"));
    }
    assertThat(deeds.count.get()).isZero();
    assertThat(quarantine()).isEmpty();
  }

  /** Fails every listing of the root for a while, in a way that nobody foresaw. */
  private static final class Throwing extends ForwardingDisk {
    private final LocalDisk disk = new LocalDisk();
    private final AtomicInteger failures = new AtomicInteger();
    private volatile boolean isFailing;

    @Override
    protected Disk next() {
      return disk;
    }

    @Override
    public List<Entry> list(Path directory) throws IOException {
      if (isFailing && directory.endsWith("vectorstore")) {
        failures.incrementAndGet();
        throw new IllegalStateException("injected");
      }
      return disk.list(directory);
    }
  }

  @Test
  void aCheckThatThrowsDoesNotEndTheScanner() throws Exception {
    root.copyOf("chromem-go/plain");
    Throwing disk = new Throwing();
    Path metadata = file(MEMORIES + "/00000000.gob");
    try (ResilientStore store =
        ResilientStore.open(
            root.path(),
            StoreOptions.defaults().withDisk(disk),
            HealthOptions.defaults().withScanInterval(Duration.ofMillis(50)))) {
      disk.isFailing = true;
      store.watch();
      awaitThat(() -> disk.failures.get() > 3);
      assertThat(store.checker().last().error()).isPresent();
      disk.isFailing = false;
      Files.delete(metadata);
      awaitThat(() -> Files.exists(metadata));
      awaitThat(() -> store.checker().last().error().isEmpty());
    }
  }
}
