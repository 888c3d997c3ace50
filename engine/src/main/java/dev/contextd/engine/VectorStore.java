package dev.contextd.engine;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.checkpoint.Examination;
import dev.contextd.storage.checkpoint.KeeperStatus;
import dev.contextd.storage.checkpoint.ScrubPace;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.Checksum;
import dev.contextd.storage.folder.GaveWay;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.folder.ScrubRecord;
import dev.contextd.storage.outbox.Outbox;
import dev.contextd.storage.outbox.PendingLog;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/**
 * An embedded vector store over a chromem-go folder.
 *
 * <p>Opening serves what is intact, reports what is not, and repairs nothing. Once it is open,
 * every write is durable when its call returns, and its gob file follows behind. Vectors are held
 * off-heap, everything else on the heap. Safe for many threads; one process at a time may own a
 * folder.
 */
public interface VectorStore extends DocumentStore {

  /**
   * Opens a store, creating the folder where it is missing.
   *
   * @throws StoreInUseException where another process or store has it open
   * @throws IOException where the root cannot be created or listed, or what is ours in it cannot be
   *     opened
   */
  static VectorStore open(Path root, StoreOptions options) throws IOException {
    return EmbeddedStore.open(root, options);
  }

  /** What the check found at opening. */
  CheckReport openReport();

  /** Why the store is read-only; empty where it can be written. */
  Optional<String> readOnlyReason();

  /**
   * Damage in the folders of served collections, as it stands now: what was written again since the
   * opening is no longer in it.
   */
  List<Damage> damage();

  /** Notes that a damaged thing is no longer in its place. */
  void forget(Damage damage);

  /**
   * Notes how many documents of a collection lie in quarantine, for {@link
   * QueryResult.Coverage#unavailable()}.
   *
   * @param elder by name of the folder they came from; empty where the number is not known
   */
  void quarantined(Map<String, OptionalLong> elder);

  /**
   * Writes all collections to one export file that chromem-go imports.
   *
   * @throws StoreException {@link ErrorCode#INVALID_ARGUMENT} where the file exists
   */
  void exportTo(Path file, ExportOptions options);

  /** The bytes of such a file. */
  byte[] export(ExportOptions options);

  /**
   * As {@link #importFrom(Path, Optional)}.
   *
   * @param content of the file
   */
  Imported importFrom(byte[] content, Optional<byte[]> key);

  /**
   * Adds or replaces everything in an export file, batch by batch.
   *
   * @param key 32 bytes for an encrypted file
   */
  Imported importFrom(Path file, Optional<byte[]> key);

  /**
   * Puts contents in the place of a collection, durably: what is there goes to the trash first.
   *
   * @return how many documents were written
   */
  int replace(Contents contents);

  /**
   * Writes versions of documents that were there before, durably, each as it was; present versions
   * go to the trash first.
   */
  void putBack(String collection, List<StoredDocument> documents);

  /** All that is served, each collection as of one moment; reading it holds up nobody. */
  List<Contents> contents();

  /**
   * A collection as of one moment.
   *
   * @param model that made its vectors, where that is recorded
   * @param documents in order of ids; may be asked for once and more
   */
  record Contents(
      StoredCollection stored,
      String folder,
      Optional<ModelRecord> model,
      boolean isMetadataUnknown,
      long count,
      Iterable<StoredDocument> documents) {}

  /**
   * Writes documents that come back from elsewhere, durably: into the collection of that name,
   * which is created where it is missing. Of two versions the one whose file is newer is served; a
   * present one that gives way goes to the trash.
   *
   * @param keepsBoth whether the other version is served too, as {@code <id>.other}
   */
  Merged merge(IntactCollection found, boolean keepsBoth);

  /**
   * What came of a merge.
   *
   * @param isNew whether the collection was created for it
   * @param older documents of which a newer version was there
   */
  record Merged(String collection, boolean isNew, int added, int replaced, int older) {}

  /** The name of the collection that is served from a folder below the root. */
  Optional<String> collectionIn(String folder);

  /**
   * The {@link Checksum} of a collection's documents as they are served; empty text where none of
   * that name is served. Reads every document.
   */
  String checksum(String collection);

  /**
   * Ends that a collection's own metadata is not known, durably.
   *
   * @param metadata that it is to have; empty where it is right as it is served
   * @throws StoreException with {@code INVALID_ARGUMENT} where the metadata is known
   */
  void settleMetadata(String name, Optional<Map<String, String>> metadata);

  /**
   * Writes again, from what is served, a file that is missing or damaged; it is durable after the
   * next checkpoint.
   *
   * @param damage whose repair is {@code Rewrite}, found at opening
   * @return the {@link Checksum} of what the file will say; empty text where it is nobody's
   */
  String mend(Damage damage);

  /**
   * Reads every byte of both copies of everything and holds it against its checksum. Runs beside
   * readers and writers; takes as long as the disk needs to read the store.
   *
   * @param pace hears of the progress, and does not end it
   * @return what fails; all of it is served all the same
   */
  List<Damage> scrub(ScrubPace pace);

