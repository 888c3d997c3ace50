package dev.contextd.engine;

import dev.contextd.engine.VectorStore.Merged;
import dev.contextd.engine.search.Row;
import dev.contextd.engine.search.Snapshot;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.IntactCollection;
import dev.contextd.storage.check.IntactCollection.IntactDocument;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredDocument;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Documents that come back from elsewhere, beside what was written meanwhile. */
final class Merging {
  private final EmbeddedStore store;
  private final IntactCollection found;
  private final boolean keepsBoth;
  private int added;
  private int replaced;
  private int older;

  private Merging(EmbeddedStore store, IntactCollection found, boolean keepsBoth) {
    this.store = store;
    this.found = found;
    this.keepsBoth = keepsBoth;
  }

  /** Of two versions the one whose file is newer is served; a present one that is not, is kept. */
  static Merged merge(EmbeddedStore store, IntactCollection found, boolean keepsBoth) {
    store.requireWritable();
    return new Merging(store, found, keepsBoth).run();
  }

  private Merged run() {
    String name = found.collection().name();
    boolean isNew = store.collection(name, Scope.ALL).isEmpty();
    if (isNew) {
      store.create(name, found.collection().metadataOrEmpty());
    }
    EmbeddedCollection target = store.requireServed(name);
    try {
      if (isNew) {
        noteLost(target);
      }
      requireFitting(target);
      store.checkpoint(); // From here on every present version has a file, and its time.
      Restoring.putBack(target, wanted(target));
    } catch (IOException e) {
      throw StoreException.ofDisk("restoring the collection \"" + name + "\"", e);
    }
    store.checkpoint();
    return new Merged(name, isNew, added, replaced, older);
  }

  private void noteLost(EmbeddedCollection target) throws IOException {
    for (Damage damage : found.damage()) {
      if (damage instanceof Damage.MetadataUnknown lost) {
        store.noteLost(target, lost.sentence());
      }
    }
  }

  private void requireFitting(EmbeddedCollection target) {
    int dimension = target.snapshot().dimension();
    if (dimension != 0 && found.dimension() != 0 && dimension != found.dimension()) {
      throw new StoreException(
          ErrorCode.DIMENSION_MISMATCH,
          "the collection \"%s\" was created anew with vectors of dimension %d, what is to be restored has %d; delete or rename one of them"
              .formatted(target.name(), dimension, found.dimension()));
    }
  }

  private List<StoredDocument> wanted(EmbeddedCollection target) {
    Map<String, FileState> files = store.keeper().filesOf(target.kept());
    Snapshot snapshot = target.snapshot();
    List<StoredDocument> wanted = new ArrayList<>();
    for (IntactDocument document : found.documents()) {
      Row present = snapshot.get(document.document().id());
      if (present == null) {
        added++;
        wanted.add(document.document());
      } else if (!present.stored().hasSameContentAs(document.document())) {
        FileState file = files.get(document.document().id());
        boolean isNewer = file != null && document.state().modifiedNanos() > file.modifiedNanos();
        replaced += isNewer ? 1 : 0;
        older += isNewer ? 0 : 1;
        StoredDocument loser = isNewer ? present.stored() : document.document();
        if (isNewer) {
          wanted.add(document.document());
        }
        if (keepsBoth) {
          wanted.add(renamed(loser, snapshot));
        }
      }
    }
    return wanted;
  }

  /** The other version of a document, under an id that is free. */
  private static StoredDocument renamed(StoredDocument document, Snapshot snapshot) {
    String id = document.id() + ".other";
    for (int n = 2; snapshot.get(id) != null; n++) {
      id = document.id() + ".other" + n;
    }
    return new StoredDocument(id, document.metadata(), document.embedding(), document.content());
  }
}
