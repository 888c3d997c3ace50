package dev.contextd.resilience.remote;

import dev.contextd.engine.Document;
import dev.contextd.resilience.remote.Comparing.Repair;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.GaveWay;
import dev.contextd.storage.outbox.Outbox.Shipment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a comparison finds and, where that is asked for, puts right on the remote store. */
final class Findings {
  private final Shipping shipping;
  private final Conflicts conflicts;
  final Repair repair;
  final Examples examples = new Examples();
  long compared;
  long missing;
  long different;
  long extra;
  long otherMetadata;
  long shipped;
  long removed;
  long described;

  Findings(Shipping shipping, Conflicts conflicts, Repair repair) {
    this.shipping = shipping;
    this.conflicts = conflicts;
    this.repair = repair;
  }

  boolean isRepairing() {
    return repair != Repair.NONE;
  }

  /**
   * Notes which of the documents are missing there or others, and sends those.
   *
   * @param there what the remote store has of them, by id
   */
  void hold(StoredCollection collection, List<Document> documents, Map<String, Document> there) {
    List<StoredDocument> wrong = new ArrayList<>();
    List<Document> foreign = new ArrayList<>();
    for (Document document : documents) {
      Document other = there.get(document.id());
      if (other == null) {
        missing++;
        example(document, collection, "is missing there");
        wrong.add(Conflicts.stored(document));
      } else if (Sameness.differs(document, other)) {
        different++;
        example(document, collection, "is another one there");
        wrong.add(Conflicts.stored(document));
        foreign.add(other);
      }
    }
    if (isRepairing() && !wrong.isEmpty()) {
      conflicts.keep(collection, GaveWay.REMOTE_REPLACED, foreign);
      boolean isTaken =
          ship(new Shipment.Changed(collection.name(), 0, wrong, List.of(), Optional.empty()));
      shipped += isTaken ? wrong.size() : 0;
    }
  }

  /**
   * Notes documents that should not be there.
   *
   * @param what is said of each
   * @param deletes whether they are deleted there
   */
  void extra(
      StoredCollection collection, Collection<Document> found, String what, boolean deletes) {
    extra += found.size();
    found.forEach(one -> example(one, collection, what));
    if (deletes && !found.isEmpty()) {
      conflicts.keep(collection, GaveWay.REMOTE_DELETED, List.copyOf(found));
      shipping.remove(collection.name(), found.stream().map(Document::id).toList());
      removed += found.size();
    }
  }

  /** Sends something; one that the remote store refuses is told, and the next one goes on. */
  boolean ship(Shipment shipment) {
    Optional<String> refused = shipping.ship(shipment);
    refused.ifPresent(examples::add);
    return refused.isEmpty();
  }

  private void example(Document document, StoredCollection collection, String what) {
    examples.add("\"%s\" of \"%s\" %s".formatted(document.id(), collection.name(), what));
  }

  /**
   * All of it.
   *
   * @param since how far back it reaches; empty for everything
   */
  Comparison toComparison(Optional<Instant> since) {
    return new Comparison(
        compared,
        missing,
        different,
        extra,
        otherMetadata,
        shipped,
        removed,
        described,
        since,
        examples.all());
  }
}
