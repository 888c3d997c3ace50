package dev.contextd.storage.checkpoint;

import dev.contextd.storage.binary.Crc32c;
import dev.contextd.storage.checkpoint.KeptCollection.Change;
import dev.contextd.storage.checkpoint.KeptCollection.Copy;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.Checksum;
import dev.contextd.storage.folder.CollectionFolder;
import dev.contextd.storage.folder.FreshName;
import dev.contextd.storage.folder.Trash;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The gob files of one collection in one checkpoint: under which name each document is written, and
 * what must leave first.
 *
 * <p>Invariant: a file that is not as we left it is never written over, it moves to the trash. Many
 * threads may {@link #write} documents whose ids differ in their hashes.
 */
final class GobFiles {
  /** Below this many new documents their names are asked for one by one. */
  private static final int MIN_LISTED = 64;

  /** A name in a listing costs about so much less than a name that is asked for. */
  private static final int MAX_LISTED_PER_NEW = 16;

  private final Disk disk;
  private final Trash trash;
  private final KeptCollection collection;
  private final CollectionFolder folder;

  /** Names that this checkpoint has given away, by their keys. */
  private final Set<Long> taken = ConcurrentHashMap.newKeySet();

  /** The files that were there when new documents came, in order; null to ask for each. */
  private volatile long @Nullable [] found;

  private @Nullable Path deletedEntry;
  private @Nullable Path versionsEntry;

  /** CRC32C of what was deleted, by its name in the trash. */
  private final SortedMap<String, Integer> deleted = new TreeMap<>();

  GobFiles(Disk disk, Trash trash, KeptCollection collection) {
    this.disk = disk;
    this.trash = trash;
    this.collection = collection;
    this.folder = collection.folder();
  }

  /** Moves files of versions that do not count any more to the trash. */
  void vacate(List<String> files) throws IOException {
    for (String file : files) {
      if (folder.stat(file).isPresent()) {
        disk.moveLazily(folder.path().resolve(file), versions().resolve(file));
      }
    }
  }

  /** A folder or link that took the file's place moves to the trash. */
  FileState writeMetadata() throws IOException {
    String file = folder.metadataFile();
    Optional<FileCalls.Stat> stat = folder.stat(file);
    if (stat.isPresent() && stat.get().kind() != Disk.Kind.FILE) {
      disk.moveLazily(folder.path().resolve(file), free(versions(), file));
    }
    return folder.write(collection.stored());
  }

  /** What went to the trash because it was deleted; empty where nothing was. */
  Optional<AuditLog.Entry> deletion() {
    Path entry = deletedEntry;
    if (entry == null) {
      return Optional.empty();
    }
    return Optional.of(
        new AuditLog.Entry(
                "deleted",
                folder.name(),
                "",
                "%d documents were deleted, or gave way to a version that was restored; the trash keeps them for its time."
                    .formatted(deleted.size()))
            .withKept(String.valueOf(entry.getFileName()))
            .withSums(Checksum.ofFiles(deleted), ""));
  }

  /** What was deleted of a document goes to the trash, and every file of it leaves the folder. */
  void remove(String id, Change.Removed removed) throws IOException {
    Copy copy = collection.copies().get(id);
    FileState attempt = collection.attempted.get(id);
    FileState state = copy == null ? attempt : copy.file();
    String file = state == null ? folder.defaultFile(id) : state.name();
    Optional<FileCalls.Stat> stat = state == null ? Optional.empty() : folder.stat(file);
    if (stat.isPresent()) {
      Change.Removed first = removed.inOrder().getFirst();
      if (!isAsLeft(stat.get(), state)) {
        removeOther(id, file, first, isOurs(stat.get(), copy, attempt));
      } else if (first.last() == null) {
        Path target = free(deletedFiles(), file);
        disk.moveLazily(folder.path().resolve(file), target);
        noteDeleted(target, Objects.requireNonNull(state).crc());
      } else {
        disk.remove(folder.path().resolve(file)); // an older version, replaced on request
      }
    }
    keep(removed, file);
    clearOthers(id, Names.hash(id), state == null ? "" : file, true);
  }

  /**
   * The file is not as it was left: another program wrote it, or a checkpoint that came to no end.
   *
   * @param isOurs whether it is known to be a version of the document, or one cut short
   */
  private void removeOther(String id, String file, Change.Removed removed, boolean isOurs)
      throws IOException {
    StoredDocument known = removed.last() == null ? removed.known().current(id) : null;
    if (known != null) {
      keepDeleted(known, file);
    }
    // Another program knows no numbered names, and may have taken this one.
    if (isOurs || !folder.holdsAnother(file, id)) {
      disk.moveLazily(folder.path().resolve(file), free(versions(), file));
    }
  }

  /** Keeps versions that never reached their file, of a document that is there again. */
  void keep(String id, Change.Removed removed) throws IOException {
    keep(removed, folder.defaultFile(id));
  }

  private void keep(Change.Removed removed, String file) throws IOException {
    for (Change.Removed one : removed.inOrder()) {
      StoredDocument last = one.last();
      if (last != null) {
        keepDeleted(last, file);
      }
    }
  }

  /** A version that never reached its file, or not for sure. */
  private void keepDeleted(StoredDocument document, String file) throws IOException {
    Path target = free(deletedFiles(), file);
    byte[] bytes = encoded(document, file);
    disk.createLazily(new Disk.Image(target, bytes));
    noteDeleted(target, Crc32c.of(ByteBuffer.wrap(bytes)));
  }

  private void noteDeleted(Path target, int crc) {
    deleted.put(String.valueOf(target.getFileName()), crc);
  }

  private static byte[] encoded(StoredDocument document, String file) {
    return DocumentFormat.encode(document, Compression.ofFileName(file).orElse(Compression.PLAIN));
  }

  /** A name in a folder of the trash that nothing bears yet. */
  private Path free(Path entry, String file) throws IOException {
    return FreshName.numbered(disk, entry, file, 1);
  }

  private Path deletedFiles() throws IOException {
    Path entry = deletedEntry;
    if (entry == null) {
      entry = trash.documents(folder.name());
      deletedEntry = entry;
    }
    return entry;
  }

  private synchronized Path versions() throws IOException {
    Path entry = versionsEntry;
    if (entry == null) {
      entry = trash.versions(folder.name());
      versionsEntry = entry;
    }
    return entry;
  }

  /** A file that is missing is its document's all the same. */
  void reserve(String id) {
    Copy copy = collection.copies().get(id);
    FileState ours = copy == null ? collection.attempted.get(id) : copy.file();
    if (ours != null) {
      taken.add(ours.key());
    }
  }

  /**
   * Over the document's own file where it is as we left it, else under its name or another, out of
   * which anything that is not ours has been moved.
   *
   * @param hash of the document's id
   */
  FileState write(StoredDocument document, String hash) throws IOException {
    String id = document.id();
    Copy copy = collection.copies().get(id);
    FileState attempt = collection.attempted.get(id);
    if (copy == null && attempt == null) {
      return create(document, hash);
    }
    FileState ours = copy == null ? attempt : copy.file();
    String file = Objects.requireNonNull(ours).name();
    Optional<FileCalls.Stat> stat = folder.stat(file);
    boolean isItsOwn = file.startsWith(hash); // else the id was altered by decoding
    boolean isAsLeft = stat.isPresent() && isOurs(stat.get(), copy, attempt);
    if (stat.isPresent() && !isAsLeft && folder.holdsAnother(file, id)) {
      return folder.create(document, freeFile(id, hash));
    }
    if (isItsOwn && isAsLeft) {
      return folder.replace(document, file);
    }
    if (stat.isPresent()) {
      disk.moveLazily(folder.path().resolve(file), free(versions(), file));
    }
    return folder.create(document, isItsOwn ? file : freeFile(id, hash));
  }

  private FileState create(StoredDocument document, String hash) throws IOException {
    boolean isListed = found != null;
    String file = freeFile(document.id(), hash);
    try {
      clearOthers(document.id(), hash, file, false);
      return folder.create(document, file);
    } catch (FileAlreadyExistsException e) {
      if (!isListed) {
        throw e;
      }
      found = null; // Somebody was quicker, or case does not matter in this file system.
      taken.remove(FileState.key(file).orElseThrow());
      return create(document, hash);
    }
  }

  private static boolean isOurs(
      FileCalls.Stat stat, @Nullable Copy copy, @Nullable FileState attempt) {
    return isAsLeft(stat, copy == null ? null : copy.file()) || isAsLeft(stat, attempt);
  }

  private static boolean isAsLeft(FileCalls.Stat stat, @Nullable FileState state) {
    return state != null && state.isUnchanged(stat.size(), stat.modifiedNanos());
  }

  /**
   * So many documents without files are about to be written: where they are many beside those in
   * the folder, one listing tells which names are free.
   */
  void expectNew(int documents) throws IOException {
    boolean isWorthIt =
        documents >= MIN_LISTED && documents >= collection.copies().size() / MAX_LISTED_PER_NEW;
    found = isWorthIt ? folder.fileKeys() : null;
  }

  private boolean isThere(String file) throws IOException {
    long[] names = found;
    if (names != null && Arrays.binarySearch(names, FileState.key(file).orElseThrow()) < 0) {
      return false;
    }
    return folder.stat(file).isPresent();
  }

  /** The first name of the id's hash that no other document has. */
  private String freeFile(String id, String hash) throws IOException {
    int first = hash.equals(Names.METADATA_HASH) ? 1 : 0;
    for (int n = first; n <= Names.MAX_NAMESAKES; n++) {
      String file = Names.namesake(hash, n) + folder.compression().extension();
      if (!taken.add(FileState.key(file).orElseThrow())) {
        continue;
      }
      if (!isThere(file)) {
        return file;
      }
      if (holds(file, id)) {
        disk.moveLazily(folder.path().resolve(file), free(versions(), file));
        return file;
      }
    }
    throw new IOException("all " + Names.MAX_NAMESAKES + " names of hash " + hash + " are taken");
  }

  /**
   * Moves other versions of a document out of the way, which another program left under the names
   * that it would use: they would win over the document, or bring it back, at the next start.
   *
   * @param numbered whether copies under our own numbered names count too, which no program makes
   *     but somebody's hand may
   */
  private void clearOthers(String id, String hash, String own, boolean numbered)
      throws IOException {
    int first = hash.equals(Names.METADATA_HASH) ? 1 : 0;
    int most = numbered ? Names.MAX_NAMESAKES : first;
    boolean any = true;
    for (int n = first; any && n <= most; n++) {
      any = n == first;
      for (Compression kind : Compression.values()) {
        String other = Names.namesake(hash, n) + kind.extension();
        if (other.equals(own)) {
          any = true;
        } else if (isThere(other)) {
          any = true;
          clearOther(id, other);
        }
      }
    }
  }

  private void clearOther(String id, String other) throws IOException {
    OptionalLong key = FileState.key(other);
    boolean isAnothers = key.isPresent() && taken.contains(key.getAsLong());
    if (!isAnothers && holds(other, id)) {
      disk.moveLazily(folder.path().resolve(other), free(versions(), other));
    }
  }

  /** What cannot be opened now stays: it is judged when the store is opened again. */
  private boolean holds(String file, String id) {
    try {
      return folder.holds(file, id);
    } catch (IOException e) {
      return false;
    }
  }
}
