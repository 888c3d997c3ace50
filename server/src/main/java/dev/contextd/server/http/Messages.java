package dev.contextd.server.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The bodies of the data API, as they stand on the wire; names become snake_case. */
final class Messages {
  private Messages() {}

  record NewCollection(@Nullable String name, @Nullable Map<String, String> metadata) {}

  record Upsert(@Nullable List<@Nullable DocumentIn> documents) {}

  record DocumentIn(
      @Nullable String id,
      @Nullable String content,
      float @Nullable [] embedding,
      @Nullable Map<String, @Nullable String> metadata) {}

  record Get(@Nullable List<@Nullable String> ids) {}

  record Delete(@Nullable List<@Nullable String> ids, @Nullable JsonNode where) {}

  record QueryIn(
      @Nullable String text,
      float @Nullable [] embedding,
      @Nullable Integer limit,
      @Nullable JsonNode where,
      @Nullable JsonNode whereDocument,
      @Nullable List<@Nullable String> include) {}

  /** {@code dimension} is null while the collection is empty. */
  record CollectionOut(
      String name,
      Map<String, String> metadata,
      long count,
      @Nullable Integer dimension,
      String health,
      @Nullable String embeddingModel,
      boolean embeddingModelAssumed,
      boolean metadataUnknown) {}

  record Collections(List<CollectionOut> collections) {}

  record Upserted(List<String> ids, List<String> truncatedIds) {}

  record DocumentOut(String id, String content, Map<String, String> metadata) {}

  record Documents(List<DocumentOut> documents) {}

  /** {@code nextCursor} is null on the last page. */
  record PageOut(List<DocumentOut> documents, @Nullable String nextCursor) {}

  record Deleted(int deleted) {}

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record HitOut(
      String id,
      double score,
      @Nullable String content,
      @Nullable Map<String, String> metadata,
      float @Nullable [] embedding) {}

  /** {@code unavailable} is null where it cannot be known. */
  @JsonInclude(JsonInclude.Include.ALWAYS)
  record CoverageOut(long searched, @Nullable Long unavailable) {}

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record QueryOut(
      List<HitOut> results, CoverageOut coverage, boolean truncated, @Nullable SourceOut source) {}

  record Migrate(@Nullable String to, @Nullable String from) {}

  record Migrated(
      boolean complete,
      int collections,
      long documents,
      long copied,
      long different,
      long extra,
      String sumFrom,
      String sumTo,
      List<String> examples) {}

  record MigrateProgress(boolean running, String what, long doneDocuments, long totalDocuments) {}

  record SourceOut(String store, long staleSeconds) {}

  /**
   * {@code damage} counts what was found by kind; {@code quarantined} names entries of the
   * quarantine; times are RFC 3339, {@code lastScrubTime} null where there was none.
   */
  record HealthOut(
      String status,
      MetadataHealth metadata,
      Map<String, Integer> damage,
      List<String> quarantined,
      @Nullable String readOnly,
      @Nullable String brake,
      @Nullable String error,
      @Nullable String lastCheckTime,
      @Nullable String lastScrubTime,
      @Nullable RemoteHealth remote,
      @Nullable String next) {}

  /** The whole of it; {@code checkDuration} in nanoseconds. */
  record MetadataReport(
      String status,
      List<String> healthy,
      List<String> corrupt,
      List<String> empty,
      int total,
      int healthyCount,
      int corruptCount,
      int emptyCount,
      @Nullable String lastCheckTime,
      long checkDuration,
      Map<String, String> details,
      Map<String, Integer> damage,
      List<QuarantinedOut> quarantined,
      long unavailableDocuments,
      @Nullable String readOnly,
      @Nullable String brake,
      @Nullable String error,
      @Nullable String lastScrubTime,
      ScrubOut scrub,
      @Nullable RemoteHealth remote,
      @Nullable String next) {}

  /**
   * How things stand with the remote store, in short.
   *
   * @param state {@code up}, {@code down} or {@code unknown}
   * @param breaker {@code closed}, {@code open} or {@code half_open}
   * @param oldestPendingSeconds 0 where nothing waits
   * @param lastSync RFC 3339; null where there was none since the start
   * @param note what whoever looks at it should know besides; null for nothing
   */
  record RemoteHealth(
      String state,
      String breaker,
      long pendingBytes,
      long oldestPendingSeconds,
      @Nullable String lastSync,
      @Nullable String note) {}

  record ScrubOut(boolean running, long doneBytes, long totalBytes) {}

  /** {@code since} is RFC 3339, null where the note beside the entry cannot be read. */
  record QuarantinedOut(
      String entry,
      String folder,
      @Nullable String file,
      @Nullable String why,
      @Nullable String since,
      boolean reviewed) {}

  record MetadataHealth(
      String status,
      int healthyCount,
      int corruptCount,
      int emptyCount,
      int total,
      List<String> corruptHashes,
      Map<String, String> details) {}

  /**
   * What is served, and from where.
   *
   * @param counted where the collections are: {@code local} or {@code remote}
   * @param uncounted why they could not be counted; null where they were
   */
  record Status(
      String version,
      String provider,
      List<CollectionCount> collections,
      String counted,
      @Nullable String uncounted,
      @Nullable String readOnly,
      int inQuarantine,
      Durability durability) {}

  /** {@code lastCheckpoint} is RFC 3339; it and {@code failure} are null where there was none. */
  record Durability(
      long pendingBytes,
      @Nullable String lastCheckpoint,
      @Nullable String failure,
      JournalOut journal) {}

  record JournalOut(long syncs, long records, long bytes, double syncSeconds) {}

  /** {@code count} is null for a caller without the tenant that the daemon asks for. */
  record CollectionCount(String name, @Nullable Long count) {}

