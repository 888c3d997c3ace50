package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.checkpoint.KeptCollection.LivePack;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.journal.Journal;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.pack.PackFormat;
import dev.contextd.storage.parallel.Workers;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Carries what the journal holds into gob files and packs, and cuts the journal.
 *
 * <p>The order of a checkpoint, each step durable before the next: gob files, packs and moves to
 * the trash, synced all at once; the manifest that names the packs and what they cover; the cut. So
 * at any moment the manifest on disk and the journal on disk together hold every acknowledged
 * write. A checkpoint that fails gives its work back and is tried again.
 *
 * <p>Invariant: one thread at a time runs it, holding this object's monitor. Packs are merged
 * beside it, see {@link PackMerging}.
 */
final class Checkpointer {
  private final Disk disk;
  private final StoreFolder folder;
  private final Path packs;
  private final Clock clock;
  private final Workers workers;
  private final String rootIdentity;

  /** By incarnation, in the order of creation. */
  private final Map<Long, KeptCollection> collections = new ConcurrentSkipListMap<>();

  /** Deleted, and not in the trash for good until a checkpoint is durable. */
  private final List<KeptCollection> dropped = new ArrayList<>();

  private final List<KeptCollection> vanishing = new ArrayList<>();
  private final Deque<TrashJob> jobs = new ArrayDeque<>();

  private volatile boolean hasForeign;

  /** Packs and journals that no manifest names any more, to be removed when it is durable. */
  private final List<Retired> retired = new ArrayList<>();

  /** Writes to folders that cannot be listed: the journal keeps them until they can. */
  private final List<JournalRecord> held = new ArrayList<>();

  /** Open since before the first lazy write, so that no failure of one goes untold. */
  private @Nullable Closeable watch;

  private final ReentrantReadWriteLock catalog = new ReentrantReadWriteLock();

  /** Collections of which packs are being merged: none of those goes meanwhile. */
  private final Set<KeptCollection> merging = new HashSet<>();

  private @Nullable Journal journal;

  /** Asked before anything is written: the root may have become another one. */
  private Journal.Gate gate = () -> {};

  private long generation;
  private long covered;
  private long seen;

  /** The segment that is there until the next manifest names another one; empty for none. */
  private String begun;

  private final AtomicLong nextIncarnation;
  private long nextPack;
  private boolean manifestDirty;

  /** Something to be put into the trash in the next checkpoint. */
  @FunctionalInterface
  interface TrashJob {
    void run() throws IOException;
  }

  private record Retired(Path file, boolean isDamaged) {}

  Checkpointer(
      Disk disk, StoreFolder folder, Clock clock, Workers workers, Manifest manifest, String root) {
    this.disk = disk;
    this.folder = folder;
    this.packs = folder.packs();
    this.clock = clock;
    this.workers = workers;
    this.generation = manifest.generation();
    this.covered = manifest.covered();
    this.seen = manifest.seen();
    this.begun = manifest.begun();
    this.nextIncarnation = new AtomicLong(manifest.nextIncarnation());
    this.nextPack = manifest.nextPack();
    this.rootIdentity = root;
  }

  synchronized void connect(Journal newJournal, Journal.Gate newGate) {
    journal = newJournal;
    gate = newGate;
  }

  synchronized void atLeast(long incarnation, long pack) {
    nextIncarnation.accumulateAndGet(incarnation, Math::max);
    nextPack = Math.max(nextPack, pack);
  }

  long newIncarnation() {
    return nextIncarnation.getAndIncrement();
  }

  /** A collection that was found on disk, and that nobody knew. */
  KeptCollection newlyFound(IntactCollection found) {
    return new KeptCollection(
        newIncarnation(),
        found.collection(),
        folder.open(String.valueOf(found.folder().getFileName()), found.compression()),
        found.metadataFile().orElse(FileState.UNSEEN),
        Optional.empty());
  }

  /** The name of a collection that is there. */
  Optional<String> name(long incarnation) {
    return Optional.ofNullable(collections.get(incarnation)).map(kept -> kept.stored().name());
  }

  List<KeptCollection> collections() {
    return List.copyOf(collections.values());
  }

  /** Where each document stands now. */
  synchronized Map<String, KeptCollection.Copy> copiesOf(KeptCollection collection) {
    return Collections.unmodifiableMap(new HashMap<>(collection.copies()));
  }

  synchronized List<Manifest.Pack> packsOf(KeptCollection collection) {
    return collection.packs.stream().map(LivePack::entry).toList();
  }

