package dev.contextd.engine;

import dev.contextd.engine.QueryResult.Coverage;
import dev.contextd.engine.QueryResult.Hit;
import dev.contextd.engine.search.ExactSearch;
import dev.contextd.engine.search.Row;
import dev.contextd.engine.search.RowTable;
import dev.contextd.engine.search.Snapshot;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.checkpoint.KeptCollection;
import dev.contextd.storage.checkpoint.LoadedCollection;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.journal.Journal;
import dev.contextd.storage.journal.JournalRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One collection: its documents in memory, its writes on their way to the disk.
 *
 * <p>Invariants: what a reader sees is in the journal, synced; what failed is in neither. A write
 * is validated against everything staged before it, staged, numbered and queued under {@link
 * #lock}, synced outside it, and published in order. Whoever holds the lock waits for no disk.
 * Readers take a {@link Snapshot} and no lock. Once {@link #deleted} is set no call succeeds.
 */
final class EmbeddedCollection {
  private final EmbeddedStore store;
  private final KeptCollection kept;
  private final RowTable table = new RowTable();
  private final UnservedFiles unserved = new UnservedFiles();
  private final ReentrantLock lock = new ReentrantLock();
  private final CollectionModel model;
  private volatile boolean deleted;
  private boolean isEnding;

  /** The last write that was queued; guarded by {@link #lock}. */
  private Journal.@Nullable Ticket last;

  /** A collection that was just created. */
  EmbeddedCollection(EmbeddedStore store, KeptCollection kept) {
    this.store = store;
    this.kept = kept;
    this.model = new CollectionModel(store, kept);
    kept.source(this::current);
  }

  EmbeddedCollection(EmbeddedStore store, LoadedCollection loaded) {
    this(store, loaded.kept());
    unserved.add(loaded.damage());
    table.load(
        loaded.dimension(),
        loaded.units(),
        loaded.documents().stream()
            .map(document ->
                new RowTable.Put(
                    document.id(),
                    document.content(),
                    document.metadataOrEmpty(),
                    document.embedding()))
            .toList());
  }

  /** The present version of a document, for its copies on disk. */
  private @Nullable StoredDocument current(String id) {
    Row row = table.snapshot().get(id);
    return row == null ? null : stored(row);
  }

  private static StoredDocument stored(Row row) {
    return new StoredDocument(
        row.id(), row.metadata().isEmpty() ? null : row.metadata(), row.embedding(), row.content());
  }

  void noteModel(Optional<ModelRecord> record) {
    model.found(record);
  }

  String name() {
    return kept.stored().name();
  }

  Map<String, String> metadata() {
    return kept.stored().metadataOrEmpty();
  }

  KeptCollection kept() {
    return kept;
  }

  String folderName() {
    return kept.folder().name();
  }

  StoredCollection stored() {
    return kept.stored();
  }

  Snapshot snapshot() {
    return table.snapshot();
  }

  List<Damage> damage() {
    return unserved.all();
  }

  void forget(Damage damage) {
    unserved.remove(damage);
  }

  CollectionInfo info(Scope scope) {
    return infoUnlessDeleted(scope).orElseThrow(() -> EmbeddedStore.notFound(name()));
  }

  /** For a list of collections, in which one that is deleted meanwhile is left out. */
  Optional<CollectionInfo> infoUnlessDeleted(Scope scope) {
    return deleted ? Optional.empty() : Optional.of(info(table.snapshot(), scope));
  }

  private CollectionInfo info(Snapshot snapshot, Scope scope) {
    return new CollectionInfo(
        name(),
        folderName(),
        metadata(),
        count(snapshot, scope),
        snapshot.dimension() == 0 ? OptionalInt.empty() : OptionalInt.of(snapshot.dimension()),
        model.info(snapshot),
        unserved.documents());
  }

  long count(Scope scope) {
    return count(read(), scope);
  }

  Written upsert(List<NewDocument> documents, Scope scope) {
    return upsert(Batch.prepare(documents, scope, store), scope);
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
      throw EmbeddedStore.failed("writing to the collection \"" + name() + "\"", e);
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
      store.keeper().await(before);
    } catch (IOException e) {
      // Its own caller is told.
    } finally {
      lock.lock();
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
                .formatted(folderName(), file.get(), id));
      }
    }
  }

  /** An id is shared by all tenants; one that cannot be seen cannot be written either. */
  private void refuseForeignIds(Batch batch, Snapshot before, Scope scope) {
    if (scope.isAll()) {
      return;
    }
    for (String id : batch.ids()) {
      Row row = before.get(id);
      boolean foreign = row != null && !scope.contains(row.metadata());
      if (foreign || (row == null && unserved.holds(id))) {
        throw new StoreException(
            ErrorCode.DOCUMENT_CONFLICT, "the id \"" + id + "\" is taken; choose another");
      }
    }
  }

  List<Document> get(List<String> ids, Scope scope) {
    Checks.ids(ids);
    Snapshot snapshot = read();
    List<Document> found = new ArrayList<>();
    for (String id : new LinkedHashSet<>(ids)) {
      Row row = snapshot.get(id);
      if (row != null && scope.contains(row.metadata())) {
        found.add(document(row));
      }
    }
    return found;
  }

  Page page(Optional<String> after, int limit, Scope scope) {
    if (limit < 1 || limit > Limits.MAX_PAGE_DOCUMENTS) {
      throw Checks.invalid("limit must be 1 to " + Limits.MAX_PAGE_DOCUMENTS + ", found " + limit);
    }
    List<Document> documents = new ArrayList<>();
    Iterator<Row> rows = read().after(after.orElse(null));
    while (rows.hasNext()) {
      Row row = rows.next();
      if (scope.contains(row.metadata())) {
        if (documents.size() == limit) {
          return new Page(documents, Optional.of(documents.getLast().id()));
        }
        documents.add(document(row));
      }
    }
    return new Page(documents, Optional.empty());
  }

  int delete(List<String> ids, Scope scope) {
    Checks.ids(ids);
    return remove(snapshot -> {
      List<Row> rows = new ArrayList<>();
      for (String id : new LinkedHashSet<>(ids)) {
        Row row = snapshot.get(id);
        if (row != null && scope.contains(row.metadata())) {
          rows.add(row);
        }
      }
      return rows;
    });
  }

  int deleteWhere(Filter where, Scope scope) {
    Checks.filter(where);
    scope.refuseReserved(where.fields(), "where");
    Filter confined = new Filter.And(List.of(scope.filter(), where));
    return remove(snapshot -> snapshot.matching(confined));
  }

  /** Chooses the rows to remove, under the lock. */
  private interface Selection {
    List<Row> of(Snapshot snapshot);
  }

  private int remove(Selection selection) {
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
      throw EmbeddedStore.failed("deleting from the collection \"" + name() + "\"", e);
    }
  }

  private Journal.Ticket stageRemoval(List<Row> rows, Write write) {
    List<String> ids = rows.stream().map(Row::id).toList();
    Map<String, Row> byId = HashMap.newHashMap(rows.size());
    rows.forEach(row -> byId.put(row.id(), row));
    KeptCollection.DocumentSource last =
        id -> {
          Row row = byId.get(id);
          return row == null ? null : stored(row);
        };
    List<String> otherFiles = unserved.filesOf(ids);
    write.staged = table.stageRemoval(ids);
    write.before = () -> kept.removed(ids, last, otherFiles);
    write.afterwards = () -> unserved.superseded(ids);
    return Journal.prepare(new JournalRecord.Removed(kept.incarnation(), ids), write);
  }

  QueryResult query(Query query, Scope scope) {
    query.where().ifPresent(Checks::filter);
    query.whereDocument().ifPresent(Checks::filter);
    query.where().ifPresent(where -> scope.refuseReserved(where.fields(), "where"));
    Snapshot snapshot = read();
    EmbeddedText target = target(query, snapshot);
    Checks.dimension(snapshot.dimension(), target.vector().length, "the query's vector");
    Optional<Filter> where = query.where();
    if (!scope.isAll()) {
      where =
          Optional.of(
              where
                  .<Filter>map(f -> new Filter.And(List.of(scope.filter(), f)))
                  .orElseGet(scope::filter));
    }
    List<Hit> hits =
        store
            .search()
            .search(
                snapshot,
                target.vector(),
                query.limit(),
                new ExactSearch.Restriction(where, query.whereDocument()))
            .stream()
            .map(ranked -> new Hit(document(ranked.row()), ranked.score()))
            .toList();
    return new QueryResult(
        hits, new Coverage(count(snapshot, scope), unavailable(scope)), target.truncated());
  }

  private EmbeddedText target(Query query, Snapshot snapshot) {
    return switch (query.target()) {
      case Query.Target.Vector vector -> {
        Checks.vector(vector.values(), "the query's vector");
        yield new EmbeddedText(vector.values(), false);
      }
      case Query.Target.Text text -> {
        if (text.text().isBlank()) {
          throw Checks.invalid("the query's text is blank");
        }
        Embedder embedder = store.embedder();
        model.require(embedder.model(), snapshot);
        yield embedder.embed(List.of(text.text())).getFirst();
      }
    };
  }

  /** Whose the unserved documents are is not known, so within a scope only none is a number. */
  private OptionalLong unavailable(Scope scope) {
    OptionalLong elder = store.quarantinedOf(this);
    if (elder.isEmpty()) {
      return elder;
    }
    long unavailable = elder.getAsLong() + unserved.documents();
    return scope.isAll() || unavailable == 0 ? OptionalLong.of(unavailable) : OptionalLong.empty();
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
      if (before != null) {
        settled(before);
      }
      List<StoredDocument> all = new ArrayList<>();
      table.snapshot().after(null).forEachRemaining(row -> all.add(stored(row)));
      store.keeper().keepAll(kept, all);
    } catch (IOException e) {
      throw EmbeddedStore.failed("keeping the collection \"" + name() + "\"", e);
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

  private void settled(Journal.Ticket before) {
    try {
      store.keeper().await(before);
    } catch (IOException e) {
      // Its own caller is told.
    }
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

  /**
   * Serves other versions of documents, whose files are right as they stand.
   *
   * @param files by id
   */
  void adopt(List<StoredDocument> documents, Map<String, FileState> files) throws IOException {
    store.keeper().awaitRoom();
    Write write = new Write();
    Journal.Ticket ticket;
    lock.lock();
    try {
      requireAlive();
      store.requireWritable();
      List<StoredDocument> wanted = documents.stream().filter(one -> isSettled(one.id())).toList();
      if (wanted.isEmpty()) {
        return;
      }
      Snapshot before = table.head();
      List<StoredDocument> ours = new ArrayList<>();
      List<RowTable.Put> rows = new ArrayList<>();
      Map<String, FileState> states = new HashMap<>();
      for (StoredDocument one : wanted) {
        Row row = before.get(one.id());
        if (row != null) {
          ours.add(stored(row));
        }
        rows.add(new RowTable.Put(one.id(), one.content(), one.metadataOrEmpty(), one.embedding()));
        states.put(one.id(), Objects.requireNonNull(files.get(one.id())));
      }
      int dimension = wanted.getFirst().embedding().length;
      Checks.dimension(before.dimension(), dimension, "another program's vector");
      ticket =
          Journal.prepare(
              new JournalRecord.Put(kept.incarnation(), Optional.empty(), wanted), write);
      store.keeper().keepVersions(kept, ours);
      write.staged = table.stage(dimension, rows);
      write.afterwards = () -> kept.readopt(states);
      enqueue(ticket, write);
    } finally {
      lock.unlock();
    }
    store.keeper().await(ticket);
  }

  /** Takes back documents whose files another program removed on purpose. */
  void forgetDocuments(List<String> ids) throws IOException {
    store.keeper().awaitRoom();
    Write write = new Write();
    Journal.Ticket ticket;
    lock.lock();
    try {
      requireAlive();
      store.requireWritable();
      Snapshot before = table.head();
      List<StoredDocument> ours = new ArrayList<>();
      for (String id : ids) {
        Row row = before.get(id);
        if (row != null && isSettled(id)) {
          ours.add(stored(row));
        }
      }
      if (ours.isEmpty()) {
        return;
      }
      List<String> gone = ours.stream().map(StoredDocument::id).toList();
      ticket = Journal.prepare(new JournalRecord.Removed(kept.incarnation(), gone), write);
      store.keeper().keepVersions(kept, ours);
      write.staged = table.stageRemoval(gone);
      write.before = () -> kept.forgotten(gone);
      enqueue(ticket, write);
    } finally {
      lock.unlock();
    }
    store.keeper().await(ticket);
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
                deleted = true;
                gone.run();
              });
    } catch (IOException e) {
      throw EmbeddedStore.failed("deleting the collection \"" + name() + "\"", e);
    } finally {
      lock.lock();
      try {
        isEnding = deleted;
      } finally {
        lock.unlock();
      }
    }
  }

  /** Writes again what the damage has cost, from what is served. */
  void mend(Damage damage) {
    switch (damage) {
      case Damage.DocumentMissing found -> kept.rewrite(found.id());
      case Damage.DocumentSpoiled found -> kept.rewrite(found.id());
      case Damage.MetadataSpoiled _ -> kept.rewriteMetadata();
      default -> throw new IllegalArgumentException("nothing to write again for " + damage);
    }
    unserved.remove(damage);
  }

  private Snapshot read() {
    requireAlive();
    return table.snapshot();
  }

  private void requireAlive() {
    if (deleted || (isEnding && lock.isHeldByCurrentThread())) {
      throw EmbeddedStore.notFound(name());
    }
  }

  private static long count(Snapshot snapshot, Scope scope) {
    return scope.isAll() ? snapshot.count() : snapshot.count(scope.filter());
  }

  private static Document document(Row row) {
    return new Document(row.id(), row.content(), row.embedding(), row.metadata());
  }
}
