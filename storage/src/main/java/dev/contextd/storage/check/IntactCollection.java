package dev.contextd.storage.check;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import java.nio.file.Path;
import java.util.List;

/**
 * What is intact in one collection's folder.
 *
 * @param compression how new files of this folder are written
 * @param documents each id once, every vector of {@code dimension}, finite and not zero
 * @param dimension 0 where there is no document
 * @param damage what else was found in the folder
 */
public record IntactCollection(
    Path folder,
    StoredCollection collection,
    Compression compression,
    int dimension,
    List<IntactDocument> documents,
    List<Damage> damage) {

  /** A document and the file it came from. */
  public record IntactDocument(StoredDocument document, String file) {}

  /** Takes the intact collections of a store one after another. */
  @FunctionalInterface
  public interface Sink {
    void accept(IntactCollection collection);
  }
}
