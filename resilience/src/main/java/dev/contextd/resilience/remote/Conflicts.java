package dev.contextd.resilience.remote;

import dev.contextd.engine.Document;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.folder.GaveWay;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What gives way on the remote store to what is here: kept in the trash here, told, and counted.
 */
final class Conflicts {
  private static final Logger log = LoggerFactory.getLogger(Conflicts.class);

  private final VectorStore store;
  private final LongAdder found = new LongAdder();

  Conflicts(VectorStore store) {
    this.store = store;
  }

  /** Keeps documents, durably, before anything happens to them there. */
  void keep(StoredCollection collection, GaveWay how, List<Document> documents) {
    if (documents.isEmpty()) {
      return;
    }
    store.keepForeign(collection, how, documents.stream().map(Conflicts::stored).toList());
    found.add(documents.size());
    log.warn(
        "{} documents of {} on the remote store give way to what is here; ctxd remote conflicts lists them",
        documents.size(),
        collection.name());
  }

  /** How many documents have given way since the start. */
  long found() {
    return found.sum();
  }

  static StoredDocument stored(Document document) {
    return new StoredDocument(
        document.id(), document.metadata(), document.embedding(), document.content());
  }
}
