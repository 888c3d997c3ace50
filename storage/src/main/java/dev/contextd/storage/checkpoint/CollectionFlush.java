package dev.contextd.storage.checkpoint;

import dev.contextd.storage.checkpoint.KeptCollection.Change;
import dev.contextd.storage.checkpoint.KeptCollection.Copy;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.Trash;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.pack.PackFormat;
import dev.contextd.storage.pack.PackWriter;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What one collection's changes do to the disk in one checkpoint: gob files are written or go to
 * the trash, and one pack holds what was put and what was deleted.
 *
 * <p>Nothing is durable and nothing in {@link KeptCollection} has changed until {@link #apply},
 * which comes after the disk's sync of all; where it does not come, {@link #undo} gives the work
 * back.
 */
final class CollectionFlush {
  /** So many documents are written before their vectors go to the pack: some fit into a cache. */
  private static final int CHUNK_DOCUMENTS = 1_024;

  /** After so many the disk begins with them. */
  static final int WRITE_BACK_DOCUMENTS = 8 * CHUNK_DOCUMENTS;

  private final Disk disk;
  private final Path root;
  private final Path packs;
  private final LongSupplier packNumbers;
  private final Workers workers;
  private final KeptCollection collection;
  private final GobFiles files;
  private final KeptCollection.Work work;
  private final Map<Integer, Build> builds = new HashMap<>();
  private final List<String> deleted = new ArrayList<>();

  /** Files that no copy tells of yet, by their documents' ids. */
  private final List<Map.Entry<String, FileState>> written = new ArrayList<>();

  private final List<Manifest.Pack> finished = new ArrayList<>();
  private Optional<FileState> metadata = Optional.empty();

  /** A pack that is being written: the bodies wait until all vectors are in it. */
  private static final class Build {
    final long number;
    final PackWriter writer;
    final List<Body> bodies = new ArrayList<>();

    Build(long number, PackWriter writer) {
      this.number = number;
      this.writer = writer;
    }
  }

  private record Body(
      String id,
      String content,
      @Nullable Map<String, String> metadata,
      FileState file,
      boolean isUnit) {}

  /** Where things are: what every flush of a checkpoint shares. */
  record Place(
      Disk disk, Path root, Trash trash, Path packs, LongSupplier packNumbers, Workers workers) {}

  CollectionFlush(Place place, KeptCollection collection) {
    this.disk = place.disk();
    this.root = place.root();
    this.packs = place.packs();
    this.packNumbers = place.packNumbers();
    this.workers = place.workers();
    this.collection = collection;
    this.files = new GobFiles(place.disk(), place.trash(), collection);
    this.work = collection.take();
  }

  /** Writes everything; what was written is not durable yet. */
  void run() throws IOException {
    files.vacate(work.vacated());
    List<Map.Entry<String, Change.Put>> puts = new ArrayList<>();
    for (var change : work.changes().entrySet()) {
      switch (change.getValue()) {
        case Change.Removed removed -> remove(change.getKey(), removed);
        case Change.Forgotten _ -> {
          if (collection.copies().containsKey(change.getKey())) {
            deleted.add(change.getKey());
          }
        }
        case Change.Put put -> {
          Change.Removed before = put.before();
          if (before != null) {
            files.remove(change.getKey(), before);
          }
          puts.add(Map.entry(change.getKey(), put));
        }
      }
    }
    files.expectNew((int) puts.stream().filter(this::isNew).count());
    for (int from = 0; from < puts.size(); from += CHUNK_DOCUMENTS) {
      put(puts.subList(from, Math.min(puts.size(), from + CHUNK_DOCUMENTS)));
      if (from > 0 && from % WRITE_BACK_DOCUMENTS == 0) {
        disk.writeBackSoon(root); // The disk would else be idle now, and the processor afterwards.
      }
    }
    if (work.metadata()) {
      metadata =
          Optional.of(
              files.writeMetadata()); // Last: with metadata of its own a folder without them would
      // look new.
    }
    finishPacks();
  }

  private boolean isNew(Map.Entry<String, Change.Put> put) {
    return put.getValue().present() == null && !collection.copies().containsKey(put.getKey());
  }

  private void remove(String id, Change.Removed removed) throws IOException {
    files.remove(id, removed);
    if (collection.copies().containsKey(id)) {
      deleted.add(id);
    }
  }

  private void put(List<Map.Entry<String, Change.Put>> puts) throws IOException {
    String[] hashes = puts.stream().map(put -> Names.hash(put.getKey())).toArray(String[]::new);
    @Nullable StoredDocument[] documents = new StoredDocument[puts.size()];
    @Nullable FileState[] states = new FileState[puts.size()];
    AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
    BitSet done = new BitSet(); // One lambda for both ways: all behind it is compiled once.
    // One that throws would leave the others writing behind the back of the next attempt.
    IntConsumer write =
        i -> {
          boolean isToBeWritten = failure.get() == null && !done.get(i);
          StoredDocument document = isToBeWritten ? collection.current(puts.get(i).getKey()) : null;
          if (document != null) {
            try {
              FileState present = puts.get(i).getValue().present();
              states[i] = present == null ? files.write(document, hashes[i]) : present;
              documents[i] = document;
            } catch (IOException e) {
              failure.compareAndSet(null, e);
            } catch (RuntimeException | Error e) {
              failure.compareAndSet(null, new IOException(e.toString(), e));
            }
          }
        };
    // Of two that share a hash the first one gets the plain name, whichever thread is quicker.
    BitSet sharing = shared(hashes);
    sharing.stream().forEach(i -> files.reserve(puts.get(i).getKey()));
    try {
      sharing.stream().forEach(write);
      done.or(sharing);
      workers.forEach(puts.size(), write);
    } finally {
      for (int i = 0; i < states.length; i++) {
        noteWritten(puts.get(i), states[i]);
      }
    }
    IOException failed = failure.get();
    if (failed != null) {
      throw new IOException(failed.getMessage(), failed);
    }
    for (int i = 0; i < documents.length; i++) {
      StoredDocument document = documents[i];
      FileState state = states[i];
      if (document != null && state != null) {
        keepElder(document.id());
        pack(document, state);
      } else {
        catchUp(puts.get(i).getKey());
      }
    }
  }

  /**
   * A document that was there when the changes were taken, and deleted before it was read. The cut
   * takes its version out of the journal, so that an older file of ours would be nobody's: the
   * deletion belongs to this checkpoint.
   */
  private void catchUp(String id) throws IOException {
    Change.Removed removed = collection.takeRemoval(id);
    StoredDocument again = removed == null ? collection.current(id) : null;
    if (removed != null) {
      remove(id, removed);
    } else if (again != null) {
      keepElder(id);
      FileState state = files.write(again, Names.hash(id));
      written.add(Map.entry(id, state));
      pack(again, state);
    } else if (collection.isDirty(id)) {
      throw new IOException("the document " + id + " changes faster than it can be written");
    }
  }

  private void keepElder(String id) throws IOException {
    Change.Removed elder = collection.takeElder(id);
    if (elder != null) {
      files.keep(id, elder);
    }
  }

  private void noteWritten(Map.Entry<String, Change.Put> put, @Nullable FileState state) {
    if (state != null && put.getValue().present() == null) {
      written.add(Map.entry(put.getKey(), state));
    }
  }

  /** The places of those hashes that stand in others as well. */
  private static BitSet shared(String[] hashes) {
    Map<String, Integer> first = HashMap.newHashMap(hashes.length);
    BitSet shared = new BitSet();
    for (int i = 0; i < hashes.length; i++) {
      Integer before = first.putIfAbsent(hashes[i], i);
      if (before != null) {
        shared.set(before);
        shared.set(i);
      }
    }
    return shared;
  }

  private void pack(StoredDocument document, FileState state) throws IOException {
    int dimension = document.embedding().length;
    Build build = builds.get(dimension);
    if (build == null) {
      build = build(dimension);
    }
    build.writer.vector(document.embedding());
    build.bodies.add(
        new Body(
            document.id(),
            document.content(),
            document.metadata(),
            state,
            PackFormat.isUnit(document.embedding())));
  }

  private Build build(int dimension) throws IOException {
    disk.createRealDirectory(packs);
    long number = packNumbers.getAsLong();
    Build build =
        new Build(number, new PackWriter(disk, packs, number, collection.incarnation(), dimension));
    builds.put(dimension, build);
    return build;
  }

  private void finishPacks() throws IOException {
    if (builds.isEmpty() && !deleted.isEmpty()) {
      build(0);
    }
    boolean isFirst = true;
    for (Build build : builds.values()) {
      for (Body body : build.bodies) {
        build.writer.body(body.id(), body.content(), body.metadata(), body.file(), body.isUnit());
      }
      List<String> tombstones = isFirst ? deleted : List.of();
      isFirst = false;
      long bytes = build.writer.finish(tombstones);
      build.writer.close();
      finished.add(
          new Manifest.Pack(build.number, build.bodies.size(), tombstones.size(), bytes, 0));
    }
  }

  /** What went to the trash because it was deleted; empty where nothing was. */
  Optional<AuditLog.Entry> deletion() {
    return files.deletion();
  }

  /** Everything is durable: the copies are where they were written. */
  void apply(long nowMillis) {
    metadata.ifPresent(state -> collection.metadataFile = state);
    Map<Long, KeptCollection.LivePack> byNumber = new HashMap<>();
    collection.packs.forEach(pack -> byNumber.put(pack.number, pack));
    for (String id : deleted) {
      bury(collection.copies().remove(id), byNumber, nowMillis);
    }
    int i = 0;
    for (Build build : builds.values()) {
      Manifest.Pack entry = finished.get(i++);
      KeptCollection.LivePack pack = new KeptCollection.LivePack(entry, entry.rows());
      collection.packs.add(pack);
      byNumber.put(pack.number, pack);
      int row = 0;
      for (Body body : build.bodies) {
        Copy copy = new Copy(body.file(), build.number, row++);
        bury(collection.copies().put(body.id(), copy), byNumber, nowMillis);
      }
    }
    work.changes().keySet().forEach(collection.attempted::remove);
    collection.settled();
  }

  private static void bury(
      @Nullable Copy copy, Map<Long, KeptCollection.LivePack> packs, long nowMillis) {
    KeptCollection.LivePack pack = copy == null ? null : packs.get(copy.pack());
    if (pack != null) {
      pack.live--;
      pack.deadSince = pack.deadSince == 0 ? nowMillis : pack.deadSince;
    }
  }

  /** The checkpoint failed: everything is to be done again. */
  void undo() {
    written.forEach(file -> collection.attempted.put(file.getKey(), file.getValue()));
    collection.putBack(work);
    for (Build build : builds.values()) {
      try {
        build.writer.close();
        Path file = packs.resolve(PackFormat.fileName(build.number));
        if (disk.exists(file)) {
          disk.remove(file);
        }
      } catch (IOException e) {
        // The next opening removes what no manifest names.
      }
    }
  }
}
