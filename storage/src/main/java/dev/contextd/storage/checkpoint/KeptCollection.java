package dev.contextd.storage.checkpoint;

import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.CollectionFolder;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.pack.Manifest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One collection as it stands on disk, and what is to change there.
 *
 * <p>Invariants: {@link #dirty} is guarded by {@link #lock}, which is held for moments; {@link
 * #copies()} and {@link #packs} belong to the checkpointer's thread once the store is open. An id
 * is in {@link #dirty} from the moment its change is visible until a manifest covers it.
 */
public final class KeptCollection {
  private final long incarnation;
  private volatile StoredCollection stored;
  private volatile CollectionFolder folder;
  private final ReentrantLock lock = new ReentrantLock();
  private Map<String, Change> dirty = new LinkedHashMap<>();

  /** What a checkpoint has taken and not finished: its files may be written or not. */
  private Map<String, Change> inHand = Map.of();

  private List<String> vacated = new ArrayList<>();
  private boolean metadataDirty;

  /** Counts the times that changes were taken. */
  private long taken;

  private boolean isMetadataInHand;

  /** Counts where {@link #packed} is null. */
  private Map<String, Copy> copies = new HashMap<>();

  /** What the packs held when the store was opened, until somebody asks for {@link #copies}. */
  private volatile @Nullable PackedRows packed;

  /** Oldest first. */
  final List<LivePack> packs = new ArrayList<>();

  /** Whether the folder was found to be as it was left when the store was opened. */
  private boolean isFoundAsLeft;

  /**
   * Files of ours that are in no copy yet: found at opening, or left by a checkpoint that failed.
   */
  final Map<String, FileState> attempted = new ConcurrentHashMap<>();

  /** Packs of which every row is to be packed again, because some are damaged. */
  final Set<Long> damagedPacks = new HashSet<>();

  /** Packs of which the list of deletions cannot be read: they tell of no deletion any more. */
  final Set<Long> lostDeletions = new HashSet<>();

  /** Whether the collection was deleted and its folder is in the trash. */
  boolean isBuried;

  private volatile Optional<String> unreadable = Optional.empty();
  FileState metadataFile;
  private volatile Optional<ModelRecord> model;
  private volatile @Nullable DocumentSource source;

  KeptCollection(
      long incarnation,
      StoredCollection stored,
      CollectionFolder folder,
      FileState metadataFile,
      Optional<ModelRecord> model) {
    this.incarnation = incarnation;
    this.stored = stored;
    this.folder = folder;
    this.metadataFile = metadataFile;
    this.model = model;
  }

  /** What the packs hold; nothing is added to it any more. */
  void packed(PackedRows rows) {
    packed = rows;
  }

  /** Where each document stands, by id. */
  Map<String, Copy> copies() {
    return packed == null ? copies : unpacked();
  }

  private synchronized Map<String, Copy> unpacked() {
    PackedRows rows = packed;
    if (rows != null) {
      copies = rows.copies();
      packed = null;
    }
    return copies;
  }

  /**
   * How the documents' files were left.
   *
   * @param others files that will be put besides
   */
  FileTable files(int others) {
    PackedRows rows = packed;
    if (rows != null) {
      FileTable files = new FileTable(rows.count() + others);
      rows.putFiles(files);
      return files;
    }
    FileTable files = new FileTable(copies.size() + others);
    copies.values().forEach(copy -> files.put(copy.file()));
    return files;
  }

  /** The folder was found to be as it was left when the store was opened. */
  void foundAsLeft() {
    isFoundAsLeft = true;
  }

  boolean isFoundAsLeft() {
    return isFoundAsLeft;
  }

  /** How the folder's own file and those of the documents were left. */
  FileTable allFiles() {
    FileTable files = files(1);
    files.put(metadataFile);
    return files;
  }

  /** The present version of a document, in memory. */
  @FunctionalInterface
  public interface DocumentSource {
    /** Null where there is none. */
    @Nullable StoredDocument current(String id);
  }

  /** Where the two copies of a document are. */
  record Copy(FileState file, long pack, int row) {}

  /** A pack, and how many of its rows still count. */
  static final class LivePack {
    final long number;
    final int rows;
    final int tombstones;
    final long bytes;
    int live;
    long deadSince;

    LivePack(Manifest.Pack pack, int live) {
      this.number = pack.number();
      this.rows = pack.rows();
      this.tombstones = pack.tombstones();
      this.bytes = pack.bytes();
      this.live = live;
      this.deadSince = pack.deadSince();
    }

    Manifest.Pack entry() {
      return new Manifest.Pack(number, rows, tombstones, bytes, deadSince);
    }
  }

  /** What is to be done about a document's copies. */
  sealed interface Change {

    /** The gob file where it is right as it stands; null where anything is to be done about it. */
    default @Nullable FileState present() {
      return null;
    }

    /**
     * Both copies are to be made from what the source holds.
     *
     * @param present the gob file where it is right as it stands, so that only the pack lacks
     * @param before a deletion that came first, whose version belongs into the trash
     */
    record Put(@Nullable FileState present, @Nullable Removed before) implements Change {
      /** Nothing is written yet. */
      static final Put ALL = new Put(null, null);

      static Put present(FileState file) {
        return new Put(file, null);
      }
    }

    /**
     * The document was deleted.
     *
     * @param last the version that never reached its gob file; null where the file is the last
     * @param known tells the last version where the file has become another's
     * @param before a deletion that came first, since when the document was put again
     */
    record Removed(@Nullable StoredDocument last, DocumentSource known, @Nullable Removed before)
        implements Change {
      private static final int MOST_KEPT = 16;

      /** This deletion and those before it, the first one first. */
      List<Removed> inOrder() {
        List<Removed> all = new ArrayList<>();
        for (Removed one = this; one != null; one = one.before) {
          all.add(one);
        }
        Collections.reverse(all);
        return all;
      }

      /** With an elder deletion, and those before that one, before the first of these. */
      Removed after(Removed elder) {
        List<Removed> all = elder.inOrder();
        all.addAll(inOrder());
        Removed joined = null;
        for (Removed one : bounded(all)) {
          joined = new Removed(one.last, one.known, joined);
        }
        return Objects.requireNonNull(joined);
      }

      /**
       * Of versions that came and went between two checkpoints as many as somebody may want back:
       * the first one, which the last checkpoint had, and the last ones.
       */
      static <T> List<T> bounded(List<T> versions) {
        if (versions.size() > MOST_KEPT) {
          versions.subList(1, versions.size() - MOST_KEPT + 1).clear();
        }
        return versions;
      }
    }

    /** The last deletion in it, with those before that one; null for none. */
    default @Nullable Removed removals() {
      return switch (this) {
        case Put put -> put.before();
        case Removed removed -> removed;
        case Forgotten _ -> null;
      };
    }

    /** Our version does not count any more; whatever lies in the folder is not ours to move. */
    record Forgotten() implements Change {}
  }

  public long incarnation() {
    return incarnation;
  }

  public StoredCollection stored() {
    return stored;
  }

  /** Another program changed the metadata. */
  void stored(StoredCollection changed) {
    stored = changed;
  }

  public CollectionFolder folder() {
    return folder;
  }

  /** Somebody renamed the folder. */
  void folder(CollectionFolder renamed) {
    folder = renamed;
  }

  public Optional<ModelRecord> model() {
    return model;
  }

  /** Notes which model made the vectors. */
  public void model(Optional<ModelRecord> newModel) {
    model = newModel;
  }

  /** Connects the collection with its memory. */
  public void source(DocumentSource newSource) {
    source = newSource;
  }

  @Nullable StoredDocument current(String id) {
    DocumentSource connected = source;
    return connected == null ? null : connected.current(id);
  }

  /** The folder could not be listed when the store was opened. */
  void unreadable(String reason) {
    unreadable = Optional.of(reason);
  }

  boolean isReadable() {
    return unreadable.isEmpty();
  }

  /**
   * Asked before each write.
   *
   * @throws IOException where the folder could not be listed when the store was opened: what is in
   *     it was never judged
   */
  public void requireReadable() throws IOException {
    if (unreadable.isPresent()) {
      throw new IOException(
          "the folder %s could not be opened, %s; make it readable and restart"
              .formatted(folder.name(), unreadable.get()));
    }
  }

  /** Documents were added or replaced, and everybody sees it. */
  public void put(List<String> ids, List<String> otherFiles) {
    lock.lock();
    try {
      ids.forEach(id -> dirty.merge(id, Change.Put.ALL, KeptCollection::later));
      vacated.addAll(otherFiles);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Documents are about to disappear from memory.
   *
   * @param last their versions, asked for where they never reached their files, or where those are
   *     not as they were left
   */
  public void removed(List<String> ids, DocumentSource last, List<String> otherFiles) {
    lock.lock();
    try {
      for (String id : ids) {
        Change before = underway(id);
        boolean isUnwritten = before instanceof Change.Put && before.present() == null;
        Change.Removed removed =
            new Change.Removed(isUnwritten ? last.current(id) : null, last, null);
        dirty.merge(id, removed, KeptCollection::later);
      }
      vacated.addAll(otherFiles);
    } finally {
      lock.unlock();
    }
  }

  /** Documents that another program changed or deleted, and of which nothing is served. */
  public void forgotten(List<String> ids) {
    lock.lock();
    try {
      ids.forEach(id -> dirty.put(id, new Change.Forgotten()));
    } finally {
      lock.unlock();
    }
  }

  /** Documents whose gob files are right as they stand, and that no pack holds. */
  void adopt(Map<String, FileState> files) {
    lock.lock();
    try {
      files.forEach((id, file) -> {
        dirty.putIfAbsent(id, Change.Put.present(file));
        attempted.put(id, file);
      });
    } finally {
      lock.unlock();
    }
  }

  /** Documents whose gob files were found right as they stand now, unless more is to be done. */
  public void readopt(Map<String, FileState> files) {
    lock.lock();
    try {
      files.forEach((id, file) -> {
        if (isFree(id)) {
          dirty.put(id, Change.Put.present(file));
          attempted.put(id, file);
        }
      });
    } finally {
      lock.unlock();
    }
  }

  /** A document's gob file is to be written again, unless more is to be done about it already. */
  public void rewrite(String id) {
    lock.lock();
    try {
      if (isFree(id)) {
        dirty.put(id, Change.Put.ALL);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether nothing is planned that changes the document's file; the lock is held. */
  private boolean isFree(String id) {
    Change planned = dirty.get(id);
    return planned == null || planned.present() != null;
  }

  /** What is on its way, taken or not; null where nothing is. The lock is held. */
  private @Nullable Change underway(String id) {
    return dirty.getOrDefault(id, inHand.get(id));
  }

  /** Whether a version of the document is on its way to its file. */
  public boolean isInFlux(String id) {
    lock.lock();
    try {
      Change change = underway(id);
      return change != null && change.present() == null;
    } finally {
      lock.unlock();
    }
  }

  boolean isDirty(String id) {
    lock.lock();
    try {
      return dirty.containsKey(id);
    } finally {
      lock.unlock();
    }
  }

  /** The metadata file is to be written again. */
  public void rewriteMetadata() {
    lock.lock();
    try {
      metadataDirty = true;
    } finally {
      lock.unlock();
    }
  }

  /** What changed since the last time it was taken. */
  record Work(Map<String, Change> changes, List<String> vacated, boolean metadata) {}

  Work take() {
    lock.lock();
    try {
      Work work = new Work(dirty, vacated, metadataDirty);
      taken++;
      inHand = dirty;
      isMetadataInHand = metadataDirty;
      dirty = new LinkedHashMap<>();
      vacated = new ArrayList<>();
      metadataDirty = false;
      return work;
    } finally {
      lock.unlock();
    }
  }

  /**
   * A deletion that came after the changes were taken, and is done with them now; null where there
   * is none.
   */
  Change.@Nullable Removed takeRemoval(String id) {
    lock.lock();
    try {
      if (dirty.get(id) instanceof Change.Removed removed) {
        dirty.remove(id);
        inHand.merge(id, removed, KeptCollection::later);
        return removed;
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Deletions that came after the changes were taken, and after which the document was put again:
   * the cut takes the versions out of the journal, so they are kept now; null where there are none.
   */
  Change.@Nullable Removed takeElder(String id) {
    lock.lock();
    try {
      Change change = dirty.get(id);
      Change.Removed elder =
          switch (change) {
            case Change.Put put -> put.before();
            case Change.Removed removed -> removed.before();
            case null, default -> null;
          };
      if (elder != null) {
        dirty.put(
            id,
            change instanceof Change.Removed removed
                ? new Change.Removed(removed.last(), removed.known(), null)
                : Change.Put.ALL);
        inHand.merge(id, elder, KeptCollection::later);
      }
      return elder;
    } finally {
      lock.unlock();
    }
  }

  /**
   * What is on its way to the folder: an id's change counts until its checkpoint is done.
   *
   * @param taken how many times changes were taken before
   */
  record Underway(Map<String, Change> changes, boolean metadata, long taken) {
    boolean isNothing() {
      return changes.isEmpty() && !metadata;
    }
  }

  Underway underway() {
    lock.lock();
    try {
      Map<String, Change> changes = new HashMap<>(inHand);
      changes.putAll(dirty);
      return new Underway(changes, metadataDirty || isMetadataInHand, taken);
    } finally {
      lock.unlock();
    }
  }

  /** All that was taken is done. */
  void settled() {
    lock.lock();
    try {
      inHand = Map.of();
      isMetadataInHand = false;
    } finally {
      lock.unlock();
    }
  }

  /** Work that could not be done: it is to be done again, unless the document changed since. */
  void putBack(Work work) {
    lock.lock();
    try {
      Map<String, Change> merged = new LinkedHashMap<>(work.changes());
      dirty.forEach((id, change) -> merged.merge(id, change, KeptCollection::later));
      dirty = merged;
      inHand = Map.of();
      isMetadataInHand = false;
      vacated.addAll(work.vacated());
      metadataDirty |= work.metadata();
    } finally {
      lock.unlock();
    }
  }

  /**
   * What is to be done after both. Every version that was deleted goes to the trash, whether or not
   * it reached its file, and even though the document is there again.
   */
  private static Change later(Change before, Change after) {
    Change.Removed elder = before.removals();
    if (elder == null || after.present() != null) {
      return after;
    }
    return switch (after) {
      case Change.Put put -> {
        Change.Removed own = put.before();
        yield new Change.Put(null, own == null ? elder : own.after(elder));
      }
      case Change.Removed removed -> {
        boolean isSame = before instanceof Change.Removed && removed.last() == null;
        yield isSame ? before : removed.after(elder);
      }
      case Change.Forgotten _ -> after;
    };
  }

  boolean isDirty() {
    lock.lock();
    try {
      return !dirty.isEmpty() || !vacated.isEmpty() || metadataDirty;
    } finally {
      lock.unlock();
    }
  }

  Manifest.Collection entry() {
    return new Manifest.Collection(
        incarnation,
        folder.name(),
        stored,
        folder.compression(),
        model,
        metadataFile,
        packs.stream().map(LivePack::entry).toList());
  }
}
