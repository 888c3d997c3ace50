package dev.contextd.resilience.remote;

import dev.contextd.engine.Document;
import dev.contextd.engine.RemoteStore;
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
  private final Findings findings;

  /** Collections of which all that comes before, in time, belongs to another one of their name. */
  private final Set<String> begun = new HashSet<>();

  private final Map<String, Set<String>> seen = new HashMap<>();
  private final Map<String, Batch> batches = new HashMap<>();

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
      Findings findings) {
    this.log = log;
    this.conflicts = conflicts;
    this.remote = remote;
    this.guard = guard;
    this.shipping = shipping;
    this.findings = findings;
  }

  Comparison run() throws IOException {
    log.status().gap().ifPresent(findings.examples::add);
    log.visit(this::visit).forEach(findings.examples::add);
    batches.forEach(this::compare);
    return findings.toComparison(Optional.of(log.since()));
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
    Counterpart there = counterpart(collection);
    if (!there.isThere() || !shipping.isOurs(collection)) {
      return;
    }
    long count = there.count();
    findings.extra += count;
    findings.examples.add("the collection \"%s\" is there again".formatted(collection));
    if (findings.isRepairing()) {
      there.each(page -> conflicts.keep(stored(collection), GaveWay.REMOTE_DELETED, page));
      shipping.drop(collection);
      findings.removed += count;
    }
  }

  private Counterpart counterpart(String collection) {
    return new Counterpart(remote, guard, collection);
  }

  private void compare(String collection, Batch batch) {
    Counterpart there = counterpart(collection);
    if (!there.isThere()) {
      findings.examples.add("the collection \"%s\" is missing there".formatted(collection));
      findings.missing += batch.documents().isEmpty() ? 1 : 0;
      if (findings.isRepairing()) {
        findings.ship(new Shipment.Created(collection, 0, metadata(collection)));
        findings.shipped += batch.documents().isEmpty() ? 1 : 0;
      }
    }
    findings.compared += batch.documents().size();
    List<Document> here = batch.documents().stream().map(KeptComparing::document).toList();
    findings.hold(stored(collection), here, there.get(here.stream().map(Document::id).toList()));
    findings.extra(
        stored(collection),
        there.get(batch.gone()).values(),
        "is there again",
        findings.isRepairing());
  }

  private Map<String, String> metadata(String collection) {
    return log.known(collection).map(KnownCollection::metadata).orElse(Map.of());
  }

  private StoredCollection stored(String collection) {
    return new StoredCollection(collection, metadata(collection));
  }

  private static Document document(StoredDocument stored) {
    return new Document(
        stored.id(), stored.content(), stored.embedding(), stored.metadataOrEmpty());
  }
}
