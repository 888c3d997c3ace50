package dev.contextd.storage.outbox;

import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.journal.JournalRecord;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A shipment in the making: one record, and those behind it that can go with it. */
final class Parcel {
  private final String collection;
  private final JournalRecord first;
  private final Map<String, StoredDocument> documents = new LinkedHashMap<>();
  private final Set<String> ids = new LinkedHashSet<>();
  private Optional<String> model = Optional.empty();
  private long through;
  private long bytes;

  /** Begins with a record, however large it is. */
  Parcel(String collection, JournalRecord first, long sequence, long bytes) {
    this.collection = collection;
    this.first = first;
    put(first, sequence, bytes);
  }

  /** Whether nothing can be joined to it. */
  boolean isSingle() {
    return !isChange(first);
  }

  private static boolean isChange(JournalRecord record) {
    return switch (record) {
      case JournalRecord.Put _, JournalRecord.Removed _ -> true;
      case JournalRecord.Created _,
          JournalRecord.Dropped _,
          JournalRecord.Voided _,
          JournalRecord.Addressed _ ->
          false;
    };
  }

  /** Adds a record; false where it does not fit and nothing was added. */
  boolean add(JournalRecord record, long sequence, long size, int maxDocuments, long maxBytes) {
    boolean fits =
        isChange(record)
            && !isReturning(record)
            && record.incarnation() == first.incarnation()
            && documents.size() + ids.size() + count(record) <= maxDocuments
            && bytes + size <= maxBytes;
    if (fits) {
      put(record, sequence, size);
    }
    return fits;
  }

  /** One that is gone makes room for another dimension before it comes back. */
  private boolean isReturning(JournalRecord record) {
    return record instanceof JournalRecord.Put put
        && put.documents().stream().anyMatch(document -> ids.contains(document.id()));
  }

  private static int count(JournalRecord record) {
    return switch (record) {
      case JournalRecord.Put put -> put.documents().size();
      case JournalRecord.Removed removed -> removed.ids().size();
      case JournalRecord.Created _,
          JournalRecord.Dropped _,
          JournalRecord.Voided _,
          JournalRecord.Addressed _ ->
          0;
    };
  }

  private void put(JournalRecord record, long sequence, long size) {
    switch (record) {
      case JournalRecord.Put put -> {
        put.documents()
            .forEach(document -> {
              documents.put(document.id(), document);
              ids.remove(document.id());
            });
        model = put.model().map(ModelRecord::model).or(() -> model);
      }
      case JournalRecord.Removed removed -> {
        removed.ids().forEach(documents::remove);
        ids.addAll(removed.ids());
      }
      case JournalRecord.Created _,
          JournalRecord.Dropped _,
          JournalRecord.Voided _,
          JournalRecord.Addressed _ -> {
        // Said by the first record alone.
      }
    }
    through = sequence;
    bytes += size;
  }

  Outbox.Shipment toShipment() {
    return switch (first) {
      case JournalRecord.Created created -> {
        Map<String, String> metadata = created.metadata();
        yield new Outbox.Shipment.Created(
            collection, through, metadata == null ? Map.of() : metadata);
      }
      case JournalRecord.Dropped _ -> new Outbox.Shipment.Dropped(collection, through);
      case JournalRecord.Put _, JournalRecord.Removed _ ->
          new Outbox.Shipment.Changed(
              collection, through, List.copyOf(documents.values()), List.copyOf(ids), model);
      case JournalRecord.Voided _, JournalRecord.Addressed _ ->
          throw new IllegalStateException("never shipped as it is: " + first);
    };
  }
}
