package dev.contextd.engine;

import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.IntactCollection.IntactDocument;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Another program's work on a collection that is being served: its versions are journalled like
 * writes of ours, so that a restart knows them, but their files stay as they are.
 */
final class Adoption {
  /** So many documents go into one record of the journal. */
  private static final int BATCH_DOCUMENTS = 200;

  private final EmbeddedStore store;
  private final EmbeddedCollection collection;

  Adoption(EmbeddedStore store, EmbeddedCollection collection) {
    this.store = store;
    this.collection = collection;
  }

  void of(IntactCollection found) {
    int dimension = collection.snapshot().dimension();
    if (dimension != 0 && !found.documents().isEmpty() && found.dimension() != dimension) {
      throw Checks.invalid(
          "the folder %s holds vectors of dimension %d now, served are %d; restart to settle it"
              .formatted(collection.folderName(), found.dimension(), dimension));
    }
    try {
      metadata(found);
      touched(found);
      documents(found);
      deleted(found);
    } catch (IOException e) {
      throw StoreException.ofDisk("adopting what is in the folder " + collection.folderName(), e);
    }
  }

  private void metadata(IntactCollection found) throws IOException {
    StoredCollection stored = found.collection();
    if (found.metadataFile().isPresent()) {
      if (!stored.name().equals(collection.name())) {
        throw Checks.invalid(
            "the folder %s names the collection \"%s\" now; restart to settle it"
                .formatted(collection.folderName(), stored.name()));
      }
      store.keeper().metadataChanged(collection.kept(), stored, found.metadataFile().orElseThrow());
    }
  }

  /** Files that hold what we know, and merely look otherwise. */
  private void touched(IntactCollection found) {
    Map<String, FileState> files = new HashMap<>(found.differences().present());
    files.keySet().removeIf(collection.kept()::isInFlux);
    collection.kept().readopt(files);
  }

  private void documents(IntactCollection found) throws IOException {
    List<StoredDocument> documents = new ArrayList<>();
    Map<String, FileState> files = new HashMap<>();
    for (IntactDocument one : found.documents()) {
      documents.add(one.document());
      files.put(one.document().id(), one.state());
    }
    for (int from = 0; from < documents.size(); from += BATCH_DOCUMENTS) {
      int to = Math.min(documents.size(), from + BATCH_DOCUMENTS);
      collection.writes().adopt(documents.subList(from, to), files);
    }
  }

  private void deleted(IntactCollection found) throws IOException {
    List<String> gone = new ArrayList<>(found.differences().superseded());
    found.documents().forEach(one -> gone.remove(one.document().id()));
    if (!gone.isEmpty()) {
      collection.writes().forget(gone);
    }
  }
}
