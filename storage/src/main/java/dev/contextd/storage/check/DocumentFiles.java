package dev.contextd.storage.check;

import dev.contextd.storage.check.IntactCollection.IntactDocument;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Decoded;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The documents of one folder: read in parallel, then judged against their file names, against each
 * other, and against the collection's dimension.
 */
final class DocumentFiles {
  /** What reading one file gave: a document, its damage, or that there was no memory for it. */
  private sealed interface Read {
    record Good(Disk.Entry entry, Decoded<StoredDocument> decoded, FileState state)
        implements Read {}

    record Bad(Disk.Entry entry, Damage damage) implements Read {}

    record NoMemory(Disk.Entry entry, Damage damage) implements Read {}
  }

  /** So many documents tell whose the collection is. */
  private static final int MAX_ASKED_FOR_NAMES = 200;

  private final FolderFiles files;
  private final boolean takesMisplaced;
  private final @Nullable KnownFolder known;
  private final List<Damage> damage;
  private final Map<String, IntactDocument> served = new LinkedHashMap<>();
  private final Differences differences = Differences.none();

  /** Files we know that are there, unchanged or not, by their numbers. */
  private final BitSet seen = new BitSet();

  /** Known files that are as we left them: a folder created anew has none. */
  private int unchanged;

  private DocumentFiles(FolderFiles files, boolean takesMisplaced) {
    this.files = files;
    this.takesMisplaced = takesMisplaced;
    this.known = files.known;
    this.damage = files.damage;
  }

  /** Reads and judges all documents; what is wrong is added to the folder's damage. */
  static IntactCollection read(
      Disk disk, Workers workers, FolderFiles files, StoredCollection collection) {
    return read(disk, workers, files, collection, false);
  }

  /**
   * As {@link #read(Disk, Workers, FolderFiles, StoredCollection)}.
   *
   * @param takesMisplaced whether a file counts whose name does not belong to the id inside
   */
  static IntactCollection read(
      Disk disk,
      Workers workers,
      FolderFiles files,
      StoredCollection collection,
      boolean takesMisplaced) {
    DocumentFiles documents = new DocumentFiles(files, takesMisplaced);
    documents.judgeNames(readAll(disk, workers, files.folder, documents.unsettled()));
    documents.judgeMissing(collection);
    int dimension = documents.judgeVectors();
    return new IntactCollection(
        files.path,
        collection,
        files.compression,
        dimension,
        List.copyOf(documents.served.values()),
        Optional.ofNullable(files.known),
        documents.differences,
        files.metadataState,
        List.copyOf(files.damage));
  }

  /** The metadata of some documents of a folder, from which its collection's name may be told. */
  static List<Map<String, String>> metadata(Disk disk, FolderFiles files) {
    List<Map<String, String>> found = new ArrayList<>();
    for (Disk.Entry entry : files.documents) {
      if (found.size() < MAX_ASKED_FOR_NAMES
          && read(disk, files.folder, entry) instanceof Read.Good good) {
        found.add(good.decoded().value().metadataOrEmpty());
      }
    }
    return found;
  }

  /** The files that are not as we last saw them, or that we never saw. */
  private List<Disk.Entry> unsettled() {
    KnownFolder from = known;
    if (from == null) {
      return files.ownKindLast(files.documents);
    }
    List<Disk.Entry> unsettled = new ArrayList<>();
    seen.or(files.asLeft);
    unchanged = files.leftFiles;
    for (Disk.Entry entry : files.documents) {
      int number = from.number(entry.name());
      if (number >= 0) {
        seen.set(number);
      }
      if (number >= 0 && from.isUnchanged(number, entry.size(), entry.modifiedNanos())) {
        unchanged++;
      } else {
        unsettled.add(entry);
      }
    }
    return files.ownKindLast(unsettled);
  }

  private static List<Read> readAll(
      Disk disk, Workers workers, String folder, List<Disk.Entry> entries) {
    if (entries.isEmpty()) {
      return List.of();
    }
    Read[] results = new Read[entries.size()];
    workers.forEach(results.length, i -> results[i] = read(disk, folder, entries.get(i)));
    // One file that is too large takes the memory of those beside it: each gets it once alone.
    for (int i = 0; i < results.length; i++) {
      if (results[i] instanceof Read.NoMemory failed) {
        results[i] = read(disk, folder, failed.entry());
      }
    }
    return Arrays.asList(results);
  }

  private static Read read(Disk disk, String folder, Disk.Entry entry) {
    try {
      byte[] content = disk.read(entry.path());
      return new Read.Good(entry, DocumentFormat.decode(content), stateOf(entry, content));
    } catch (FormatException e) {
      return new Read.Bad(entry, new Damage.DocumentUnreadable(folder, entry.name(), e.reason()));
    } catch (OutOfMemoryError e) {
      return new Read.NoMemory(entry, inaccessible(folder, entry, e));
    } catch (IOException | RuntimeException e) {
      // Neither a file that would not open nor a bug of ours is damage to the file: it stays.
      return new Read.Bad(entry, inaccessible(folder, entry, e));
    }
  }