  /** Whether nothing has happened to a document since, and nothing is about to. */
  synchronized boolean isCurrent(KeptCollection collection, String id, KeptCollection.Copy copy) {
    return copy.equals(collection.copies().get(id)) && !collection.isDirty(id);
  }

  /**
   * A damaged pack is to be built again from the documents' files.
   *
   * @return false where it is live no more
   */
  synchronized boolean repack(KeptCollection collection, long number) {
    boolean isLive = collection.packs.stream().anyMatch(pack -> pack.number == number);
    if (isLive) {
      collection.damagedPacks.add(number);
      Settlement.repackDamaged(collection);
    }
    return isLive;
  }

  Disk disk() {
    return disk;
  }

  Path packs() {
    return packs;
  }

  void add(KeptCollection collection) {
    collections.put(collection.incarnation(), collection);
  }

  /**
   * Takes a collection that another program created, durably.
   *
   * @throws IOException where it is not known
   */
  synchronized void adopt(KeptCollection collection) throws IOException {
    gate.requireWritable();
    disk.syncAll(folder.root()); // Whoever wrote these files may not have.
    add(collection);
    try {
      writeManifest(false); // A write may name a collection only when its incarnation is on disk.
    } catch (IOException | RuntimeException e) {
      collections.remove(collection.incarnation());
      throw e;
    }
  }

  /** Takes the metadata that another program wrote. */
  synchronized void changed(KeptCollection collection, StoredCollection stored, FileState file) {
    changeCatalog(() -> {
      collection.stored(stored);
      collection.metadataFile = file;
    });
    manifestDirty = true;
  }

  /** An operator says what the metadata of a collection is. */
  synchronized void stored(KeptCollection collection, StoredCollection stored) {
    changeCatalog(() -> collection.stored(stored));
    manifestDirty = true;
  }

  void drop(KeptCollection collection) {
    synchronized (dropped) {
      collections.remove(collection.incarnation());
      dropped.add(collection);
    }
  }

  /** Names of folders that are on their way to the trash. */
  Set<String> leaving() {
    synchronized (dropped) {
      return dropped.stream()
          .map(collection -> collection.folder().name())
          .collect(Collectors.toSet());
    }
  }

  /** Held by whoever reads where documents stand, beside a checkpoint in the making. */
  Lock catalog() {
    return catalog.readLock();
  }

  /** What stands where changes at one moment, not while files are being written. */
  private void changeCatalog(Runnable change) {
    catalog.writeLock().lock();
    try {
      change.run();
    } finally {
      catalog.writeLock().unlock();
    }
  }

  /** Whether a folder is that of a collection, or of one that waits for the trash. */
  boolean hasFolder(String name) {
    boolean isDropped;
    synchronized (dropped) {
      isDropped = dropped.stream().anyMatch(kept -> kept.folder().name().equals(name));
    }
    return isDropped || collections().stream().anyMatch(kept -> kept.folder().name().equals(name));
  }

  /** Whether folders of deleted collections wait for the trash. */
  boolean hasDrops() {
    synchronized (dropped) {
      return !dropped.isEmpty();
    }
  }

  void later(TrashJob job) {
    synchronized (jobs) {
      jobs.add(job);
    }
  }

  /** Another program has changed what lies in the folder, which no record of the journal tells. */
  void noteForeign() {
    hasForeign = true;
  }

  /** Whether another program changed what lies in the folder before it was opened. */
  boolean hasForeign() {
    return hasForeign;
  }

  /** A collection stays named until it is in the trash, from which it can be restored. */
  void vanish(KeptCollection gone, TrashJob job) {
    synchronized (dropped) {
      vanishing.add(gone);
    }
    later(job);
  }

  /** A file of ours that nothing will name any more. */
  synchronized void retire(Path file, boolean isDamaged) {
    retired.add(new Retired(file, isDamaged));
    manifestDirty = true;
  }

  /** A pack that nothing will name any more; one that is damaged keeps its bytes in the trash. */
  synchronized void retirePack(long number, boolean isDamaged) {
    retire(packs.resolve(PackFormat.fileName(number)), isDamaged);
  }

  private void retirePacks(List<LivePack> gone) {
    gone.forEach(pack -> retirePack(pack.number, false));
  }

  /** The journal is to keep these, whatever else is cut. */
  synchronized void hold(List<JournalRecord> records) {
    held.addAll(records);
  }

  private void watchDisk() throws IOException {
    if (watch != null) {
      return;
    }
    Closeable opened = disk.watch(folder.root());
    try {
      gate.requireWritable(); // The first time it takes long enough for another root to be there.
    } catch (IOException e) {
      opened.close();
      throw e;
    }
    watch = opened;
  }

