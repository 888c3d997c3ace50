package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.CandidateNames;
import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.DiskFull;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.folder.CollectionFolder;
import dev.contextd.storage.folder.GaveWay;
import dev.contextd.storage.folder.OwnerLock;
import dev.contextd.storage.folder.ScrubRecord;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.folder.Trash;
import dev.contextd.storage.journal.Journal;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.JournalReplay;
import dev.contextd.storage.journal.OutcomeUnknownException;
import dev.contextd.storage.outbox.Outbox;
import dev.contextd.storage.outbox.PendingLog;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The durable side of a store: the lock, the journal, and the checkpoints behind it.
 *
 * <p>Invariants: nothing is read before the lock is held, nothing written without it; a write is
 * acknowledged after the journal's sync and never waits for a checkpoint, except where the journal
 * has grown to its bound; after {@link #close} without an exception the journal is empty and every
 * gob file is in place.
 */
public final class StoreKeeper {
  private static final Logger log = LoggerFactory.getLogger(StoreKeeper.class);

  private final StoreFolder folder;
  private final Disk disk;
  private static final Outbox.Change NO_CHANGE = () -> {};

  private final Workers workers;
  private final Clock clock;
  private final RandomGenerator random;
  private final Optional<OwnerLock> lock;
  private final Optional<Object> identity;

  /** Null once all collections are handed over: what was read is theirs then. */
  private @Nullable StoreOpening opening;

  private final Outbox.Known known;
  private final Checkpointer checkpointer;
  private final Optional<Outbox> outbox;
  private final Journal journal;
  private final CheckpointThread thread;
  private final LiveCheck liveCheck;

  /** Held while a collection's folder is there and the collection is not known yet. */
  private final ReentrantLock creating = new ReentrantLock();

  private volatile Optional<String> readOnlyReason;
  private volatile boolean isStarted;
  private volatile ScrubRecord scrub = ScrubRecord.NONE;
  private boolean isReleased;

  private StoreKeeper(
      StoreFolder folder,
      Disk disk,
      Clock clock,
      Workers workers,
      KeeperOptions options,
      RandomGenerator random)
      throws IOException {
    this.folder = folder;
    this.disk = disk;
    this.clock = clock;
    this.random = random;
    this.workers = workers;
    Owned owned = own();
    this.lock = owned.lock();
    try {
      this.identity = disk.stat(folder.root()).map(FileCalls.Stat::identity);
      StoreOpening opening =
          StoreOpening.read(disk, folder, clock, workers, identity.map(String::valueOf).orElse(""));
      this.opening = opening;
      this.checkpointer = opening.checkpointer;
      this.known = knownToOutbox(opening, checkpointer);
      this.readOnlyReason = owned.readOnlyReason().or(opening::foreign);
      if (isWritable()) {
        try {
          secureWhatWasFound(opening);
        } catch (IOException e) {
          refuseWrites("what was found could not be made durable: " + e.getMessage());
        }
      }
      this.scrub = ScrubRecord.read(disk, folder.own());
      this.outbox = options.outbox() && isWritable() ? openOutbox() : Optional.empty();
      this.journal =
          new Journal(
              disk,
              folder.journal(),
              opening.replay.nextSequence(),
              opening.segments(),
              opening.replay.toVoid(),
              this::requireOwnRoot,
              file -> folder.trash().move(file),
              outbox.map(Outbox::outlet).orElse(null),
              random);
      journal.notePending(opening.replayedBytes());
      checkpointer.connect(journal, this::requireOwnRoot);
      this.thread = new CheckpointThread(checkpointer, journal, folder, options, clock);
      this.liveCheck =
          new LiveCheck(disk, folder.root(), new StoreCheck(disk, workers), checkpointer, creating);
    } catch (IOException | RuntimeException | Error e) {
      release();
      throw e;
    }
  }

  /**
   * Takes the store and reads what we know of it.
   *
   * @throws OwnerLock.OwnedException where another process or store has it
   * @throws IOException where what is ours cannot be read, which says nothing about its content
   */
  public static StoreKeeper open(
      StoreFolder folder,
      Disk disk,
      Clock clock,
      Workers workers,
      KeeperOptions options,
      RandomGenerator random)
      throws IOException {
    return new StoreKeeper(folder, disk, clock, workers, options, random);
  }

  /**
   * What a killed process left may be in the system's memory alone: it is made durable before
   * anything is served, or a loss of power would take back what was read.
   */
  private void secureWhatWasFound(StoreOpening opening) throws IOException {
    for (var segment : opening.replay.segments()) {
      disk.sync(segment.file());
    }
    disk.syncNames(folder.own());
    disk.syncNames(folder.root());
    Path above = folder.root().toAbsolutePath().getParent();
    for (; above != null; above = above.getParent()) {
      try {
        disk.syncNames(above);
      } catch (IOException e) {
        log.debug("{} is not ours to sync: {}", above, e.toString());
      }
    }
  }

  /** What cannot be read must not be added to: no write is taken that would never be sent. */
  private Optional<Outbox> openOutbox() {
    try {
      return Optional.of(Outbox.open(disk, folder, this::requireOwnRoot, known));
    } catch (IOException e) {
      refuseWrites("its outbox cannot be opened: " + e.getMessage());
      return Optional.empty();
    }
  }

  private static Outbox.Known knownToOutbox(StoreOpening opening, Checkpointer checkpointer) {
    Map<Long, String> names = opening.names();
    return new Outbox.Known(
        opening.covered,
        opening.replay.nextSequence(),
        opening.replay.segments().stream().allMatch(JournalReplay.SegmentFile::isEmpty),
        opening.isCatalogLost,
        incarnation ->
            checkpointer.name(incarnation).or(() -> Optional.ofNullable(names.get(incarnation))));
  }

  /**
   * What waits for a remote, of a store that is only looked at.
   *
   * @throws IOException where it cannot be read
   */
  public Outbox.Look lookAtOutbox() throws IOException {
    return Outbox.look(disk, folder, known);
  }

  private record Owned(Optional<OwnerLock> lock, Optional<String> readOnlyReason) {}

  /** A folder that cannot be written is read without a lock, which would be a file in it. */
  private Owned own() throws IOException {
    Optional<OwnerLock> taken = Optional.empty();
    try {
      folder.prepare();
      taken = Optional.of(OwnerLock.take(disk, folder.own(), clock));
      folder.clearOwnNames();
      taken.get().announce("");
      folder.probeWritable();
      return new Owned(taken, Optional.empty());
    } catch (OwnerLock.OwnedException e) {
      throw e;
    } catch (IOException e) {
      // A full disk is no read-only one: each write says so, until there is space again. But
      // without the lock nobody writes.
      return new Owned(
          taken,
          taken.isPresent() && DiskFull.is(e)
              ? Optional.empty()
              : Optional.of("its folder cannot be written: " + e.getMessage()));
    }
  }

  /**
   * Judges the store's folders and hands over what each collection serves.
   *
   * @param names to try where a folder has lost its own; empty where it is to stay unserved
   * @return what was found; the sink has been called for each collection that is served
   */
  public CheckReport load(Optional<CandidateNames> names, LoadedCollection.Sink sink)
      throws IOException {
    StoreOpening read = Objects.requireNonNull(opening, "a store is loaded once");
    opening = null;
    read.candidates(names);
    StoreLoading loading = new StoreLoading(read, disk, folder, isWritable(), sink);
    CheckReport report = loading.run(new StoreCheck(disk, workers), this::beginOutbox);
    loading.blocked().ifPresent(this::refuseWrites);
    return report;
  }

  private void beginOutbox() throws IOException {
    if (outbox.isEmpty()) {
      return;
    }
    try {
      outbox.get().begin(!checkpointer.collections().isEmpty());
    } catch (IOException e) {
      log.warn("where the outbox begins is noted with the first segment: {}", e.toString());
    }
    if (checkpointer.hasForeign() && !outbox.get().isNew()) {
      untold(
              "another program wrote to the store's folder while it was closed, or a crash cut the creation of"
                  + " a collection short")
          .close();
    }
  }

  /** Begins to make checkpoints. */
  public void start() {
    if (isWritable()) {
      isStarted = true;
      thread.start();
    }
  }

  public Optional<String> readOnlyReason() {
    return readOnlyReason.or(journal::broken);
  }

  private boolean isWritable() {
    return readOnlyReason.isEmpty();
  }

  /** Refuses all writes from now on. */
  public void refuseWrites(String reason) {
    readOnlyReason = Optional.of(reason);
  }

  /** Tells others where the owner of the lock can be called. */
  public void announce(String address) {
    lock.ifPresent(held -> {
      try {
        held.announce(address);
      } catch (IOException e) {
        log.warn("the owner's address could not be noted: {}", e.toString());
      }
    });
  }

  /**
   * Holds the folders against what is known of them, beside readers and writers; writes nothing.
   *
   * @param touched folders to look into; empty for all
   * @throws IOException where the root cannot be listed, or is another folder than was opened
   */
  public Examination examine(Optional<Set<String>> touched) throws IOException {
    requireOwnRoot();
    return liveCheck.run(touched);
  }

  /** What differs in these folders is judged anew by the next examination. */
  public void forgetExamined(Set<String> folders) {
    liveCheck.forget(folders);
  }

  /** A collection as another program created it, not known before {@link #adopt}. */
  public KeptCollection adoptable(IntactCollection found) {
    KeptCollection kept = checkpointer.newlyFound(found);
    Map<String, FileState> files = new HashMap<>();
    found.documents().forEach(one -> files.put(one.document().id(), one.state()));
    kept.adopt(files);
    return kept;
  }

  /**
   * Takes a collection that another program created, durably; its memory is connected already.
   *
   * @param serve makes it visible
   * @throws IOException where it is not known
   */
  public void adopt(KeptCollection kept, Runnable serve) throws IOException {
    String what = "another program created the collection \"%s\"".formatted(kept.stored().name());
    try (Outbox.Change _ = untold(what)) {
      checkpointer.adopt(kept);
      serve.run();
    }
    thread.noteWrite();
  }

  /**
   * Takes the metadata that another program wrote to a collection of ours.
   *
   * @throws IOException where they are not taken
   */
  public void metadataChanged(KeptCollection kept, StoredCollection stored, FileState file)
      throws IOException {
    boolean isOther = !stored.metadataOrEmpty().equals(kept.stored().metadataOrEmpty());
    try (Outbox.Change _ = isOther ? untoldMetadata(stored) : NO_CHANGE) {
      checkpointer.changed(kept, stored, file);
    }
  }

  private Outbox.Change untoldMetadata(StoredCollection stored) throws IOException {
    return untold("the metadata of the collection \"%s\" changed".formatted(stored.name()));
  }

  /** What no record of the journal tells, and is about to be so. */
  private Outbox.Change untold(String what) throws IOException {
    return outbox.isPresent() ? outbox.get().change(what + ", which is in no journal") : NO_CHANGE;
  }

  /**
   * Writes a collection's own metadata again, durably, in place of what is not known of it.
   *
   * @param settled makes it visible
   * @throws IOException where nothing has changed
   */
  public void settleMetadata(KeptCollection kept, StoredCollection stored, Runnable settled)
      throws IOException {
    requireOwnRoot();
    try (Outbox.Change _ = untoldMetadata(stored)) {
      StoredCollection before = kept.stored();
      checkpointer.stored(kept, stored);
      try {
        kept.rewriteMetadata();
        thread.checkpoint();
        folder.clearLost(kept.folder());
      } catch (IOException e) {
        checkpointer.stored(kept, before);
        throw e;
      }
      settled.run();
    }
  }

  /** Our versions of documents go to the trash with the next checkpoint. */
  public void keepVersions(KeptCollection kept, List<StoredDocument> versions) {
    if (!versions.isEmpty()) {
      checkpointer.later(() ->
          Settlement.writeAll(
              disk,
              folder.trash().versions(kept.folder().name()),
              kept.folder(),
              versions,
              Optional.empty()));
    }
  }

  /**
   * Puts documents of a remote store into the trash, durably.
   *
   * @param stored their collection, which need not be here
   */
  public void keepForeign(StoredCollection stored, GaveWay how, List<StoredDocument> documents)
      throws IOException {
    String name = Names.hash(stored.name());
    Settlement.writeAll(
        disk,
        folder.trash().remote(name, how),
        folder.open(name, Compression.PLAIN),
        documents,
        Optional.of(stored));
    disk.syncAll(folder.root());
  }

  /** The file of each document of a collection, as of the last checkpoint. */
  public Map<String, FileState> filesOf(KeptCollection kept) {
    Map<String, FileState> files = new HashMap<>();
    checkpointer.copiesOf(kept).forEach((id, copy) -> files.put(id, copy.file()));
    return files;
  }

  /** Whether a collection's folder is gone. */
  public boolean isGone(KeptCollection kept) throws IOException {
    requireOwnRoot();
    return !disk.exists(kept.folder().path());
  }

  /** Copies a collection whose folder is gone into the trash, durably. */
  public void keepAll(KeptCollection kept, List<StoredDocument> documents) throws IOException {
    Settlement.writeAll(
        disk,
        folder.trash().collection(kept.folder().name()),
        kept.folder(),
        documents,
        Optional.of(kept.stored()));
    disk.syncAll(folder.root());
  }

  /** The root must be the folder that was opened: another one is not ours to write into. */
  private void requireOwnRoot() throws IOException {
    Optional<Object> now = disk.stat(folder.root()).map(FileCalls.Stat::identity);
    boolean isOurs =
        now.isPresent()
            && now.equals(identity)
            && (lock.isEmpty() || disk.kind(folder.own()) == Disk.Kind.DIRECTORY);
    if (!isOurs) {
      String what = now.isEmpty() ? "is gone" : "is another folder than the one that was opened";
      refuseWrites("the folder " + folder.root() + " " + what);
      throw new IOException(
          "the store's folder " + what + "; nothing was written, restart to open what is there");
    }
  }

  /**
   * Queues a write; called under the lock that orders the collection's writes.
   *
   * @throws IOException where a write before it failed just now
   */
  public void enqueue(Journal.Ticket ticket) throws IOException {
    journal.enqueue(ticket);
  }

  /**
   * Returns when a write is on disk and visible.
   *
   * @throws OutcomeUnknownException where it shows nowhere, and an opening may find it, until the
   *     next write or checkpoint has ended that
   * @throws IOException where it never will be
   */
  public void await(Journal.Ticket ticket) throws IOException {
    try {
      journal.await(ticket);
      thread.noteWrite();
    } catch (OutcomeUnknownException e) {
      thread.noteWrite(); // A checkpoint covers its number, and tries again until it can.
      throw e;
    }
  }

  /**
   * Waits for the journal to have room; called before any lock is taken.
   *
   * @throws IOException where checkpoints fail and the journal is full
   */
  public void awaitRoom() throws IOException {
    thread.awaitRoom();
  }

  /**
   * Creates a collection, durably.
   *
   * @throws IOException where nothing was created
   */
  public KeptCollection create(StoredCollection stored, Compression compression)
      throws IOException {
    requireOwnRoot();
    creating.lock();
    try {
      if (checkpointer.hasDrops()) {
        thread.checkpoint(); // A deleted namesake's folder may still be in the way.
      }
      CollectionFolder created = folder.create(stored, compression, checkpointer::hasFolder);
      try {
        return create(stored, created, metadataState(created));
      } catch (IOException e) {
        discard(created, e);
        throw e;
      }
    } finally {
      creating.unlock();
    }
  }

  private KeptCollection create(StoredCollection stored, CollectionFolder created, FileState file)
      throws IOException {
    KeptCollection kept =
        new KeptCollection(checkpointer.newIncarnation(), stored, created, file, Optional.empty());
    Journal.Ticket ticket =
        Journal.prepare(
            new JournalRecord.Created(
                kept.incarnation(),
                created.name(),
                stored.name(),
                stored.metadata(),
                created.compression()),
            effect(() -> checkpointer.add(kept)));
    enqueue(ticket);
    await(ticket);
    return kept;
  }

  private FileState metadataState(CollectionFolder created) throws IOException {
    String file = created.metadataFile();
    FileCalls.Stat stat = created.stat(file).orElseThrow(() -> new IOException(file + " vanished"));
    byte[] content = disk.read(created.path().resolve(file));
    return FileState.of(file, stat.size(), stat.modifiedNanos(), content);
  }

  private void discard(CollectionFolder created, IOException cause) {
    try {
      folder.trash(created.name());
      disk.syncAll(folder.root());
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /**
   * Deletes a collection, durably, and moves its folder to the trash.
   *
   * @param end makes it invisible
   * @throws IOException where it is not deleted
   */
  public void drop(KeptCollection kept, Runnable end) throws IOException {
    if (outbox.isPresent()) {
      outbox.get().remember(kept.incarnation(), kept.stored().name());
    }
    Journal.Ticket ticket =
        Journal.prepare(
            new JournalRecord.Dropped(kept.incarnation()),
            effect(() -> {
              end.run();
              checkpointer.drop(kept);
            }));
    enqueue(ticket);
    await(ticket);
    thread.checkpointNow();
  }

  private static Journal.Effect effect(Runnable publish) {
    return new Journal.Effect() {
      @Override
      public void publish() {
        publish.run();
      }

      @Override
      public void discard() {
        // Nothing was prepared.
      }
    };
  }

  /** Makes a checkpoint of everything acknowledged so far, and returns when it is durable. */
  public void checkpoint() throws IOException {
    thread.checkpoint();
  }

  /** Reads and verifies every byte of every copy; returns what fails, of which nothing is lost. */
  public List<Damage> scrub() {
    return scrub(ScrubPace.UNBOUNDED);
  }

  /** As {@link #scrub()}, at a pace that does not end it. */
  public List<Damage> scrub(ScrubPace pace) {
    List<Damage> damage = new ArrayList<>();
    new Scrub(disk, workers, checkpointer, pace, (_, _, _) -> {})
        .run(ScrubRecord.NONE, damage::addAll);
    noteScrub(ScrubRecord.completed(clock.instant()));
    return damage;
  }

  /**
   * As {@link #scrub()}, at a pace, and from where the last one was ended before its time.
   *
   * @param found takes what is damaged, a collection at a time
   * @return whether everything has been read now
   */
  public boolean scrub(ScrubPace pace, Consumer<List<Damage>> found) {
    Optional<Instant> completed = scrub.completed();
    Scrub run =
        new Scrub(
            disk,
            workers,
            checkpointer,
            pace,
            (incarnation, file, bytes) ->
                noteScrub(new ScrubRecord(completed, incarnation, file, bytes)));
    boolean isComplete = run.run(scrub, found);
    if (isComplete) {
      noteScrub(ScrubRecord.completed(clock.instant()));
    }
    return isComplete;
  }

  /** How far the reading of every byte has come. */
  public ScrubRecord scrubbed() {
    return scrub;
  }

  /** Where it cannot be written, the next start reads again what it need not. */
  private synchronized void noteScrub(ScrubRecord record) {
    scrub = record;
    if (isWritable() && !isReleased) {
      try {
        requireOwnRoot();
        record.write(disk, folder.own());
      } catch (IOException e) {
        log.warn("how far the scrub is could not be noted: {}", e.toString());
      }
    }
  }

  /** What is still to be sent to a remote; empty where that was not asked for, or cannot be. */
  public Optional<Outbox> outbox() {
    return outbox;
  }

  /**
   * Opens the log of writes to a remote that holds the documents alone; the caller closes it before
   * the store. Of a store that is read-only it shows what waits, and takes nothing.
   *
   * @param keep how long what is shipped is kept
   * @throws IOException where what is there cannot be read
   */
  public PendingLog openPending(Duration keep) throws IOException {
    return PendingLog.open(disk, folder, this::requireWritable, clock, random, keep);
  }

  private void requireWritable() throws IOException {
    if (readOnlyReason.isPresent()) {
      throw new IOException("nothing can be written here: " + readOnlyReason.get());
    }
    requireOwnRoot();
  }

  public Trash trash() {
    return folder.trash();
  }

  /**
   * Removes for good what was deleted: from the trash and from the packs.
   *
   * @param olderThan what was deleted at least so long ago
   * @return how many entries of the trash went
   */
  public int purge(Duration olderThan) throws IOException {
    return thread.purge(olderThan);
  }

  /** How things stand between the journal and the disk. */
  public KeeperStatus status() {
    return thread.status();
  }

  /**
   * Brings everything to its place and gives the store back.
   *
   * @throws IOException where the journal could not be emptied; nothing is lost, the next opening
   *     goes on from there
   */
  public void close() throws IOException {
    try {
      journal.close();
      thread.stop();
      if (isWritable()) {
        checkpointer.run(true);
      } else if (isStarted && journal.pendingBytes() > 0) {
        checkpointer.run(false); // What was acknowledged before writes were refused.
      }
    } finally {
      journal.close(); // What is held may have begun another segment.
      end();
    }
  }

  /** Gives the store back without writing anything, where it could not be opened. */
  public void abandon() {
    thread.stop();
    end();
  }

  private void end() {
    outbox.ifPresent(Outbox::end);
    try {
      checkpointer.end();
    } catch (IOException e) {
      log.debug("the root could not be closed: {}", e.toString());
    }
    release();
  }

  private synchronized void release() {
    isReleased = true;
    lock.ifPresent(held -> {
      try {
        held.close();
      } catch (IOException e) {
        log.warn("the lock could not be given back: {}", e.toString());
      }
    });
  }
}