  private static Damage inaccessible(String folder, Disk.Entry entry, Throwable reason) {
    return new Damage.Inaccessible(
        folder, entry.name(), StoreCheck.describe(reason), Damage.Loss.DOCUMENT);
  }

  private static FileState stateOf(Disk.Entry entry, byte[] content) {
    return FileState.key(entry.name()).isEmpty()
        ? new FileState(0, content.length, entry.modifiedNanos(), 0)
        : FileState.of(entry.name(), content.length, entry.modifiedNanos(), content);
  }

  /**
   * Files come with the folder's own kind last, so that of two proper ones the later wins. Whose id
   * was altered by decoding comes after all others, so that it takes no other document's place.
   */
  private void judgeNames(List<Read> reads) {
    List<Read.Good> misplaced = new ArrayList<>();
    List<Read.Good> altered = new ArrayList<>();
    for (Read read : reads) {
      switch (read) {
        case Read.Bad bad -> judgeBad(bad.entry(), bad.damage());
        case Read.NoMemory failed -> judgeBad(failed.entry(), failed.damage());
        case Read.Good good -> {
          String name = good.entry().name();
          String stem = Compression.ofFileName(name).orElseThrow().stem(name);
          if (!Names.belongs(stem, good.decoded().hash())) {
            misplaced.add(good);
          } else if (!good.decoded().isExact(good.decoded().value().id())) {
            altered.add(good);
          } else {
            serve(good);
          }
        }
      }
    }
    altered.forEach(this::serve);
    misplaced.forEach(this::judgeMisplaced);
  }

  private void judgeBad(Disk.Entry entry, Damage bad) {
    KnownFolder from = known;
    String name = entry.name();
    KnownFolder.KnownFile file = from == null ? null : from.file(name);
    if (from == null || (file == null && from.inFluxByHash(hashOf(name)).isEmpty())) {
      damage.add(bad);
      return;
    }
    String id = file == null ? from.inFluxByHash(hashOf(name)).orElseThrow() : file.id();
    if (bad instanceof Damage.Inaccessible found) {
      damage.add(new Damage.Inaccessible(files.folder, name, found.reason(), Damage.Loss.NOTHING));
    } else if (from.isInFlux(id)) {
      // Torn by the end of the process that wrote it: it is written again from the journal.
      notePresent(id, entry);
    } else {
      damage.add(
          new Damage.DocumentSpoiled(
              files.folder, name, id, ((Damage.DocumentUnreadable) bad).reason()));
    }
  }

  private void notePresent(String id, Disk.Entry entry) {
    FileState.key(entry.name())
        .ifPresent(key ->
            differences
                .present()
                .put(id, new FileState(key, entry.size(), entry.modifiedNanos(), 0)));
  }

  /** Whether the file is one of ours that holds what we know, whatever its time. */
  private boolean isSettled(Read.Good good) {
    KnownFolder from = known;
    if (from == null) {
      return false;
    }
    StoredDocument document = good.decoded().value();
    KnownFolder.KnownFile file = from.file(good.entry().name());
    boolean isItsFile = file != null && file.id().equals(document.id());
    if ((isItsFile || from.isInFlux(document.id())) && from.isOurs(document)) {
      differences.present().put(document.id(), good.state());
      return true;
    }
    boolean isInFlux = from.isInFlux(document.id());
    if (isInFlux && (!from.knowsAll() || from.mayBeTorn(document.id(), good.state().size()))) {
      return true; // The journal has the last word.
    }
    if (isItsFile || from.isInFlux(document.id())) {
      differences.superseded().add(document.id());
      damage.add(new Damage.DocumentChanged(files.folder, good.entry().name(), document.id()));
    } else if (file != null) {
      seen.clear(
          from.number(
              good.entry().name())); // It holds another document now: ours is gone from here.
    }
    return false;
  }

  /** What we know and is not there: lost, or deleted together with the whole collection. */
  private void judgeMissing(StoredCollection collection) {
    KnownFolder from = known;
    if (from == null || files.isAllAsLeft || seen.cardinality() == from.files()) {
      return;
    }
    List<String> deleted = new ArrayList<>();
    from.forEachFile((id, state) -> {
      if (seen.get(from.number(state.name())) || from.isInFlux(id) || served.containsKey(id)) {
        return;
      }
      if (files.isRewritten && unchanged == 0) {
        deleted.add(id);
      } else if (!from.knowsDeletions()) {
        differences.superseded().add(id);
      } else {
        damage.add(new Damage.DocumentMissing(files.folder, state.name(), id));
      }
    });
    if (!deleted.isEmpty()) {
      differences.superseded().addAll(deleted);
      damage.add(new Damage.CollectionRecreated(files.folder, collection.name(), deleted.size()));
    }
  }

