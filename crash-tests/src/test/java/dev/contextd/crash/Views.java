package dev.contextd.crash;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Document;
import dev.contextd.engine.Limits;
import dev.contextd.engine.Page;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.check.KnownStore;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.parallel.Workers;
import dev.contextd.testkit.ChromemGo;
import dev.contextd.testkit.ChromemGo.Coll;
import dev.contextd.testkit.ChromemGo.Doc;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** All that a store holds, to the last bit, in one form whoever tells it: collections by name. */
final class Views {
  private Views() {}

  /** What an open store serves. */
  static Map<String, Coll> of(VectorStore store) {
    Map<String, Coll> view = new TreeMap<>();
    for (CollectionInfo info : store.collections(Scope.ALL)) {
      VectorCollection collection = store.collection(info.name(), Scope.ALL).orElseThrow();
      Map<String, Doc> documents = new TreeMap<>();
      Optional<String> after = Optional.empty();
      do {
        Page page = collection.page(after, Limits.MAX_PAGE_DOCUMENTS);
        page.documents().forEach(found -> documents.put(found.id(), doc(found)));
        after = page.next();
      } while (after.isPresent());
      view.put(info.name(), new Coll(new TreeMap<>(info.metadata()), documents));
    }
    return view;
  }

  private static Doc doc(Document found) {
    return new Doc(
        new TreeMap<>(found.metadata()), ChromemGo.bits(found.embedding()), found.content());
  }

  /** A document of a file or of the journal. */
  static Doc of(StoredDocument document) {
    return new Doc(document.metadata(), ChromemGo.bits(document.embedding()), document.content())
        .withoutNull();
  }

  /** What the gob files of a folder hold, and nothing else knows: the view of chromem-go. */
  static Map<String, Coll> ofFiles(Path root) throws IOException {
    Map<String, Coll> view = new TreeMap<>();
    new StoreCheck(new LocalDisk(), Workers.common())
        .check(
            root,
            KnownStore.NOTHING,
            intact -> {
              Map<String, Doc> documents = new TreeMap<>();
              intact
                  .documents()
                  .forEach(found -> documents.put(found.document().id(), of(found.document())));
              view.put(
                  intact.collection().name(), new Coll(intact.collection().metadata(), documents));
            });
    return ChromemGo.withoutNull(view);
  }
}