  record Alive(String status) {}

  record Trash(List<TrashEntryOut> entries) {}

  /** {@code since} is RFC 3339; {@code collection} is null where its name is not known. */
  record TrashEntryOut(
      String name,
      String kind,
      String folder,
      @Nullable String collection,
      String since,
      int documents) {}

  record Restore(@Nullable String entry) {}

  record Restored(int restored) {}

  record Purge(@Nullable String olderThan) {}

  record Purged(int purged) {}

  record Quarantine(List<QuarantineOut> entries) {}

  /**
   * A thing in quarantine.
   *
   * @param collection whose it is; null where that is not known
   * @param documents how many files of documents are in it, null where it cannot be listed
   * @param readable how many of them could be restored; null where it cannot be told
   * @param hindrance why nothing could be restored; null where something can
   * @param next the command that brings it back, or helps
   */
  record QuarantineOut(
      String entry,
      String folder,
      String file,
      String kind,
      String why,
      String since,
      @Nullable String collection,
      @Nullable Integer documents,
      @Nullable Integer readable,
      @Nullable String hindrance,
      String next) {}

  record QuarantineRestore(
      @Nullable String entry, @Nullable String name, @Nullable Boolean keepBoth) {}

  record QuarantineRestored(List<RestoredOut> restored) {}

  record RestoredOut(
      String entry,
      String collection,
      boolean created,
      int added,
      int replaced,
      int older,
      List<String> left) {}

  record Discarded(List<String> discarded) {}

  record Recover(@Nullable String name, @Nullable Map<String, String> metadata) {}

  record Recovered(String done) {}

  /**
   * The backups of everything.
   *
   * @param lastNames when names and metadata were last backed up, RFC 3339; null where never
   * @param lastVerified when a backup was last read whole by this daemon; null where never
   * @param failure of the last one by the clock; null where it did not fail
   */
  record Backups(
      List<BackupOut> backups,
      @Nullable String lastNames,
      @Nullable String lastVerified,
      @Nullable String failure,
      BackupProgressOut progress) {}

  record BackupProgressOut(boolean running, long doneDocuments, long totalDocuments) {}

  /**
   * A backup.
   *
   * @param when RFC 3339; null where it cannot be read
   * @param fault why it cannot be used; null where it can
   */
  record BackupOut(
      String name,
      @Nullable String when,
      int collections,
      long documents,
      @Nullable String fault) {}

  record BackupVerify(@Nullable String name) {}

  record BackupRestore(
      @Nullable String name, @Nullable String collection, @Nullable String document) {}

  record BackupRestored(String name, List<String> collections, long documents) {}

  record RemoteSyncIn(@Nullable Boolean takeOver) {}

  record RemoteVerify(@Nullable Boolean repair) {}

  /**
   * How things stand with the remote store.
   *
   * @param mode {@code fallback}, {@code direct} or {@code stopped}
   * @param owner who writes there; null where nobody has
   * @param waitingWrites how many wait in the outbox; null where nobody knows
   * @param acknowledged it has every write up to this sequence; null where nobody knows
   * @param oldest when the oldest thing that waits was written, RFC 3339; null where none does
   * @param lastSync when the remote store last had everything; null where not since the start
   * @param lastError of the last call that failed; null since one that did not
   * @param gap what may be missing there and does not wait; null where nothing may
   * @param note what whoever looks at it should know besides; null for nothing
   */
  record RemoteOut(
      String mode,
      String address,
      @Nullable String owner,
      String state,
      boolean paused,
      String breaker,
      long waitingBytes,
      @Nullable Long waitingWrites,
      @Nullable Long acknowledged,
      @Nullable String oldest,
      long oldestAgeSeconds,
      @Nullable String lastSync,
      @Nullable String lastError,
      @Nullable String gap,
      long shipped,
      long refused,
      long conflicts,
      long failures,
      @Nullable String note) {}

  record ConflictsOut(int total, List<ConflictOut> conflicts) {}

  /**
   * A document of the remote store that gave way there.
   *
   * @param what {@code remote_replaced} or {@code remote_deleted}
   * @param since RFC 3339, as {@code until}, when the trash lets go of it
   * @param next the command that brings back the whole entry
   */
  record ConflictOut(
      String collection,
      String id,
      String what,
      String since,
      String until,
      String entry,
      String next) {}

  /**
   * {@code same} is whether both hold the same now; {@code since} null where all was compared, else
   * what was written before could not be.
   */
  record ComparisonOut(
      boolean same,
      long compared,
      long missing,
      long different,
      long extra,
      long otherMetadata,
      long shipped,
      long removed,
      long described,
      @Nullable String since,
      List<String> examples) {}

  record ImportedOut(int collections, int documents, List<String> refused) {}

  record ScrubProgressOut(boolean running, long doneBytes, long totalBytes) {}

  record Repair(@Nullable Boolean dryRun, @Nullable Boolean embed) {}

  /**
   * What is to be repaired, or was.
   *
   * @param executed whether it was
   * @param open how many steps are left to the operator, or failed
   */
  record Repaired(boolean executed, List<StepOut> steps, int open) {}

  /**
   * A step of a repair.
   *
   * @param kind {@code rewrite}, {@code restore}, or {@code operator} where only that one can
   * @param result what came of it; null where it was not done
   * @param failure why it failed; null where it did not
   */
  record StepOut(
      String kind,
      String folder,
      String file,
      String source,
      boolean lossless,
      String why,
      String next,
      @Nullable String result,
      @Nullable String failure) {}

  record Audit(List<Map<String, String>> entries) {}

  record DamageOut(String folder, String file, String kind, String sentence) {}

  record Scrubbed(List<DamageOut> damage, int mended, @Nullable String brake) {}
}
