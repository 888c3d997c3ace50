package dev.contextd.storage.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.check.CandidateNames;
import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.journal.Journal;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.StubbornEffect;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** An open store whose memory is a map: checkpoints are made when the test says so. */
final class Opened implements AutoCloseable {
  static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-23T23:11:25.123Z"), ZoneOffset.UTC);
  static final String NOTES = "notes";
  static final String FOLDER = Names.hash(NOTES);

  private final Path root;
  private final StoreKeeper keeper;
  private final CheckReport report;
  private final Map<String, Memory> collections = Collections.synchronizedMap(new TreeMap<>());

  /** A collection in memory. */
  static final class Memory implements KeptCollection.DocumentSource {
    final KeptCollection kept;
    final Map<String, StoredDocument> documents = new ConcurrentHashMap<>();

    Memory(KeptCollection kept) {
      this.kept = kept;
      kept.source(this);
    }

    @Override
    public @Nullable StoredDocument current(String id) {
      return documents.get(id);
    }
  }

  private Opened(Path root, Disk disk, KeeperOptions options) throws IOException {
    this.root = root;
    this.keeper =
        StoreKeeper.open(
            new StoreFolder(disk, root, CLOCK),
            disk,
            CLOCK,
            Workers.common(),
            options,
            new Random(1));
    try {
      this.report = keeper.load(Optional.of(CandidateNames.builtIn()), this::load);
    } catch (IOException | RuntimeException | Error e) {
      keeper.abandon();
      throw e;
    }
  }

  static Opened of(Path root) throws IOException {
    return of(root, new LocalDisk());
  }

  static Opened of(Path root, Disk disk) throws IOException {
    return of(root, disk, KeeperOptions.defaults());
  }

  static Opened of(Path root, Disk disk, KeeperOptions options) throws IOException {
    return new Opened(root, disk, options);
  }

  private void load(LoadedCollection loaded) {
    Memory memory = new Memory(loaded.kept());
    for (PackUnit unit : loaded.units()) {
      for (int row = 0; row < unit.rows(); row++) {
        if (unit.isLive(row)) {
          StoredDocument document = unit.document(row);
          assertThat(memory.documents.put(document.id(), document)).as("served twice").isNull();
        }
      }
    }
    for (StoredDocument document : loaded.documents()) {
      assertThat(memory.documents.put(document.id(), document)).as("served twice").isNull();
    }
    collections.put(loaded.kept().stored().name(), memory);
  }

  StoreKeeper keeper() {
    return keeper;
  }

  /** The damage that was found, as the names of its kinds. */
  List<String> damage() {
    return report.damage().stream().map(found -> found.getClass().getSimpleName()).toList();
  }

  List<Damage> found() {
    return report.damage();
  }

  <D extends Damage> D only(Class<D> kind) {
    assertThat(report.damage()).hasSize(1);
    return kind.cast(report.damage().getFirst());
  }

  Memory memory(String name) {
    Memory memory = collections.get(name);
    if (memory == null) {
      throw new AssertionError("no collection " + name + " among " + collections.keySet());
    }
    return memory;
  }

  /** Every collection's documents: id and content. */
  Map<String, Map<String, String>> contents() {
    Map<String, Map<String, String>> contents = new TreeMap<>();
    collections.forEach((name, memory) -> {
      Map<String, String> documents = new TreeMap<>();
      memory.documents.forEach((id, document) -> documents.put(id, document.content()));
      contents.put(name, documents);
    });
    return contents;
  }

  Map<String, String> notes() {
    return contents().getOrDefault(NOTES, Map.of("the collection", "is not served"));
  }

  Opened create(String name) throws IOException {
    return create(name, Compression.PLAIN);
  }

  Opened create(String name, Compression compression) throws IOException {
    StoredCollection stored = new StoredCollection(name, Map.of("k", "v"));
    collections.put(name, new Memory(keeper.create(stored, compression)));
    return this;
  }

  static StoredDocument document(String id, String content) {
    return new StoredDocument(id, Map.of(), new float[] {0.6f, 0.8f, id.hashCode()}, content);
  }

  /** Puts documents with one record: id and content alternating. */
  Opened put(String... idsAndContents) throws IOException {
    List<StoredDocument> documents = new ArrayList<>();
    for (int i = 0; i < idsAndContents.length; i += 2) {
      documents.add(document(idsAndContents[i], idsAndContents[i + 1]));
    }
    return put(NOTES, documents);
  }

  Opened put(String name, List<StoredDocument> documents) throws IOException {
    Memory memory = memory(name);
    write(
        new JournalRecord.Put(memory.kept.incarnation(), Optional.empty(), documents),
        () -> {
          documents.forEach(document -> memory.documents.put(document.id(), document));
          memory.kept.put(documents.stream().map(StoredDocument::id).toList(), List.of());
        });
    return this;
  }

