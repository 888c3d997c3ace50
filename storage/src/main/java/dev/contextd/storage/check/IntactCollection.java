package dev.contextd.storage.check;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What is intact in one collection's folder.
 *
 * @param compression how new files of this folder are written
 * @param documents each id once, every vector of {@code dimension}, finite and not zero
 * @param dimension 0 where there is no document
 * @param known what we knew of the folder; its documents are served too, but for the superseded
 * @param differences between the folder and what we knew
 * @param metadataFile the metadata file as it stands; empty where it is not there or not read
 * @param damage what else was found in the folder
 */
public record IntactCollection(
    Path folder,
    StoredCollection collection,
    Compression compression,
    int dimension,
    List<IntactDocument> documents,
    Optional<KnownFolder> known,
    Differences differences,
    Optional<FileState> metadataFile,
    List<Damage> damage) {

  /** How many documents are served, those that we knew included. */
  public int served() {
    return documents.size()
        + known.map(folder -> folder.files() - differences.superseded().size()).orElse(0);
  }

  /** Why the folder could not be listed; nothing but what we knew of it is known then. */
  public Optional<String> unreadable() {
    return damage.stream()
        .filter(Damage.FolderUnreadable.class::isInstance)
        .map(found -> ((Damage.FolderUnreadable) found).reason())
        .findFirst();
  }

  /** A document and the file it came from. */
  public record IntactDocument(StoredDocument document, String file, FileState state) {}

  /** Takes the intact collections of a store one after another. */
  @FunctionalInterface
  public interface Sink {
    void accept(IntactCollection collection);
  }
}
