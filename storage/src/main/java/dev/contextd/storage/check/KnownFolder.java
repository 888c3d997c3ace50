package dev.contextd.storage.check;

import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What we ourselves know of a collection's folder, whatever lies there now: from the manifest, the
 * packs and the journal. It is what tells damage from the work of another program.
 */
public interface KnownFolder extends Disk.Left {

  /** The collection as it was created. */
  StoredCollection collection();

  /** Whether the metadata file is as we last saw it. */
  boolean isMetadataUnchanged(Disk.Entry file);

  /**
   * The metadata file of a folder of which everything was found to be as it was left, with all
   * files that we know and no other name; empty where each has to be looked up.
   */
  default Optional<Disk.Entry> metadataAsLeft(Path folder) {
    return Optional.empty();
  }

  /** The document whose file this is; null where we know no such file. */
  default @Nullable KnownFile file(String name) {
    int number = number(name);
    return number < 0 ? null : file(number);
  }

  /** The number of a file we know; negative where we know no such file. */
  default int number(String name) {
    OptionalLong key = FileState.key(name);
    return key.isEmpty() ? -1 : number(key.getAsLong());
  }

  /**
   * A number from 0 that stands for a file we know; negative where we know no such file.
   *
   * @param key as {@link FileState#key}
   */
  int number(long key);

  KnownFile file(int number);

  /** Whether a file we know may be taken for unchanged if this is its size and time now. */
  boolean isUnchanged(int number, long size, long modifiedNanos);

  /** The file of a document; null where we know none. */
  @Nullable KnownFile ofId(String id);

  /** How many files we know. */
  int files();

  void forEachFile(BiConsumer<String, FileState> action);

  /** The dimension of the known documents; 0 where there are none. */
  int dimension();

  /**
   * Whether the journal holds a version of the document that its files may lack: then they may be
   * old, new, absent or torn, and are ours all the same.
   */
  boolean isInFlux(String id);

  /** The document in flux whose file's name has this hash. */
  Optional<String> inFluxByHash(String hash);

  /** Whether this is a version of the document that we wrote, or were about to write. */
  boolean isOurs(StoredDocument document);

  /**
   * Whether a file of this size may be what is left of a version of ours that is in flux: pages
   * that never reached the disk may leave a file that can be read and says nothing true.
   */
  boolean mayBeTorn(String id, long size);

  /** Whether no pack is damaged, so that what we do not know is another program's. */
  boolean knowsAll();

  /** Whether all deletions are known, so that a file that is missing is a loss. */
  boolean knowsDeletions();

  /** Whether the store still lies where it lay, and was not copied or restored to here. */
  boolean isSamePlace();

  /** A file we know, and the document in it. */
  record KnownFile(String id, FileState state) {}
}
