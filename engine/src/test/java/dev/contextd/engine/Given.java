package dev.contextd.engine;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What the engine's tests begin with: stores, documents, files as another program leaves them. */
final class Given {
  private Given() {}

  static VectorStore open(Path root) throws IOException {
    return VectorStore.open(root, StoreOptions.defaults());
  }

  static VectorCollection collection(VectorStore store, String name) {
    return store.collection(name, Scope.ALL).orElseThrow();
  }

  static NewDocument doc(String id, float... vector) {
    return NewDocument.of(id, "content of " + id, vector);
  }

  /** A document whose place in the plane does not matter. */
  static NewDocument doc(String id, Map<String, String> metadata) {
    return doc(id, 1, 0).withMetadata(metadata);
  }

  static List<String> ids(List<Document> documents) {
    return documents.stream().map(Document::id).toList();
  }

  static List<String> hits(QueryResult result) {
    return result.hits().stream().map(hit -> hit.document().id()).toList();
  }

  /** Puts a collection's folder in place as chromem-go would leave it; returns the folder. */
  static Path folder(Path root, String folder, String name) throws IOException {
    Path path = root.resolve(folder);
    Files.createDirectories(path);
    Files.write(
        path.resolve("00000000.gob"),
        MetadataFormat.encode(new StoredCollection(name, Map.of()), Compression.PLAIN));
    return path;
  }

  /** Puts a document's file in place, its vector as it is. */
  static Path file(Path folder, String file, String id, String content, float... vector)
      throws IOException {
    StoredDocument document = new StoredDocument(id, null, vector, content);
    return Files.write(
        folder.resolve(file), DocumentFormat.encode(document, Compression.ofFileName(file).get()));
  }

  /** All that a store serves, in a form that can be compared. */
  static Map<String, Map<String, String>> contents(VectorStore store) {
    Map<String, Map<String, String>> contents = new TreeMap<>();
    for (CollectionInfo info : store.collections(Scope.ALL)) {
      Map<String, String> documents = new TreeMap<>();
      documents.put("", info.metadata() + " " + info.dimension() + " " + info.model());
      VectorCollection collection = collection(store, info.name());
      Optional<String> after = Optional.empty();
      do {
        Page page = collection.page(after, Limits.MAX_PAGE_DOCUMENTS);
        page.documents().forEach(document -> documents.put(document.id(), describe(document)));
        after = page.next();
      } while (after.isPresent());
      contents.put(info.name(), documents);
    }
    return contents;
  }

  private static String describe(Document document) {
    return document.content()
        + " "
        + new TreeMap<>(document.metadata())
        + " "
        + Arrays.toString(document.embedding());
  }
}