  /** Puts a document that memory fails to take. */
  void putUnshown(String id, String content) throws IOException {
    write(
        new JournalRecord.Put(
            memory(NOTES).kept.incarnation(), Optional.empty(), List.of(document(id, content))),
        () -> {
          throw new OutOfMemoryError("injected");
        });
  }

  /** Puts a document that memory cannot be rid of where it is not written. */
  void putStubborn(String id, String content) throws IOException {
    Journal.Ticket ticket =
        Journal.prepare(
            new JournalRecord.Put(
                memory(NOTES).kept.incarnation(), Optional.empty(), List.of(document(id, content))),
            new StubbornEffect());
    keeper.enqueue(ticket);
    keeper.await(ticket);
  }

  Opened remove(String... ids) throws IOException {
    Memory memory = memory(NOTES);
    write(
        new JournalRecord.Removed(memory.kept.incarnation(), List.of(ids)),
        () -> {
          memory.kept.removed(List.of(ids), memory, List.of());
          List.of(ids).forEach(memory.documents::remove);
        });
    return this;
  }

  private void write(JournalRecord record, Runnable publish) throws IOException {
    Journal.Ticket ticket =
        Journal.prepare(
            record,
            new Journal.Effect() {
              @Override
              public void publish() {
                publish.run();
              }

              @Override
              public void discard() {
                // Nothing was prepared.
              }
            });
    keeper.enqueue(ticket);
    keeper.await(ticket);
  }

  void drop(String name) throws IOException {
    keeper.drop(memory(name).kept, () -> collections.remove(name));
  }

  Opened checkpoint() throws IOException {
    keeper.checkpoint();
    return this;
  }

  /** Merges all packs that are worth it, those with any dead row included. */
  Opened purgePacks() throws IOException {
    keeper.purge(Duration.ZERO);
    return this;
  }

  /** The folder as a crash of the process would leave it now. */
  Path crashedTo(Path copy) throws IOException {
    copy(root, copy);
    return copy;
  }

  /** Copies a tree with the times of its files. */
  static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> walk = Files.walk(from)) {
      for (Path path : walk.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
          Files.createDirectories(target);
        } else {
          Files.copy(path, target, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }

  /** Closes the store, and requires that what is left reads as what was in memory. */
  @Override
  public void close() throws IOException {
    keeper.close();
    CheckReport check = new StoreCheck(new LocalDisk(), Workers.common()).check(root);
    assertThat(check.damage()).as("the folder by itself, after a clean shutdown").isEmpty();
    collections.forEach((name, memory) ->
        assertThat(documents(root.resolve(memory.kept.folder().name()))).isEqualTo(notes(memory)));
    assertThat(names(root.resolve(".contextd/journal"))).isEmpty();
  }

  /** Closes the store, of which the folder by itself has damage that is not ours to mend. */
  void closeDamaged() throws IOException {
    keeper.close();
  }

  private static Map<String, String> notes(Memory memory) {
    Map<String, String> notes = new TreeMap<>();
    memory.documents.forEach((id, document) -> notes.put(id, document.content()));
    return notes;
  }

  /** The documents in the gob files of a folder: id and content. */
  static Map<String, String> documents(Path folder) {
    Map<String, String> found = new TreeMap<>();
    for (String name : names(folder)) {
      if (!name.startsWith(Names.METADATA_HASH + ".")) {
        StoredDocument document = document(folder.resolve(name));
        assertThat(found.put(document.id(), document.content())).isNull();
      }
    }
    return found;
  }

  static StoredDocument document(Path file) {
    try {
      return DocumentFormat.decode(Files.readAllBytes(file)).value();
    } catch (IOException | dev.contextd.storage.gob.FormatException e) {
      throw new AssertionError(file.toString(), e);
    }
  }

  static List<String> names(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  Path folder() {
    return root.resolve(FOLDER);
  }

  static String file(String id) {
    return Names.hash(id) + ".gob";
  }

  /** Writes a document's file as another program would. */
  static void foreign(Path file, StoredDocument document) throws IOException {
    Files.write(file, DocumentFormat.encode(document, Compression.PLAIN));
  }

  /** The content of each file of the trash by its path there, the time left out. */
  Map<String, String> trash() throws IOException {
    Map<String, String> trash = new TreeMap<>();
    Path folder = root.resolve(".contextd/trash");
    for (String entry : names(folder)) {
      for (String file : names(folder.resolve(entry))) {
        if (!file.startsWith(Names.METADATA_HASH + ".")) {
          trash.put(
              entry.substring(entry.indexOf('-') + 1) + "/" + file,
              document(folder.resolve(entry).resolve(file)).content());
        }
      }
    }
    return trash;
  }

  List<String> packs() {
    return names(root.resolve(".contextd/packs"));
  }
}
