package dev.contextd.engine;

import dev.contextd.engine.VectorStore.TrashEntry;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.MetadataFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.Trash;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What lies in the trash, and its way back. */
final class Restoring {
  private static final Logger log = LoggerFactory.getLogger(Restoring.class);

  private static final Pattern NUMBERED = Pattern.compile("(\\d{1,9})\\..+\\.gob(\\.gz)?");

  private Restoring() {}

  static List<TrashEntry> list(EmbeddedStore store) {
    try {
      List<TrashEntry> entries = new ArrayList<>();
      for (Trash.Entry entry : store.keeper().trash().list()) {
        if (!entry.kind().equals("damaged")) {
          boolean isCollection = entry.kind().equals("collection");
          entries.add(
              new TrashEntry(
                  entry.name(),
                  entry.kind(),
                  entry.folder(),
                  isCollection ? Optional.empty() : store.collectionIn(entry.folder()),
                  entry.since(),
                  documents(entry.files())));
        }
      }
      return entries;
    } catch (IOException e) {
      throw StoreException.ofDisk("listing the trash", e);
    }
  }

  /** Beside documents an entry may hold a collection's metadata and the record of its model. */
  static int documents(List<Disk.Entry> files) {
    return (int)
        files.stream()
            .filter(file -> !isMetadata(file))
            .filter(file -> Compression.ofFileName(file.name()).isPresent())
            .count();
  }

  private static boolean isMetadata(Disk.Entry file) {
    return file.name().contains(Names.METADATA_HASH + ".gob");
  }

  /**
   * What the files of an entry hold; of a document that was deleted more than once the last
   * version.
   *
   * @param collection empty where it has no metadata
   */
  record Read(Optional<StoredCollection> collection, Map<String, NewDocument> byId) {}

  static Read read(Disk disk, List<Disk.Entry> files) throws IOException {
    Optional<StoredCollection> collection = Optional.empty();
    Map<String, NewDocument> byId = new LinkedHashMap<>();
    List<Disk.Entry> inOrder = new ArrayList<>(files);
    inOrder.sort(Comparator.comparingInt(file -> numberBefore(file.name())));
    for (Disk.Entry file : inOrder) {
      if (isMetadata(file)) {
        collection = metadata(disk, file);
      } else if (Compression.ofFileName(file.name()).isPresent()) {
        document(disk, file).ifPresent(found -> byId.put(found.id().orElseThrow(), found));
      }
    }
    return new Read(collection, byId);
  }

  /** The N of {@code N.<name>}, which a file bears that came to the trash later; else 0. */
  private static int numberBefore(String name) {
    Matcher matcher = NUMBERED.matcher(name);
    return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
  }

  /** Present versions that are replaced are deleted first, so that they go to the trash. */
  static int restore(EmbeddedStore store, Disk disk, String entry) {
    store.requireWritable();
    Read read;
    try {
      read = read(disk, store.keeper().trash().files(entry));
    } catch (NoSuchFileException e) {
      throw Checks.invalid("there is no \"" + entry + "\" in the trash");
    } catch (IOException e) {
      throw StoreException.ofDisk("reading the entry " + entry, e);
    }
    VectorCollection target = target(store, entry, read.collection());
    List<NewDocument> documents = List.copyOf(read.byId().values());
    requireFitting(target, documents, entry);
    for (int from = 0; from < documents.size(); from += Limits.MAX_BATCH_DOCUMENTS) {
      List<NewDocument> batch =
          documents.subList(from, Math.min(documents.size(), from + Limits.MAX_BATCH_DOCUMENTS));
      target.delete(batch.stream().map(document -> document.id().orElseThrow()).toList());
      target.upsert(batch);
    }
    return documents.size();
  }

