package dev.contextd.crash;

import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.KnownStore;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.JournalReplay;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.pack.PackFormat;
import dev.contextd.storage.parallel.Workers;
import dev.contextd.testkit.ChromemGo.Coll;
import dev.contextd.testkit.ChromemGo.Doc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * A store's folder as it lay before any fault, and what an undamaged copy of it is.
 *
 * @param undamaged what opening a copy comes to
 * @param onDisk what its gob files hold, whatever a journal adds
 * @param replaced contents of gob files that opening a copy replaces: a journal has newer ones
 */
record PreparedStore(
    Path root,
    Opened undamaged,
    Map<String, Coll> onDisk,
    Set<String> replaced,
    List<Victim.OneDocument> documents,
    List<Victim.Metadata> metadata,
    Map<Path, List<Victim.Other>> others) {

  private static final int DOCUMENTS = 12;

  /** Whether a journal holds anything: then files may be written again from it without a word. */
  boolean hasJournal() {
    return others.values().stream()
        .flatMap(List::stream)
        .anyMatch(
            file -> file.isBelow("journal") && root.resolve(file.path()).toFile().length() > 0);
  }

  /** Whether the manifest names a pack; others were left by a kill and mean nothing. */
  boolean namesPack(Path pack) {
    return manifested().stream()
        .flatMap(collection -> collection.packs().stream())
        .anyMatch(entry -> pack.endsWith(PackFormat.fileName(entry.number())));
  }

  /** Whether the manifest or the journal names a collection, which the journal may have deleted. */
  boolean namesCollection(String name) {
    return names(journal()).containsValue(name);
  }

  /**
   * Contents of gob files with a version of a document that is older than the journal's: a part of
   * it may replace them, where the whole of it leaves them be, as when their collection was deleted
   * afterwards. Where a file holds the journal's last version, the damage may have left no other.
   */
  Set<String> replacedByPartOfJournal() throws IOException {
    List<JournalRecord> journal = journal();
    Map<Long, String> names = names(journal);
    Map<String, Map<String, Doc>> lastPut = new HashMap<>();
    for (JournalRecord record : journal) {
      if (record instanceof JournalRecord.Put put) {
        Map<String, Doc> last =
            lastPut.computeIfAbsent(
                names.getOrDefault(put.incarnation(), "of no name"), _ -> new HashMap<>());
        put.documents().forEach(document -> last.put(document.id(), Views.of(document)));
      }
    }
    Set<String> contents = new HashSet<>();
    for (Victim.OneDocument document : documents) {
      String collection = document.collection();
      Doc last = lastPut.getOrDefault(collection, Map.of()).get(document.id());
      Coll onDisk = this.onDisk.getOrDefault(collection, new Coll(Map.of(), Map.of()));
      if (last != null && !last.equals(onDisk.documents().get(document.id()))) {
        contents.add(Folders.sha256(Files.readAllBytes(root.resolve(document.path()))));
      }
    }
    return contents;
  }

  /** The names of all collections by their incarnations. */
  private Map<Long, String> names(List<JournalRecord> journal) {
    Map<Long, String> names = new HashMap<>();
    manifested().forEach(entry -> names.put(entry.incarnation(), entry.stored().name()));
    for (JournalRecord record : journal) {
      if (record instanceof JournalRecord.Created created) {
        names.put(created.incarnation(), created.name());
      }
    }
    return names;
  }

  private List<JournalRecord> journal() {
    long covered = manifest().map(Manifest::covered).orElse(0L);
    try {
      return JournalReplay.read(
              new LocalDisk(), root.resolve(".contextd/journal"), covered, covered)
          .entries()
          .stream()
          .map(JournalReplay.Entry::record)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Manifest.Collection> manifested() {
    return manifest().map(Manifest::collections).orElse(List.of());
  }

  private Optional<Manifest> manifest() {
    try {
      Manifest.Found found = Manifest.read(new LocalDisk(), root.resolve(".contextd"));
      return found instanceof Manifest.Found.Intact intact
          ? Optional.of(intact.manifest())
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Written by us and closed: two plain collections and a zipped one, and some trash. */
  static PreparedStore closed(Path folder) throws IOException {
    Path root = folder.resolve("closed");
    try (ResilientStore store = ResilientStore.open(root, StoreOptions.defaults())) {
      fill(store, "notes");
      fill(store, "diary");
      fill(store, "gone");
      store.store().delete("gone", Scope.ALL);
    }
    StoreOptions zipped =
        StoreOptions.defaults().withCompression(true).withEmbedder(new ConstantEmbedder());
    try (ResilientStore store = ResilientStore.open(root, zipped)) {
      fill(store, "zipped");
      store
          .store()
          .getOrCreate("zipped", Scope.ALL)
          .upsert(List.of(NewDocument.ofText("embedded", "a text for the model")));
    }
    return of(root, folder.resolve("closed-undamaged"));
  }

  /** Adds, replaces and deletes; some documents have metadata. */
  private static void fill(ResilientStore store, String name) {
    VectorCollection collection = store.store().getOrCreate(name, Scope.ALL);
    collection.upsert(IntStream.range(0, DOCUMENTS).mapToObj(i -> document(i, "first")).toList());
    collection.upsert(IntStream.range(0, 3).mapToObj(i -> document(i, "second")).toList());
    collection.delete(List.of("d4", "d5"));
  }

  private static NewDocument document(int i, String version) {
    Map<String, String> metadata = i % 3 == 0 ? Map.of() : Map.of("version", version);
    String content = (version + " content of " + i + " ").repeat(1 + i * 10);
    return NewDocument.of("d" + i, content, new float[] {1 + i, 2, 3, 4}).withMetadata(metadata);
  }

  /**
   * Written over HTTP by a daemon that was killed in the midst of it, twice; again where so early
   * that no document has a file yet.
   */
  static PreparedStore killed(Path folder, long seed) throws Exception {
    Daemon daemon = Daemon.in(folder.resolve("killed"), seed % 2 != 0);
    Load load = new Load(seed);
    for (int round = 0; round < 2 || !hasFiles(daemon.root()); round++) {
      try (Daemon.Running running = daemon.start()) {
        if (round == 0) {
          load.begin(running.api());
        } else {
          load.settle(running.api().view(Client.DIMENSION));
        }
        load.writeUntil(Daemon.Running::kill, running);
      }
    }
    return of(daemon.root(), folder.resolve("killed-undamaged"));
  }

  private static boolean hasFiles(Path root) throws IOException {
    return Views.ofFiles(root).values().stream()
        .anyMatch(collection -> !collection.documents().isEmpty());
  }

  private static PreparedStore of(Path root, Path copy) throws IOException {
    List<Victim.OneDocument> documents = new ArrayList<>();
    List<Victim.Metadata> metadata = new ArrayList<>();
    new StoreCheck(new LocalDisk(), Workers.common())
        .check(root, KnownStore.NOTHING, intact -> sort(root, intact, documents, metadata));
    Folders.copy(root, copy);
    Map<String, Integer> before = Folders.gobContents(copy);
    Opened undamaged = Opened.of(copy);
    Set<String> replaced = Folders.missing(before, Folders.gobContents(copy)).keySet();
    return new PreparedStore(
        root,
        undamaged,
        Views.ofFiles(root),
        replaced,
        documents,
        metadata,
        others(root, documents, metadata));
  }

  private static void sort(
      Path root,
      IntactCollection intact,
      List<Victim.OneDocument> documents,
      List<Victim.Metadata> metadata) {
    Path folder = root.relativize(intact.folder());
    String name = intact.collection().name();
    Compression kind = intact.compression();
    metadata.add(new Victim.Metadata(folder.resolve("00000000" + kind.extension()), name));
    intact
        .documents()
        .forEach(found ->
            documents.add(
                new Victim.OneDocument(folder.resolve(found.file()), name, found.document().id())));
  }

  /** All other files by their folder, but the lock, which nobody may hold while it is damaged. */
  private static Map<Path, List<Victim.Other>> others(
      Path root, List<Victim.OneDocument> documents, List<Victim.Metadata> metadata)
      throws IOException {
    Set<Path> known = new HashSet<>();
    documents.forEach(victim -> known.add(victim.path()));
    metadata.forEach(victim -> known.add(victim.path()));
    Map<Path, List<Victim.Other>> others = new TreeMap<>();
    for (Path file : Folders.files(root)) {
      if (!known.contains(file) && !file.endsWith("lock")) {
        others
            .computeIfAbsent(file.resolveSibling(""), _ -> new ArrayList<>())
            .add(new Victim.Other(file));
      }
    }
    return others;
  }

  /** A model that finds every text alike, so that a model is recorded. */
  private record ConstantEmbedder() implements Embedder {
    @Override
    public String model() {
      return "constant";
    }

    @Override
    public int dimension() {
      return 4;
    }

    @Override
    public List<EmbeddedText> embed(List<String> texts) {
      return texts.stream().map(_ -> new EmbeddedText(new float[] {1, 1, 1, 1}, false)).toList();
    }

    @Override
    public void close() {}
  }
}
