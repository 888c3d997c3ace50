package dev.contextd.resilience.remote;

import dev.contextd.engine.search.IdOrder;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.outbox.KnownCollection;
import dev.contextd.storage.outbox.PendingLog.Write;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;
import org.pcollections.TreePMap;

/**
 * What the writes that wait make of the remote store: laid over it, it is the store. Immutable, so
 * that whoever holds it sees each write whole or not at all.
 */
record PendingView(PMap<String, Part> parts) {
  static final PendingView EMPTY = new PendingView(HashTreePMap.empty());

  /**
   * The last word on a document.
   *
   * @param document null where it is deleted
   */
  record Entry(long sequence, @Nullable StoredDocument document) {}

  /**
   * What waits for one collection.
   *
   * @param exists whether it is there when all of it is done
   * @param created the sequence of its creation or deletion, where that waits, so that nothing on
   *     the remote belongs to it; 0 where what is there does
   * @param known what is said of it here; of one that lies there as well, what the pending
   *     documents say
   * @param entries by id
   * @param documents how many of the entries are documents
   */
  record Part(
      boolean exists,
      long created,
      KnownCollection known,
      TreePMap<String, Entry> entries,
      int documents) {
    private static final TreePMap<String, Entry> NONE = TreePMap.empty(IdOrder.COMPARATOR);
    private static final Part BEGIN = new Part(true, 0, KnownCollection.of(null), NONE, 0);

    /** Whether all that belongs to it is here. */
    boolean isWhole() {
      return created > 0;
    }

    Set<String> ids() {
      return entries.keySet();
    }

    /** The documents among the entries, in the order of ids. */
    Stream<StoredDocument> stored() {
      return entries.values().stream().map(Entry::document).flatMap(Stream::ofNullable);
    }

    private boolean isOver() {
      return created == 0 && entries.isEmpty();
    }

    private Part with(long sequence, JournalRecord record) {
      return switch (record) {
        case JournalRecord.Created made ->
            new Part(true, sequence, KnownCollection.of(made.metadata()), NONE, 0);
        case JournalRecord.Dropped _ ->
            new Part(false, sequence, KnownCollection.of(null), NONE, 0);
        case JournalRecord.Put put -> with(sequence, put);
        case JournalRecord.Removed removed -> {
          Part changed = this;
          for (String id : removed.ids()) {
            changed = changed.with(id, new Entry(sequence, null));
          }
          yield changed;
        }
        case JournalRecord.Voided _, JournalRecord.Addressed _ -> this;
      };
    }

    private Part with(long sequence, JournalRecord.Put put) {
      Part changed = new Part(true, created, known.after(put), entries, documents);
      for (StoredDocument document : put.documents()) {
        changed = changed.with(document.id(), new Entry(sequence, document));
      }
      return changed;
    }

    private Part with(String id, Entry entry) {
      int more = (entry.document() == null ? 0 : 1) - documents(entries.get(id));
      return new Part(exists, created, known, entries.plus(id, entry), documents + more);
    }

    private static int documents(@Nullable Entry entry) {
      return entry == null || entry.document() == null ? 0 : 1;
    }

    private Part without(Write shipped) {
      List<String> ids =
          switch (shipped.record()) {
            case JournalRecord.Put put -> put.documents().stream().map(StoredDocument::id).toList();
            case JournalRecord.Removed removed -> removed.ids();
            case JournalRecord.Created _,
                JournalRecord.Dropped _,
                JournalRecord.Voided _,
                JournalRecord.Addressed _ ->
                List.of();
          };
      TreePMap<String, Entry> left = entries;
      int documentsLeft = documents;
      for (String id : ids) {
        Entry entry = left.get(id);
        if (entry != null && entry.sequence() <= shipped.sequence()) {
          left = left.minus(id);
          documentsLeft -= documents(entry);
        }
      }
      return new Part(
          exists, created <= shipped.sequence() ? 0 : created, known, left, documentsLeft);
    }
  }

  Optional<Part> part(String collection) {
    return Optional.ofNullable(parts.get(collection));
  }

  Set<String> names() {
    return parts.keySet();
  }

  /** After a write. */
  PendingView with(long sequence, String collection, JournalRecord record) {
    Part before = parts.getOrDefault(collection, Part.BEGIN);
    return new PendingView(parts.plus(collection, before.with(sequence, record)));
  }

  /** Without what the remote has got. */
  PendingView without(List<Write> shipped) {
    PMap<String, Part> left = parts;
    for (Write write : shipped) {
      Part before = left.get(write.collection());
      if (before != null) {
        Part after = before.without(write);
        left =
            after.isOver() ? left.minus(write.collection()) : left.plus(write.collection(), after);
      }
    }
    return new PendingView(left);
  }
}
