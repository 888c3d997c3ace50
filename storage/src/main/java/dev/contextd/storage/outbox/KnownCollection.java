package dev.contextd.storage.outbox;

import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.journal.JournalRecord;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What was last known of a collection that lies on a remote.
 *
 * @param dimension of its vectors; 0 while it was empty
 * @param model that made its vectors, where one is known
 * @param owner who else writes to it; empty where we may
 */
public record KnownCollection(
    Map<String, String> metadata, int dimension, Optional<String> model, Optional<String> owner) {
  public KnownCollection {
    metadata = Map.copyOf(metadata);
  }

  /** A collection of which nothing is known but that it is there. */
  public static KnownCollection of(@Nullable Map<String, String> metadata) {
    return new KnownCollection(
        metadata == null ? Map.of() : metadata, 0, Optional.empty(), Optional.empty());
  }

  /** What is known of it behind a write to it; null where it is gone. */
  static @Nullable KnownCollection after(@Nullable KnownCollection before, JournalRecord write) {
    return switch (write) {
      case JournalRecord.Created created -> of(created.metadata());
      case JournalRecord.Dropped _ -> null;
      case JournalRecord.Put put -> (before == null ? of(null) : before).after(put);
      case JournalRecord.Removed _, JournalRecord.Voided _, JournalRecord.Addressed _ -> before;
    };
  }

  /** What is known of it when documents were put. */
  public KnownCollection after(JournalRecord.Put put) {
    return new KnownCollection(
        metadata,
        put.documents().getLast().embedding().length,
        put.model().map(ModelRecord::model).or(() -> model),
        owner);
  }
}
