package dev.contextd.resilience.remote;

import dev.contextd.engine.Document;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorCollection;
import dev.contextd.resilience.remote.Comparing.Repair;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.GaveWay;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.outbox.KnownCollection;
import dev.contextd.storage.outbox.Outbox.Shipment;
import dev.contextd.storage.outbox.PendingLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Holds what was shipped to a remote store that holds the documents alone, as far back as it is
 * kept, against what is there: of each document its last word.
 */
final class KeptComparing {
  private static final int BATCH_DOCUMENTS = 500;

  private final PendingLog log;
  private final Conflicts conflicts;
  private final RemoteStore remote;
  private final GuardedRemote guard;
  private final Shipping shipping;
  private final Repair repair;

  /** Collections of which all that comes before, in time, belongs to another one of their name. */
  private final Set<String> begun = new HashSet<>();

  private final Map<String, Set<String>> seen = new HashMap<>();
  private final Map<String, Batch> batches = new HashMap<>();
  private final Examples examples = new Examples();
  private long compared;
  private long missing;
  private long different;
  private long extra;
  private long shipped;
  private long removed;

  /** What is to be there, and what is not, of one collection. */
  private record Batch(List<StoredDocument> documents, List<String> gone) {
    Batch() {
      this(new ArrayList<>(), new ArrayList<>());
    }

    int size() {
      return documents.size() + gone.size();
    }
  }

  KeptComparing(
      PendingLog log,
      Conflicts conflicts,
      RemoteStore remote,
      GuardedRemote guard,
      Shipping shipping,
      Repair repair) {
    this.log = log;
    this.conflicts = conflicts;
    this.remote = remote;
    this.guard = guard;
    this.shipping = shipping;
    this.repair = repair;
  }

  Comparison run() throws IOException {
    log.status().gap().ifPresent(examples::add);
    log.visit(this::visit).forEach(examples::add);
    batches.forEach(this::compare);
    return new Comparison(
        compared,
        missing,
        different,
        extra,
        0,
        shipped,
        removed,
        0,
        Optional.of(log.since()),
        examples.all());
  }

  /** The newest first, so that what is heard of a document first is its last word. */
  private void visit(String collection, JournalRecord record) {
    if (begun.contains(collection)) {
      return;
    }
    switch (record) {
      case JournalRecord.Put put ->
          put.documents()
              .forEach(document -> {
                if (isNew(collection, document.id())) {
                  batch(collection).documents().add(document);
                }
              });
      case JournalRecord.Removed gone ->
          gone.ids()
              .forEach(id -> {
                if (isNew(collection, id)) {
                  batch(collection).gone().add(id);
                }
              });
      case JournalRecord.Created _ -> {
        begun.add(collection);
        batch(collection);
      }
      case JournalRecord.Dropped _ -> {
        begun.add(collection);
        if (!batches.containsKey(collection)) {
          compareDropped(collection);
        }
      }
      case JournalRecord.Voided _, JournalRecord.Addressed _ -> {
        // Nothing was done to a collection.
      }
    }
    Batch filled = batches.get(collection);
    if (filled != null && filled.size() >= BATCH_DOCUMENTS) {
      batches.put(collection, new Batch());
      compare(collection, filled);
    }
  }

  private boolean isNew(String collection, String id) {
    return seen.computeIfAbsent(collection, _ -> new HashSet<>()).add(id);
  }

  private Batch batch(String collection) {
    return batches.computeIfAbsent(collection, _ -> new Batch());
  }

  private void compareDropped(String collection) {
    Optional<VectorCollection> there = there(collection);
    if (there.isEmpty() || !shipping.isOurs(collection)) {
      return;
    }
    long count = guard.call(there.get()::count);
    extra += count;
    examples.add("the collection \"%s\" is there again".formatted(collection));
    if (repair != Repair.NONE) {
      Pages.each(
          after -> guard.call(() -> Pages.ask(there.get(), after)),
          page -> conflicts.keep(stored(collection), GaveWay.REMOTE_DELETED, page));
      shipping.drop(collection);
      removed += count;
    }
  }

  private Optional<VectorCollection> there(String collection) {
    return guard.call(() -> remote.collection(collection, Scope.ALL));
  }

  private void compare(String collection, Batch batch) {
    Optional<VectorCollection> there = there(collection);
    if (there.isEmpty()) {
      examples.add("the collection \"%s\" is missing there".formatted(collection));
      missing += batch.documents().isEmpty() ? 1 : 0;
      if (repair != Repair.NONE) {
        shipping
            .ship(new Shipment.Created(collection, 0, metadata(collection)))
            .ifPresent(examples::add);
        shipped += batch.documents().isEmpty() ? 1 : 0;
      }
    }
    comparePresent(collection, batch.documents(), there);
    compareGone(collection, batch.gone(), there);
  }

  private Map<String, String> metadata(String collection) {
    return log.known(collection).map(KnownCollection::metadata).orElse(Map.of());
  }

  private StoredCollection stored(String collection) {
    return new StoredCollection(collection, metadata(collection));
  }

  private static Map<String, Document> get(
      GuardedRemote guard, Optional<VectorCollection> there, List<String> ids) {
    Map<String, Document> found = new HashMap<>();
    if (there.isPresent() && !ids.isEmpty()) {
      guard.call(() -> there.get().get(ids)).forEach(one -> found.put(one.id(), one));
    }
    return found;
  }

  private void comparePresent(
      String collection, List<StoredDocument> documents, Optional<VectorCollection> there) {
    compared += documents.size();
    Map<String, Document> found =
        get(guard, there, documents.stream().map(StoredDocument::id).toList());
    List<StoredDocument> wrong = new ArrayList<>();
    List<Document> foreign = new ArrayList<>();
    for (StoredDocument document : documents) {
      Document other = found.get(document.id());
      if (other == null) {
        missing++;
        examples.add("\"%s\" of \"%s\" is missing there".formatted(document.id(), collection));
        wrong.add(document);
      } else if (Sameness.differs(document(document), other)) {
        different++;
        examples.add("\"%s\" of \"%s\" is another one there".formatted(document.id(), collection));
        wrong.add(document);
        foreign.add(other);
      }
    }
    if (repair != Repair.NONE && !wrong.isEmpty()) {
      conflicts.keep(stored(collection), GaveWay.REMOTE_REPLACED, foreign);
      Optional<String> refused =
          shipping.ship(new Shipment.Changed(collection, 0, wrong, List.of(), Optional.empty()));
      refused.ifPresent(examples::add);
      shipped += refused.isEmpty() ? wrong.size() : 0;
    }
  }

  private static Document document(StoredDocument stored) {
    return new Document(
        stored.id(), stored.content(), stored.embedding(), stored.metadataOrEmpty());
  }

  private void compareGone(String collection, List<String> ids, Optional<VectorCollection> there) {
    Map<String, Document> found = get(guard, there, ids);
    extra += found.size();
    found
        .keySet()
        .forEach(id -> examples.add("\"%s\" of \"%s\" is there again".formatted(id, collection)));
    if (repair != Repair.NONE && !found.isEmpty()) {
      conflicts.keep(stored(collection), GaveWay.REMOTE_DELETED, List.copyOf(found.values()));
      shipping.remove(collection, List.copyOf(found.keySet()));
      removed += found.size();
    }
  }
}