  private void serve(Read.Good good) {
    if (isSettled(good)) {
      return;
    }
    StoredDocument document = good.decoded().value();
    IntactDocument now = new IntactDocument(document, good.entry().name(), good.state());
    IntactDocument before = served.get(document.id());
    if (before == null && yieldsToKnown(good)) {
      return;
    }
    if (before != null && !hashOf(before.file()).equals(hashOf(now.file()))) {
      damage.add(
          new Damage.DocumentAmbiguous(files.folder, now.file(), document.id(), before.file()));
      return;
    }
    if (before != null) {
      damage.add(
          before.document().hasSameContentAs(document)
              ? new Damage.DocumentCopy(files.folder, before.file(), document.id(), now.file())
              : new Damage.DocumentDuplicate(
                  files.folder, before.file(), document.id(), now.file()));
    }
    served.put(document.id(), now);
    StoreCheck.noteReading(good.decoded(), files.folder, good.entry().name(), damage);
  }

  /** Whether a known file of the same document wins over this one, of which we know nothing. */
  private boolean yieldsToKnown(Read.Good good) {
    KnownFolder from = known;
    String id = good.decoded().value().id();
    KnownFolder.KnownFile ours = from == null ? null : from.ofId(id);
    if (from == null || ours == null || ours.state().name().equals(good.entry().name())) {
      return false;
    }
    String other = ours.state().name();
    if (!hashOf(other).equals(hashOf(good.entry().name()))) {
      damage.add(new Damage.DocumentAmbiguous(files.folder, good.entry().name(), id, other));
      return true;
    }
    if (from.isOurs(good.decoded().value())) {
      damage.add(new Damage.DocumentCopy(files.folder, good.entry().name(), id, other));
      return true;
    }
    boolean isLater =
        good.entry().name().compareTo(other) > 0
            && good.state().modifiedNanos() >= ours.state().modifiedNanos();
    if (isLater) {
      differences.superseded().add(id);
      damage.add(new Damage.DocumentDuplicate(files.folder, other, id, good.entry().name()));
      return false;
    }
    damage.add(new Damage.DocumentDuplicate(files.folder, good.entry().name(), id, other));
    return true;
  }

  /** The hash in a name that was proven to belong to its document. */
  private static String hashOf(String file) {
    return file.substring(0, Math.min(file.length(), Names.METADATA_HASH.length()));
  }

  private void judgeMisplaced(Read.Good good) {
    StoredDocument document = good.decoded().value();
    String file = good.entry().name();
    Optional<String> twin = twin(document);
    if (takesMisplaced && twin.isEmpty() && !served.containsKey(document.id())) {
      served.put(document.id(), new IntactDocument(document, file, good.state()));
      return;
    }
    damage.add(
        twin.isPresent()
            ? new Damage.DocumentCopy(files.folder, file, document.id(), twin.get())
            : new Damage.DocumentMisplaced(
                files.folder,
                file,
                document.id(),
                good.decoded().hash() + files.compression.extension()));
  }

  /** The file from which the very same document is served. */
  private Optional<String> twin(StoredDocument document) {
    IntactDocument found = served.get(document.id());
    if (found != null) {
      return found.document().hasSameContentAs(document)
          ? Optional.of(found.file())
          : Optional.empty();
    }
    KnownFolder from = known;
    KnownFolder.KnownFile file = from == null ? null : from.ofId(document.id());
    return from != null && file != null && from.isOurs(document)
        ? Optional.of(file.state().name())
        : Optional.empty();
  }

  /**
   * Takes out what cannot be searched; returns the majority's dimension; on a tie what we know,
   * else the first seen.
   */
  private int judgeVectors() {
    Map<String, String> unusable = new HashMap<>();
    Map<Integer, Integer> votes = new LinkedHashMap<>();
    int known = knownDocuments();
    if (known > 0) {
      votes.put(Objects.requireNonNull(this.known).dimension(), known); // First, so it wins a tie.
    }
    served.forEach((id, document) -> {
      float[] vector = document.document().embedding();
      Optional<String> fault = fault(vector);
      if (fault.isPresent()) {
        unusable.put(id, fault.get());
      } else {
        votes.merge(vector.length, 1, Integer::sum);
      }
    });
    int dimension = 0;
    for (var vote : votes.entrySet()) {
      if (dimension == 0 || vote.getValue() > votes.getOrDefault(dimension, 0)) {
        dimension = vote.getKey();
      }
    }
    int majority = dimension;
    served.values().removeIf(document -> isUnsearchable(document, unusable, majority));
    return majority;
  }

  private int knownDocuments() {
    return known == null ? 0 : Math.max(0, known.files() - differences.superseded().size());
  }

  private boolean isUnsearchable(
      IntactDocument document, Map<String, String> unusable, int majority) {
    String id = document.document().id();
    String fault = unusable.get(id);
    int dimension = document.document().embedding().length;
    if (fault != null) {
      damage.add(new Damage.VectorUnusable(files.folder, document.file(), id, fault));
      return true;
    }
    if (dimension != majority) {
      damage.add(
          new Damage.DimensionMismatch(files.folder, document.file(), id, majority, dimension));
      return true;
    }
    return false;
  }

  private static Optional<String> fault(float[] vector) {
    if (vector.length == 0) {
      return Optional.of("is absent");
    }
    boolean zero = true;
    for (float value : vector) {
      if (!Float.isFinite(value)) {
        return Optional.of("holds a value that is not finite");
      }
      zero &= value == 0;
    }
    return zero ? Optional.of("is zero") : Optional.empty();
  }
}