  /** A collection that fails halfway is whole again after the next try: nothing is ever deleted. */
  static int replace(EmbeddedStore store, VectorStore.Contents contents) {
    store.requireWritable();
    String name = contents.stored().name();
    if (store.collection(name, Scope.ALL).isPresent()) {
      store.delete(name, Scope.ALL);
      store.checkpoint(); // Its folder is in the trash, so that the new one has the plain name.
    }
    store.create(name, contents.stored().metadataOrEmpty());
    EmbeddedCollection target = store.requireServed(name);
    int count = 0;
    try {
      if (contents.isMetadataUnknown()) {
        store.noteLost(target, "It was not known when the backup was made.");
      }
      if (contents.model().isPresent()) {
        store.folder().recordModel(target.kept().folder(), contents.model().get());
        target.noteModel(contents.model());
      }
    } catch (IOException e) {
      throw StoreException.ofDisk("restoring the collection \"" + name + "\"", e);
    }
    List<NewDocument> batch = new ArrayList<>();
    for (StoredDocument document : contents.documents()) {
      batch.add(NewDocument.again(document));
      count++;
      if (batch.size() == Limits.MAX_BATCH_DOCUMENTS) {
        target.upsert(batch, Scope.ALL);
        batch.clear();
      }
    }
    if (!batch.isEmpty()) {
      target.upsert(batch, Scope.ALL);
    }
    store.checkpoint();
    return count;
  }

  /** Present versions are deleted first, so that they go to the trash. */
  static void putBack(EmbeddedCollection target, List<StoredDocument> documents) {
    for (int from = 0; from < documents.size(); from += Limits.MAX_BATCH_DOCUMENTS) {
      List<StoredDocument> batch =
          documents.subList(from, Math.min(documents.size(), from + Limits.MAX_BATCH_DOCUMENTS));
      target.delete(batch.stream().map(StoredDocument::id).toList(), Scope.ALL);
      target.upsert(batch.stream().map(NewDocument::again).toList(), Scope.ALL);
    }
  }

  private static Optional<StoredCollection> metadata(Disk disk, Disk.Entry file)
      throws IOException {
    try {
      return Optional.of(MetadataFormat.decode(disk.read(file.path())).value());
    } catch (FormatException e) {
      throw Checks.invalid("the entry's metadata cannot be read: " + e.reason());
    }
  }

  /** A file that cannot be read stays in the trash; it costs only itself. */
  private static Optional<NewDocument> document(Disk disk, Disk.Entry file) throws IOException {
    try {
      return Optional.of(NewDocument.again(DocumentFormat.decode(disk.read(file.path())).value()));
    } catch (FormatException e) {
      log.warn("{} is not restored: {}", file.path(), e.reason());
      return Optional.empty();
    }
  }

  /** Refused as a whole before anything that is there gives way. */
  private static void requireFitting(
      VectorCollection target, List<NewDocument> documents, String entry) {
    int dimension =
        target
            .info()
            .dimension()
            .orElse(
                documents.isEmpty() ? 0 : documents.getFirst().embedding().orElseThrow().length);
    for (NewDocument document : documents) {
      float[] vector = document.embedding().orElseThrow();
      Checks.vector(vector, "a document of the entry " + entry);
      Checks.dimension(dimension, vector.length, "a document of the entry " + entry);
    }
  }

  private static VectorCollection target(
      EmbeddedStore store, String entry, Optional<StoredCollection> collection) {
    if (collection.isPresent()) {
      StoredCollection stored = collection.get();
      if (store.collection(stored.name(), Scope.ALL).isEmpty()) {
        store.create(stored.name(), stored.metadataOrEmpty());
      }
      return store.collection(stored.name(), Scope.ALL).orElseThrow();
    }
    String folder = entry.substring(entry.indexOf('-') + 1);
    int dot = folder.indexOf('.');
    return store
        .collectionIn(dot < 0 ? folder : folder.substring(0, dot))
        .flatMap(name -> store.collection(name, Scope.ALL))
        .orElseThrow(() ->
            Checks.invalid(
                "the collection of the entry " + entry + " is gone; restore the collection first"));
  }
}