  /**
   * As {@link #scrub(ScrubPace)}, and from where the last one was ended before its time.
   *
   * @param found takes what is damaged, a collection at a time
   * @return whether everything has been read now
   */
  boolean scrub(ScrubPace pace, Consumer<List<Damage>> found);

  /** How far the reading of every byte has come. */
  ScrubRecord scrubbed();

  /**
   * Holds the folder as it stands against what is served, beside readers and writers: a listing of
   * it, and reading what is not as it was left. Repairs nothing.
   *
   * @param touched folders to look into; empty for all
   * @throws IOException where the root cannot be listed, or is another folder than was opened
   */
  Examination examine(Optional<Set<String>> touched) throws IOException;

  /** What differs in these folders is judged anew by the next {@link #examine}. */
  void forgetExamined(Set<String> folders);

  /**
   * Serves what another program wrote; our versions of it go to the trash. What is being written
   * here meanwhile wins.
   *
   * @param found by {@link #examine}, and the same since
   * @throws StoreException where nothing was adopted
   */
  void adopt(IntactCollection found);

  /**
   * Another program deleted a collection's folder: it is served no more, and all that it held goes
   * to the trash, from which it can be restored.
   *
   * @throws StoreException where it is served on
   */
  void vanished(Damage.CollectionVanished found);

  /** Replaces what is known of damage in a served collection's folder. */
  void noteDamage(String folder, List<Damage> found);

  /** Serves read-only from now on. */
  void refuseWrites(String reason);

  /** Writes everything acknowledged so far to its files, and returns when they are durable. */
  void checkpoint();

  /** Tells other processes where this store can be called. */
  void announce(String address);

  /** What is to go to a remote store; empty where there is none. */
  Optional<Outbox> outbox();

  /** The same of a store that was opened only to be looked at; changes nothing. */
  Outbox.Look lookAtOutbox();

  /**
   * Opens the log of writes to a remote store that holds the documents alone; the caller closes it
   * before this store. Of a store that is read-only it shows what waits, and takes nothing.
   *
   * @param keep how long what is shipped is kept
   * @throws IOException where what is there cannot be read
   */
  PendingLog openPending(Duration keep) throws IOException;

  /**
   * Puts documents of a remote store that are about to give way there into the trash, durably.
   *
   * @param collection whose they are there; it need not be here
   */
  void keepForeign(StoredCollection collection, GaveWay how, List<StoredDocument> documents);

  /** What gave way on a remote store and can be brought back, the latest first. */
  Conflicts conflicts();

  /** How things stand between the journal and the files. */
  KeeperStatus durability();

  /** What was deleted, or gave way to another program's version, and can be brought back. */
  List<TrashEntry> trash();

  /**
   * Brings back the documents of an entry of the trash; what they replace goes to the trash itself.
   *
   * @return how many documents came back
   * @throws StoreException {@link ErrorCode#INVALID_ARGUMENT} where there is no such entry
   */
  int restore(String entry);

  /**
   * Removes for good what was deleted: from the trash, the packs and the journal.
   *
   * @param olderThan what was deleted at least so long ago
   * @return how many entries of the trash went
   */
  int purge(Duration olderThan);

  /**
   * Waits for the writes in hand, refuses all that follow, brings everything to its file, and gives
   * the folder back.
   */
  @Override
  void close();

  /** Why closing could not empty the journal; empty where it did. */
  Optional<String> closeFailure();

  /**
   * Something that can be brought back.
   *
   * @param kind {@code collection}, {@code documents}, {@code versions}, {@code remote_replaced} or
   *     {@code remote_deleted}
   * @param collection its name where it is known
   */
  record TrashEntry(
      String name,
      String kind,
      String folder,
      Optional<String> collection,
      Instant since,
      int documents) {}

  /**
   * What gave way on a remote store.
   *
   * @param total how many documents did
   * @param latest the latest {@link Limits#MAX_PAGE_DOCUMENTS} of them at most
   */
  record Conflicts(int total, List<Conflict> latest) {
    public Conflicts {
      latest = List.copyOf(latest);
    }
  }

  /**
   * A document of a remote store that gave way there.
   *
   * @param entry of the trash that holds it
   * @param kind of the entry: whether it was replaced there or deleted
   * @param until when the trash lets go of it, about
   */
  record Conflict(
      String entry, String collection, String id, String kind, Instant since, Instant until) {}

  /**
   * How an export is written.
   *
   * @param compress with gzip
   * @param key 32 bytes to encrypt with AES-256-GCM
   */
  record ExportOptions(boolean compress, Optional<byte[]> key) {}

  /**
   * What an import did.
   *
   * @param refused documents that the store does not take, with the reason
   */
  record Imported(int collections, int documents, List<String> refused) {
    public Imported {
      refused = List.copyOf(refused);
    }
  }
}
