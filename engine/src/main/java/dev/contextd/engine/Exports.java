package dev.contextd.engine;

import dev.contextd.engine.VectorStore.ExportOptions;
import dev.contextd.engine.VectorStore.Imported;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.ExportFormat;
import dev.contextd.storage.chromem.ExportFormat.ExportedCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** A whole store to one file and back. */
final class Exports {
  /** What a single bad document causes, and the rest of its batch does not. */
  private static final Set<ErrorCode> REFUSALS =
      Set.of(ErrorCode.INVALID_ARGUMENT, ErrorCode.INVALID_VECTOR, ErrorCode.DIMENSION_MISMATCH);

  private Exports() {}

  static void write(EmbeddedStore store, Disk disk, Path file, ExportOptions options) {
    byte[] content = encode(store, options);
    try {
      if (disk.exists(file)) {
        throw Checks.invalid(file + " exists; choose another file");
      }
      disk.replaceDurably(List.of(new Disk.Image(file, content)));
    } catch (IOException e) {
      throw StoreException.ofDisk("writing the export " + file, e);
    }
  }

  static byte[] encode(EmbeddedStore store, ExportOptions options) {
    requireKey(options.key());
    List<ExportedCollection> collections = new ArrayList<>();
    for (VectorStore.Contents contents : store.contents()) {
      List<StoredDocument> documents = new ArrayList<>();
      contents.documents().forEach(documents::add);
      collections.add(new ExportedCollection(contents.stored(), documents));
    }
    Compression compression = options.compress() ? Compression.GZIP : Compression.PLAIN;
    return ExportFormat.encode(
        collections, compression, options.key().orElse(null), new SecureRandom());
  }

  static Imported read(EmbeddedStore store, Disk disk, Path file, Optional<byte[]> key) {
    try {
      return read(store, disk.read(file), file.toString(), key);
    } catch (IOException e) {
      throw StoreException.ofDisk("reading the export " + file, e);
    }
  }

  static Imported read(EmbeddedStore store, byte[] content, String origin, Optional<byte[]> key) {
    requireKey(key);
    List<ExportedCollection> collections;
    try {
      collections = ExportFormat.decode(content, key.orElse(null));
    } catch (FormatException e) {
      throw new StoreException(
          ErrorCode.INVALID_ARGUMENT, origin + " is no export: " + e.reason(), e);
    }
    List<String> refused = new ArrayList<>();
    int documents = 0;
    for (ExportedCollection exported : collections) {
      documents += readCollection(store, exported, refused);
    }
    return new Imported(collections.size(), documents, refused);
  }

  private static int readCollection(
      EmbeddedStore store, ExportedCollection exported, List<String> refused) {
    String name = exported.collection().name();
    Map<String, String> metadata = exported.collection().metadata();
    store.create(name, metadata == null ? Map.of() : metadata);
    VectorCollection collection = store.collection(name, Scope.ALL).orElseThrow();
    List<NewDocument> documents =
        majorityFirst(exported.documents()).stream().map(NewDocument::again).toList();
    int taken = 0;
    for (int from = 0; from < documents.size(); from += Limits.MAX_BATCH_DOCUMENTS) {
      int to = Math.min(documents.size(), from + Limits.MAX_BATCH_DOCUMENTS);
      taken += upsert(collection, documents.subList(from, to), refused);
    }
    return taken;
  }

  /** The first document decides the dimension of an empty collection: it must not be an odd one. */
  private static List<StoredDocument> majorityFirst(List<StoredDocument> documents) {
    Map<Integer, Long> votes =
        documents.stream()
            .map(document -> document.embedding().length)
            .filter(dimension -> dimension > 0)
            .collect(Collectors.groupingBy(dimension -> dimension, Collectors.counting()));
    int majority =
        votes.entrySet().stream()
            .max(Map.Entry.comparingByValue())
            .map(Map.Entry::getKey)
            .orElse(0);
    return documents.stream()
        .sorted(Comparator.comparing(document -> document.embedding().length != majority))
        .toList();
  }

  /** A batch that is refused is taken apart, so that one bad document costs only itself. */
  private static int upsert(
      VectorCollection collection, List<NewDocument> documents, List<String> refused) {
    try {
      collection.upsert(documents);
      return documents.size();
    } catch (StoreException e) {
      if (!REFUSALS.contains(e.code())) {
        throw e;
      }
      if (documents.size() == 1) {
        refused.add(documents.getFirst().id().orElse("") + ": " + e.getMessage());
        return 0;
      }
      int half = documents.size() / 2;
      return upsert(collection, documents.subList(0, half), refused)
          + upsert(collection, documents.subList(half, documents.size()), refused);
    }
  }

  private static void requireKey(Optional<byte[]> key) {
    if (key.isPresent() && key.get().length != ExportFormat.KEY_BYTES) {
      throw Checks.invalid(
          "an encryption key has %d bytes, found %d"
              .formatted(ExportFormat.KEY_BYTES, key.get().length));
    }
  }
}
