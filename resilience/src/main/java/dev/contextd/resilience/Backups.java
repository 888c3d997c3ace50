package dev.contextd.resilience;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.backup.BackupFolder;
import dev.contextd.storage.backup.BackupFolder.Kind;
import dev.contextd.storage.backup.BackupRun;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.Checksum;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backups of a store: names and metadata every hour, everything on request or on a schedule.
 *
 * <p>Invariants: a backup is made from memory, each collection as of one moment, so that it holds
 * no half of a batch and holds up no writer; it counts when all of it was read back; before
 * anything is restored all of it is read and right; what is there goes to the trash first.
 */
public final class Backups implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Backups.class);
  private static final Duration LOOK_EVERY = Duration.ofMinutes(1);

  private final VectorStore store;
  private final StoreFolder folder;
  private final Disk disk;
  private final BackupFolder backups;
  private final BackupOptions options;
  private final Clock clock;
  private final StopSignal stop = new StopSignal();

  /** Held while a backup is made. */
  private final ReentrantLock making = new ReentrantLock();

  private final LongAdder done = new LongAdder();
  private volatile long total;
  private volatile boolean isRunning;
  private volatile Optional<Instant> lastVerified = Optional.empty();
  private volatile Optional<String> failure = Optional.empty();

  Backups(VectorStore store, StoreFolder folder, Disk disk, BackupOptions options, Clock clock) {
    this.store = store;
    this.folder = folder;
    this.disk = disk;
    this.backups = new BackupFolder(disk, options.folder(), options.key());
    this.options = options;
    this.clock = clock;
  }

  /**
   * A backup of everything.
   *
   * @param name by which it is restored
   * @param when it was made; empty where it cannot be read
   * @param fault why it cannot be used; empty where it can, as far as was looked
   */
  public record Run(
      String name,
      Optional<Instant> when,
      int collections,
      long documents,
      Optional<String> fault) {}

  /** Makes a backup of everything, and reads it back. */
  public Run create() {
    making.lock();
    try {
      begin(store.contents().stream().mapToLong(VectorStore.Contents::count).sum());
      BackupRun run = run(true);
      String name = backups.finish(Kind.FULL, run);
      backups.prune(Kind.FULL, options.keep(), clock.instant());
      lastVerified = Optional.of(clock.instant());
      String why =
          "%d documents of %d collections, as %s in %s."
              .formatted(run.documents(), run.collections().size(), name, backups.folder());
      note(
          new AuditLog.Entry("backed up", "", "", why)
              .withSums("", Checksum.ofFile(backups.sha256(Kind.FULL, name))));
      return view(name, run);
    } catch (IOException e) {
      throw Failures.failed("the backup into " + backups.folder(), e);
    } finally {
      isRunning = false;
      making.unlock();
    }
  }

  private BackupRun run(boolean isFull) throws IOException {
    List<BackupRun.Item> items = new ArrayList<>();
    for (VectorStore.Contents contents : store.contents()) {
      List<String> chunks =
          isFull
              ? backups.write(contents.stored().name(), unlessStopping(contents.documents()))
              : List.of();
      items.add(
          new BackupRun.Item(
              contents.stored(),
              contents.folder(),
              contents.model(),
              contents.isMetadataUnknown(),
              contents.count(),
              chunks));
    }
    return new BackupRun(Instant.ofEpochMilli(clock.millis()), folder.root().toString(), items);
  }

  /** Counts from here on; what runs beside it is counted with it. */
  private void begin(long documents) {
    done.reset();
    total = documents;
    isRunning = true;
  }

  /** How far the work in hand is. */
  public BackupProgress progress() {
    return new BackupProgress(isRunning, done.sum(), total);
  }

  private Iterator<StoredDocument> unlessStopping(Iterable<StoredDocument> documents) {
    Iterator<StoredDocument> all = documents.iterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        if (stop.isGiven()) {
          throw new StoreException(ErrorCode.CLOSED, "the store is shutting down");
        }
        return all.hasNext();
      }

      @Override
      public StoredDocument next() {
        done.increment();
        return all.next();
      }
    };
  }

  private void createNames() throws IOException {
    making.lock();
    try {
      backups.finish(Kind.NAMES, run(false));
      backups.prune(Kind.NAMES, BackupOptions.KEPT_NAMES, clock.instant());
    } finally {
      making.unlock();
    }
  }

  private static Run view(String name, BackupRun run) {
    return new Run(
        name, Optional.of(run.when()), run.collections().size(), run.documents(), Optional.empty());
  }

  /** The backups of everything, the oldest first. */
  public List<Run> list() {
    try {
      return backups.runs(Kind.FULL).stream().map(this::look).toList();
    } catch (IOException e) {
      throw Failures.failed("listing " + backups.folder(), e);
    }
  }

  private Run look(String name) {
    try {
      return view(name, backups.read(Kind.FULL, name));
    } catch (FormatException e) {
      return new Run(name, Optional.empty(), 0, 0, Optional.of(e.reason()));
    } catch (IOException e) {
      return new Run(name, Optional.empty(), 0, 0, Optional.of(String.valueOf(e.getMessage())));
    }
  }

  /**
   * Reads all of a backup.
   *
   * @param name empty for the newest one
   * @return the backup, with a fault where anything of it is wrong
   */
  public Run verify(Optional<String> name) {
    String run = name.orElseGet(this::newest);
    BackupRun held = read(run);
    List<String> faults = verified(held, held.documents());
    if (faults.isEmpty()) {
      lastVerified = Optional.of(clock.instant());
    }
    Run view = view(run, held);
    return faults.isEmpty()
        ? view
        : new Run(
            run,
            view.when(),
            view.collections(),
            view.documents(),
            Optional.of(
                faults.getFirst()
                    + (faults.size() == 1 ? "" : " (and " + (faults.size() - 1) + " more)")));
  }

  private List<String> verified(BackupRun run, long documents) {
    begin(documents);
    try {
      return backups.verify(run, done::add);
    } finally {
      isRunning = false;
    }
  }

  private String newest() {
    try {
      List<String> runs = backups.runs(Kind.FULL);
      if (runs.isEmpty()) {
        throw Failures.refused(
            "there is no backup in " + backups.folder() + "; ctxd backup create makes one");
      }
      return runs.getLast();
    } catch (IOException e) {
      throw Failures.failed("listing " + backups.folder(), e);
    }
  }

  private BackupRun read(String run) {
    try {
      return backups.read(Kind.FULL, run);
    } catch (FormatException e) {
      throw Failures.refused("the backup " + run + " cannot be used: " + e.reason());
    } catch (java.nio.file.NoSuchFileException e) {
      throw Failures.refused(
          "there is no backup \"%s\" in %s; ctxd backup list names them"
              .formatted(run, backups.folder()));
    } catch (IOException e) {
      throw Failures.failed("reading the backup " + run, e);
    }
  }

  /**
   * What came of restoring.
   *
   * @param collections that were put in place
   */
  public record Restored(String run, List<String> collections, long documents) {
    public Restored {
      collections = List.copyOf(collections);
    }
  }

  /**
   * Puts back what a backup holds; what is there goes to the trash first.
   *
   * @param name of the backup; empty for the newest one
   * @param collection empty for all
   * @param document of the collection; empty for all of them
   */
  public Restored restore(
      Optional<String> name, Optional<String> collection, Optional<String> document) {
    String run = name.orElseGet(this::newest);
    BackupRun held = read(run);
    List<BackupRun.Item> items =
        held.collections().stream()
            .filter(item -> collection.isEmpty() || item.name().equals(collection.get()))
            .toList();
    if (collection.isPresent() && items.isEmpty()) {
      throw Failures.refused(
          "the backup %s holds no collection \"%s\"".formatted(run, collection.get()));
    }
    if (document.isPresent() && collection.isEmpty()) {
      throw Failures.refused("a document is restored from a collection: name it too");
    }
    BackupRun wanted = new BackupRun(held.when(), held.root(), items);
    List<String> faults = verified(wanted, wanted.documents());
    if (!faults.isEmpty()) {
      throw Failures.refused(
          "nothing was restored, the backup %s is damaged: %s".formatted(run, faults.getFirst()));
    }
    begin(document.isPresent() ? 1 : wanted.documents());
    try {
      long documents = restore(run, items, document);
      return new Restored(run, items.stream().map(BackupRun.Item::name).toList(), documents);
    } finally {
      isRunning = false;
    }
  }

  private long restore(String run, List<BackupRun.Item> items, Optional<String> document) {
    long documents = 0;
    for (BackupRun.Item item : items) {
      String before = store.checksum(item.name());
      long restored =
          document.isPresent()
              ? restoreDocument(run, item, document.get())
              : restoreCollection(item);
      documents += restored;
      String why =
          "%d documents of \"%s\" from the backup %s.".formatted(restored, item.name(), run);
      note(
          new AuditLog.Entry("restored", item.folder(), "", why)
              .withSums(before, store.checksum(item.name()))
              .withSource("backup", false));
    }
    return documents;
  }

  private long restoreCollection(BackupRun.Item item) {
    return store.replace(
        new VectorStore.Contents(
            item.stored(),
            item.folder(),
            item.model(),
            item.isMetadataUnknown(),
            item.documents(),
            () -> documents(item)));
  }

  private long restoreDocument(String run, BackupRun.Item item, String id) {
    for (Iterator<StoredDocument> all = documents(item); all.hasNext(); ) {
      StoredDocument found = all.next();
      if (found.id().equals(id)) {
        if (store.collection(item.name(), Scope.ALL).isEmpty()) {
          store.create(item.name(), item.stored().metadataOrEmpty());
        }
        store.putBack(item.name(), List.of(found));
        return 1;
      }
    }
    throw Failures.refused(
        "the backup %s holds no document \"%s\" of \"%s\"".formatted(run, id, item.name()));
  }

  /** A file of content at a time. */
  private Iterator<StoredDocument> documents(BackupRun.Item item) {
    Iterator<String> chunks = item.chunks().iterator();
    return new Iterator<>() {
      private Iterator<StoredDocument> present = List.<StoredDocument>of().iterator();

      @Override
      public boolean hasNext() {
        while (!present.hasNext() && chunks.hasNext()) {
          present = read(chunks.next()).iterator();
        }
        return present.hasNext();
      }

      @Override
      public StoredDocument next() {
        if (!hasNext()) {
          throw new java.util.NoSuchElementException();
        }
        done.increment();
        return present.next();
      }

      private List<StoredDocument> read(String chunk) {
        try {
          return backups.documents(chunk);
        } catch (FormatException e) {
          throw Failures.refused(
              "the backup was damaged while it was being restored: " + e.reason());
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    };
  }

  /** Names of collections in the newest backups. */
  List<String> names() {
    return known(disk, options).stream().map(BackupRun.Item::name).toList();
  }

  /** A document in the newest backup of everything, and that backup's name. */
  record Found(String run, StoredDocument document) {}

  /**
   * Looks for a document of which only its file's name is known.
   *
   * @param hash of its id
   */
  Optional<Found> find(String collection, String hash) {
    try {
      List<String> runs = backups.runs(Kind.FULL);
      if (runs.isEmpty()) {
        return Optional.empty();
      }
      String run = runs.getLast();
      List<StoredDocument> found = new ArrayList<>();
      for (BackupRun.Item item : backups.read(Kind.FULL, run).collections()) {
        if (item.name().equals(collection)) {
          documents(item)
              .forEachRemaining(document -> {
                if (Names.hash(document.id()).equals(hash)) {
                  found.add(document);
                }
              });
        }
      }
      // Of several ids with one hash nobody knows which it was.
      return found.size() == 1 ? Optional.of(new Found(run, found.getFirst())) : Optional.empty();
    } catch (IOException | UncheckedIOException | FormatException | StoreException e) {
      log.warn("no document is taken from the backups: {}", e.toString());
      return Optional.empty();
    }
  }

  /**
   * What the newest backup that can be read says of collections, those without documents included.
   */
  static List<BackupRun.Item> known(Disk disk, BackupOptions options) {
    BackupFolder backups = new BackupFolder(disk, options.folder(), options.key());
    List<BackupRun.Item> known = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      try {
        List<String> runs = backups.runs(kind);
        if (!runs.isEmpty()) {
          known.addAll(backups.read(kind, runs.getLast()).collections());
        }
      } catch (IOException | FormatException e) {
        log.warn("the newest backup in {} cannot be read: {}", backups.folder(), e.toString());
      }
    }
    return known;
  }

  /** From one backup of everything to the next; zero where none is made by the clock. */
  public Duration interval() {
    return options.interval();
  }

  /** Why the last backup by the clock failed; empty where it did not. */
  public Optional<String> failure() {
    return failure;
  }

  /** When the newest backup of everything was made. */
  public Optional<Instant> lastRun() {
    return last(Kind.FULL);
  }

  /** When names and metadata were last backed up. */
  public Optional<Instant> lastNames() {
    return last(Kind.NAMES);
  }

  /** When a backup was last read whole, here. */
  public Optional<Instant> lastVerified() {
    return lastVerified;
  }

  private Optional<Instant> last(Kind kind) {
    try {
      List<String> runs = backups.runs(kind);
      return runs.isEmpty()
          ? Optional.empty()
          : Optional.of(backups.read(kind, runs.getLast()).when());
    } catch (IOException | FormatException e) {
      return Optional.empty();
    }
  }

  /** Begins to make backups by the clock. */
  void start() {
    Thread.ofPlatform().daemon().name("backups").start(this::loop);
  }

  private void loop() {
    do {
      try {
        makeDue();
        failure = Optional.empty();
      } catch (IOException | RuntimeException e) {
        failure = Optional.of(String.valueOf(e.getMessage()));
        log.warn("a backup failed and is tried again: {}", e.toString());
      }
    } while (stop.await(LOOK_EVERY));
  }

  private void makeDue() throws IOException {
    if (isDue(Kind.NAMES, BackupOptions.NAMES_INTERVAL)) {
      createNames();
    }
    if (!options.interval().isZero() && isDue(Kind.FULL, options.interval())) {
      create();
    }
  }

  private boolean isDue(Kind kind, Duration interval) {
    return last(kind).map(made -> !made.plus(interval).isAfter(clock.instant())).orElse(true);
  }

  /** A backup in hand is left: it counts only when it is whole. */
  @Override
  public void close() {
    stop.give();
    making.lock();
    try {
      log.debug("nothing is read from the store any more");
    } finally {
      making.unlock();
    }
  }

  private void note(AuditLog.Entry done) {
    folder.audit().note(List.of(done));
  }
}