  /** Nothing is written from here on. */
  synchronized void end() throws IOException {
    if (watch != null) {
      watch.close();
    }
    watch = null;
  }

  /** What a checkpoint has taken in hand, to be given back where it fails. */
  private static final class InHand {
    final List<CollectionFlush> flushes = new ArrayList<>();
    final List<KeptCollection> drops = new ArrayList<>();
    final List<TrashJob> jobs = new ArrayList<>();
    boolean hasTouchedDisk;
  }

  /**
   * Makes one checkpoint of all that has taken effect.
   *
   * @param last whether it is, after which nothing is written
   * @throws IOException where anything was left in the journal
   */
  synchronized void run(boolean last) throws IOException {
    Journal from = Objects.requireNonNull(journal);
    gate.requireWritable();
    watchDisk();
    Journal.Mark mark = last ? from.mark() : from.markAndBegin();
    from.repeat(held); // Behind the mark, so that the cut may take the elder ones.
    boolean clean = last && held.isEmpty();
    boolean isBegunAnew = !mark.begun().equals(begun);
    InHand inHand = new InHand();
    try {
      flush(inHand);
      // The manifest must not name a segment that a loss of power can take away.
      if (inHand.hasTouchedDisk || (isBegunAnew && !mark.begun().isEmpty())) {
        disk.syncAll(folder.root());
      }
    } catch (IOException | RuntimeException | Error e) {
      giveBack(inHand);
      throw e;
    }
    long now = clock.millis();
    changeCatalog(() -> inHand.flushes.forEach(flush -> flush.apply(now)));
    synchronized (dropped) {
      dropped.removeAll(inHand.drops);
    }
    retireDeadPacks();
    retireVanished();
    boolean changes =
        inHand.hasTouchedDisk
            || manifestDirty
            || clean
            || mark.sequence() != covered
            || isBegunAnew;
    if (changes) {
      manifestDirty = true;
      covered = mark.sequence();
      seen = from.synced();
      begun = mark.begun();
      if (clean) {
        LeftFolders.note(disk, folder.own(), collections.values());
      }
      writeManifest(clean);
    }
    from.cut(mark);
    removeRetired();
    folder
        .audit()
        .note(
            inHand.flushes.stream().flatMap(flush -> flush.deletion().stream()).toList(),
            "callers of the store");
    if (last && !clean) {
      throw new IOException(
          held.size() + " writes to folders that could not be opened stay in the journal");
    }
  }

  /** Writes the manifest as things are, without a checkpoint. */
  synchronized void writeManifest(boolean clean) throws IOException {
    gate.requireWritable();
    Manifest manifest =
        new Manifest(
            generation + 1,
            covered,
            seen,
            begun,
            nextIncarnation.get(),
            nextPack,
            clean,
            rootIdentity,
            named().stream().map(KeptCollection::entry).toList());
    manifest.write(disk, folder.own());
    generation++;
    manifestDirty = false;
  }

  /**
   * The collections in the order of their creation. Those whose deletion stands in the journal
   * alone are among them: without its collection the deletion would mean nothing.
   */
  private List<KeptCollection> named() {
    synchronized (dropped) {
      Map<Long, KeptCollection> named = new TreeMap<>(collections);
      dropped.forEach(collection -> named.put(collection.incarnation(), collection));
      vanishing.forEach(collection -> named.put(collection.incarnation(), collection));
      return List.copyOf(named.values());
    }
  }

  private void flush(InHand inHand) throws IOException {
    List<KeptCollection> live;
    synchronized (dropped) {
      // At one moment: one that is deleted from here on is written now and buried the next time.
      live = collections();
      inHand.drops.addAll(dropped);
    }
    synchronized (jobs) {
      inHand.jobs.addAll(jobs);
      jobs.clear();
    }
    CollectionFlush.Place place =
        new CollectionFlush.Place(
            disk, folder.root(), folder.trash(), packs, () -> nextPack++, workers);
    for (TrashJob job : inHand.jobs) {
      inHand.hasTouchedDisk = true;
      job.run();
    }
    for (KeptCollection collection : inHand.drops) {
      inHand.hasTouchedDisk = true;
      bury(place, collection);
    }
    for (KeptCollection collection : live) {
      if (collection.isDirty() && collection.isReadable()) {
        inHand.hasTouchedDisk = true;
        CollectionFlush flush = new CollectionFlush(place, collection);
        inHand.flushes.add(flush);
        flush.run();
      }
    }
  }

