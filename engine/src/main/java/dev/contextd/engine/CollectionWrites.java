package dev.contextd.engine;

import dev.contextd.engine.search.Row;
import dev.contextd.engine.search.RowTable;
import dev.contextd.engine.search.Snapshot;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.checkpoint.KeptCollection;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.journal.Journal;
import dev.contextd.storage.journal.JournalRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The writes to one collection, on their way from memory to the journal.
 *
 * <p>Invariants: a write is validated against everything staged before it, staged, numbered and
 * queued under {@link #lock}, synced outside it, and published in order. Whoever holds the lock
 * waits for no disk. Once {@link #isDeleted} no write succeeds.
 */
final class CollectionWrites {
  private final EmbeddedStore store;
  private final KeptCollection kept;
  private final RowTable table;
  private final UnservedFiles unserved;
  private final CollectionModel model;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean isDeleted;

  /** Whether the collection is being deleted, which may fail; guarded by {@link #lock}. */
  private boolean isEnding;

  /** The last write that was queued; guarded by {@link #lock}. */
  private Journal.@Nullable Ticket last;

  CollectionWrites(
      EmbeddedStore store,
      KeptCollection kept,
      RowTable table,
      UnservedFiles unserved,
      CollectionModel model) {
    this.store = store;
    this.kept = kept;
    this.table = table;
    this.unserved = unserved;
    this.model = model;
  }

  boolean isDeleted() {
    return isDeleted;
  }

  private String name() {
    return kept.stored().name();
  }

  /** The lock is held. */
  private void requireAlive() {
    if (isDeleted || isEnding) {
      throw Checks.notFound(name());
    }
  }

  Written upsert(Batch batch, Scope scope) {
    try {
      store.keeper().awaitRoom();
      Write write = new Write();
      Journal.Ticket ticket =
          Journal.prepare(
              new JournalRecord.Put(
                  kept.incarnation(),
                  batch.model().map(used -> new ModelRecord(used, batch.dimension())),
                  batch.documents()),
              write);
      Journal.Ticket before = null;
      lock.lock();
      try {
        before = last;
        stage(batch, scope, write);
        enqueue(ticket, write);
      } catch (StoreException e) {
        settle(before); // What it was refused for must be visible to whoever asks next.
        throw e;
      } finally {
        lock.unlock();
      }
      store.keeper().await(ticket);
      return new Written(batch.ids(), batch.truncated());
    } catch (IOException e) {
      throw StoreException.ofDisk("writing to the collection \"" + name() + "\"", e);
    }
  }

  private void stage(Batch batch, Scope scope, Write write) throws IOException {
    requireAlive();
    store.requireWritable();
    kept.requireReadable();
    Snapshot before = table.head();
    int dimension = batch.requireDimension(before.dimension());
    Checks.newIds(batch.ids(), before);
    refuseForeignIds(batch, before, scope);
    refuseUnopenable(batch.ids(), before);
    batch.model().ifPresent(used -> model.require(used, before));
    if (batch.model().isPresent()) {
      model.record(new ModelRecord(batch.model().get(), dimension));
    }
    write.staged = table.stage(dimension, batch.rows());
    List<String> otherFiles = unserved.filesOf(batch.ids());
    write.afterwards =
        () -> {
          unserved.superseded(batch.ids());
          kept.put(batch.ids(), otherFiles);
        };
  }

  /** Waits for the writes before, whatever becomes of them; leaves the lock meanwhile. */
  private void settle(Journal.@Nullable Ticket before) {
    if (before == null || before.isDone()) {
      return;
    }
    lock.unlock();
    try {
      awaitQuietly(before);
    } finally {
      lock.lock();
    }
  }

  private void awaitQuietly(Journal.@Nullable Ticket before) {
    try {
      if (before != null) {
        store.keeper().await(before);
      }
    } catch (IOException e) {
      // Its own caller is told.
    }
  }

  private void enqueue(Journal.Ticket ticket, Write write) throws IOException {
    try {
      store.keeper().enqueue(ticket);
      last = ticket;
    } catch (IOException e) {
      table.unstage(Objects.requireNonNull(write.staged));
      throw e;
    }
  }

  /** What a staged write does when it is on disk, or never will be. */
  private final class Write implements Journal.Effect {
    private RowTable.@Nullable Staged staged;
    private Runnable before = () -> {};
    private Runnable afterwards = () -> {};

    @Override
    public void publish() {
      before.run();
      table.publish(Objects.requireNonNull(staged));
      afterwards.run();
    }

    @Override
    public void discard() {
      lock.lock();
      try {
        table.discard(Objects.requireNonNull(staged));
      } finally {
        lock.unlock();
      }
    }
  }

  /** A file that could not be opened may hold the very document, and would win over a new one. */
  private void refuseUnopenable(List<String> ids, Snapshot before) throws IOException {
    for (String id : ids) {
      Optional<String> file = before.get(id) == null ? unserved.mayHold(id) : Optional.empty();
      if (file.isPresent()) {
        throw new IOException(
            "%s/%s may hold the document \"%s\" and could not be opened; make it readable and restart"
                .formatted(kept.folder().name(), file.get(), id));
      }
    }
  }

  /** See {@link Checks#taken}. */
  private void refuseForeignIds(Batch batch, Snapshot before, Scope scope) {
    if (scope.isAll()) {
      return;
    }
    for (String id : batch.ids()) {
      Row row = before.get(id);
      boolean foreign = row != null && !scope.contains(row.metadata());
      if (foreign || (row == null && unserved.holds(id))) {
        throw Checks.taken(id);
      }
    }
  }

  /** Chooses the rows to remove, under the lock. */
  @FunctionalInterface
  interface Selection {
    List<Row> of(Snapshot snapshot);
  }

  int remove(Selection selection) {
    store.requireWritable();
    try {
      store.keeper().awaitRoom();
      Write write = new Write();
      Journal.Ticket ticket;
      int count;
      lock.lock();
      try {
        requireAlive();
        store.requireWritable();
        kept.requireReadable();
        List<Row> rows = selection.of(table.head());
        count = rows.size();
        ticket = last;
        if (count > 0) {
          ticket = stageRemoval(rows, write);
          enqueue(ticket, write);
        }
      } finally {
        lock.unlock();
      }
      if (ticket != null) {
        // Where there is nothing to delete, somebody else may be deleting it just now.
        store.keeper().await(ticket);
      }
      return count;
    } catch (IOException e) {
      throw StoreException.ofDisk("deleting from the collection \"" + name() + "\"", e);
    }
  }

  private Journal.Ticket stageRemoval(List<Row> rows, Write write) {
    List<String> ids = rows.stream().map(Row::id).toList();
    Map<String, Row> byId = HashMap.newHashMap(rows.size());
    rows.forEach(row -> byId.put(row.id(), row));
    KeptCollection.DocumentSource last =
        id -> {
          Row row = byId.get(id);
          return row == null ? null : row.stored();
        };
    List<String> otherFiles = unserved.filesOf(ids);
    write.staged = table.stageRemoval(ids);
    write.before = () -> kept.removed(ids, last, otherFiles);
    write.afterwards = () -> unserved.superseded(ids);
    return Journal.prepare(new JournalRecord.Removed(kept.incarnation(), ids), write);
  }

  /** Another program deleted the folder: all that is served goes to the trash. */
  void vanish(Runnable gone) {
    Journal.Ticket before;
    lock.lock();
    try {
      requireAlive();
      isEnding = true;
      before = last;
    } finally {
      lock.unlock();
    }
    try {
      awaitQuietly(before);
      List<StoredDocument> all = new ArrayList<>();
      table.snapshot().after(null).forEachRemaining(row -> all.add(row.stored()));
      store.keeper().keepAll(kept, all);
    } catch (IOException e) {
      throw StoreException.ofDisk("keeping the collection \"" + name() + "\"", e);
    } finally {
      lock.lock();
      try {
        isEnding = false;
      } finally {
        lock.unlock();
      }
    }
    end(false, gone);
  }

  /** Replaces what is known of damage in the folder, unless it is changing just now. */
  void noteDamage(List<Damage> found) {
    lock.lock();
    try {
      unserved.replace(found);
    } finally {
      lock.unlock();
    }
  }

  /** Prepares and stages a write, under the lock; null where there is nothing to write. */
  @FunctionalInterface
  private interface Staging {
    Journal.@Nullable Ticket of(Write write) throws IOException;
  }

  /** Writes what another program did, where there is anything. */
  private void write(Staging staging) throws IOException {
    store.keeper().awaitRoom();
    Write write = new Write();
    Journal.Ticket ticket;
    lock.lock();
    try {
      requireAlive();
      store.requireWritable();
      ticket = staging.of(write);
      if (ticket == null) {
        return;
      }
      enqueue(ticket, write);
    } finally {
      lock.unlock();
    }
    store.keeper().await(ticket);
  }

  /**
   * Serves other versions of documents, whose files are right as they stand.
   *
   * @param files by id
   */
  void adopt(List<StoredDocument> documents, Map<String, FileState> files) throws IOException {
    write(write -> {
      List<StoredDocument> wanted = documents.stream().filter(one -> isSettled(one.id())).toList();
      if (wanted.isEmpty()) {
        return null;
      }
      Snapshot before = table.head();
      List<StoredDocument> ours = new ArrayList<>();
      List<RowTable.Put> rows = new ArrayList<>();
      Map<String, FileState> states = new HashMap<>();
      for (StoredDocument one : wanted) {
        Row row = before.get(one.id());
        if (row != null) {
          ours.add(row.stored());
        }
        rows.add(new RowTable.Put(one.id(), one.content(), one.metadataOrEmpty(), one.embedding()));
        states.put(one.id(), Objects.requireNonNull(files.get(one.id())));
      }
      int dimension = wanted.getFirst().embedding().length;
      Checks.dimension(before.dimension(), dimension, "another program's vector");
      JournalRecord record = new JournalRecord.Put(kept.incarnation(), Optional.empty(), wanted);
      Journal.Ticket ticket = Journal.prepare(record, write);
      store.keeper().keepVersions(kept, ours);
      write.staged = table.stage(dimension, rows);
      write.afterwards = () -> kept.readopt(states);
      return ticket;
    });
  }

  /** Takes back documents whose files another program removed on purpose. */
  void forget(List<String> ids) throws IOException {
    write(write -> {
      Snapshot before = table.head();
      List<StoredDocument> ours = new ArrayList<>();
      for (String id : ids) {
        Row row = before.get(id);
        if (row != null && isSettled(id)) {
          ours.add(row.stored());
        }
      }
      if (ours.isEmpty()) {
        return null;
      }
      List<String> gone = ours.stream().map(StoredDocument::id).toList();
      Journal.Ticket ticket =
          Journal.prepare(new JournalRecord.Removed(kept.incarnation(), gone), write);
      store.keeper().keepVersions(kept, ours);
      write.staged = table.stageRemoval(gone);
      write.before = () -> kept.forgotten(gone);
      return ticket;
    });
  }

  /** Whether nobody here is writing the document; what is written here wins. */
  private boolean isSettled(String id) {
    Row staged = table.head().get(id);
    Row served = table.snapshot().get(id);
    return Objects.equals(staged, served) && !kept.isInFlux(id);
  }

  /**
   * Deletes the collection.
   *
   * @param onlyIfEmpty refuse where there is a document
   * @param gone runs when everybody may know
   */
  void end(boolean onlyIfEmpty, Runnable gone) {
    lock.lock();
    try {
      requireAlive();
      if (onlyIfEmpty && table.head().count() > 0) {
        throw Checks.invalid("others wrote to the collection meanwhile");
      }
      isEnding = true;
    } finally {
      lock.unlock();
    }
    try {
      kept.requireReadable();
      store
          .keeper()
          .drop(
              kept,
              () -> {
                isDeleted = true;
                gone.run();
              });
    } catch (IOException e) {
      throw StoreException.ofDisk("deleting the collection \"" + name() + "\"", e);
    } finally {
      lock.lock();
      try {
        isEnding = isDeleted;
      } finally {
        lock.unlock();
      }
    }
  }
}