  /** A deleted collection goes to the trash with all that was acknowledged in its files. */
  private void bury(CollectionFlush.Place place, KeptCollection collection) throws IOException {
    if (collection.isBuried) {
      return; // A checkpoint that failed did it; what bears the name now is another collection.
    }
    boolean isThere = disk.exists(collection.folder().path());
    if (isThere && collection.isDirty()) {
      CollectionFlush last = new CollectionFlush(place, collection);
      try {
        last.run();
      } finally {
        last.undo(); // Its packs are not wanted; its files are.
      }
      // Once the folder is in the trash nobody writes them again, whatever became of them.
      disk.syncAll(folder.root());
    }
    folder.trash(collection.folder().name());
    retirePacks(collection.packs);
    collection.packs.clear();
    collection.isBuried = true;
  }

  private void giveBack(InHand inHand) {
    inHand.flushes.forEach(CollectionFlush::undo);
    synchronized (jobs) {
      inHand.jobs.reversed().forEach(jobs::addFirst);
    }
  }

  /** Their jobs were given before the first checkpoint, so they are done. */
  private void retireVanished() {
    synchronized (dropped) {
      for (KeptCollection gone : vanishing) {
        retirePacks(gone.packs);
        manifestDirty = true;
      }
      vanishing.clear();
    }
  }

  private void retireDeadPacks() {
    for (KeptCollection collection : collections.values()) {
      if (merging.contains(collection)) {
        continue;
      }
      boolean isOldest = true;
      for (LivePack pack : List.copyOf(collection.packs)) {
        boolean isDamaged = collection.damagedPacks.contains(pack.number);
        boolean deletes =
            pack.tombstones > 0 && !isOldest && !collection.lostDeletions.contains(pack.number);
        if (pack.live <= 0 && !deletes) {
          collection.packs.remove(pack);
          collection.damagedPacks.remove(pack.number);
          collection.lostDeletions.remove(pack.number);
          retirePack(pack.number, isDamaged);
        } else {
          isOldest = false;
        }
      }
    }
  }

  private void removeRetired() throws IOException {
    for (Retired file : List.copyOf(retired)) {
      if (disk.exists(file.file())) {
        if (file.isDamaged()) {
          folder.trash().move(file.file());
        } else {
          disk.remove(file.file());
        }
      }
      retired.remove(file);
    }
  }

  /**
   * Removes entries of the trash for good.
   *
   * @param olderThan entries of at least this age go
   * @return how many went
   */
  int purgeTrash(Duration olderThan) throws IOException {
    int purged = 0;
    for (String entry : folder.trash().expired(olderThan)) {
      purged += purgeTrash(entry) ? 1 : 0;
    }
    return purged;
  }

  /** One is complete when the checkpoint that fills it has come to its end. */
  private synchronized boolean purgeTrash(String entry) throws IOException {
    return folder.trash().remove(entry);
  }

  /** Chooses one run of packs of each collection at most, none of which goes before the end. */
  synchronized List<PackMerge> beginMerges(long deadBefore) throws IOException {
    gate.requireWritable();
    List<PackMerge> merges = new ArrayList<>();
    long now = clock.millis();
    for (KeptCollection collection : collections.values()) {
      PackMerge merge =
          PackMerge.choose(disk, packs, collection, () -> nextPack++, now, deadBefore, catalog());
      if (merge != null) {
        merges.add(merge);
        merging.add(collection);
      }
    }
    return merges;
  }

  synchronized void endMerges() {
    merging.clear();
  }

  /**
   * Asked beside checkpoints.
   *
   * @throws IOException where the root is not ours any more, and nothing in it may be touched
   */
  void requireWritable() throws IOException {
    gate.requireWritable();
  }

  synchronized boolean isWanted(PackMerge merge) {
    return merge.isWanted();
  }

  /**
   * Puts merged packs in the place of their sources.
   *
   * @return those that nobody wants; the others are durable with the next manifest
   */
  synchronized List<PackMerge> apply(List<PackMerge> merges) throws IOException {
    gate.requireWritable();
    List<PackMerge> wanted = merges.stream().filter(PackMerge::isWanted).toList();
    changeCatalog(() ->
        wanted.forEach(merge ->
            merge.apply().forEach(source -> retirePack(source.number, merge.isDamaged(source)))));
    manifestDirty |= !wanted.isEmpty();
    return merges.stream().filter(merge -> !wanted.contains(merge)).toList();
  }

  /** Names the packs as they are now, and removes those that are not named any more. */
  synchronized void settlePacks() throws IOException {
    if (manifestDirty) {
      writeManifest(false);
      removeRetired();
    }
  }
}
