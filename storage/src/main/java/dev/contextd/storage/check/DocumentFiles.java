package dev.contextd.storage.check;

import dev.contextd.storage.check.IntactCollection.IntactDocument;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Decoded;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;

/**
 * The documents of one folder: read in parallel, then judged against their file names, against each
 * other, and against the collection's dimension.
 */
final class DocumentFiles {
  /** What reading one file gave: a document, its damage, or that there was no memory for it. */
  private sealed interface Read {
    record Good(Disk.Entry entry, Decoded<StoredDocument> decoded) implements Read {}

    record Bad(Damage damage) implements Read {}

    record NoMemory(Disk.Entry entry, Damage damage) implements Read {}
  }

  private final FolderFiles files;
  private final List<Damage> damage;
  private final Map<String, IntactDocument> served = new LinkedHashMap<>();

  private DocumentFiles(FolderFiles files) {
    this.files = files;
    this.damage = files.damage;
  }

  /** Reads and judges all documents; what is wrong is added to the folder's damage. */
  static IntactCollection read(
      Disk disk, ForkJoinPool pool, FolderFiles files, StoredCollection collection) {
    DocumentFiles documents = new DocumentFiles(files);
    documents.judgeNames(readAll(disk, pool, files));
    int dimension = documents.judgeVectors();
    return new IntactCollection(
        files.path,
        collection,
        files.compression,
        dimension,
        List.copyOf(documents.served.values()),
        List.copyOf(files.damage));
  }

  private static List<Read> readAll(Disk disk, ForkJoinPool pool, FolderFiles files) {
    Read[] results = new Read[files.documents.size()];
    pool.submit(() ->
            IntStream.range(0, results.length)
                .parallel()
                .forEach(i -> results[i] = read(disk, files.folder, files.documents.get(i))))
        .join();
    // One file that is too large takes the memory of those beside it: each gets it once alone.
    for (int i = 0; i < results.length; i++) {
      if (results[i] instanceof Read.NoMemory failed) {
        results[i] = read(disk, files.folder, failed.entry());
      }
    }
    return Arrays.asList(results);
  }

  private static Read read(Disk disk, String folder, Disk.Entry entry) {
    try {
      return new Read.Good(entry, DocumentFormat.decode(disk.read(entry.path())));
    } catch (FormatException e) {
      return new Read.Bad(new Damage.DocumentUnreadable(folder, entry.name(), e.reason()));
    } catch (OutOfMemoryError e) {
      return new Read.NoMemory(entry, inaccessible(folder, entry, e));
    } catch (IOException | RuntimeException e) {
      // Neither a file that would not open nor a bug of ours is damage to the file: it stays.
      return new Read.Bad(inaccessible(folder, entry, e));
    }
  }

  private static Damage inaccessible(String folder, Disk.Entry entry, Throwable reason) {
    return new Damage.Inaccessible(
        folder, entry.name(), StoreCheck.describe(reason), Damage.Loss.DOCUMENT);
  }

  /** Files come with the folder's own kind last, so that of two proper ones the later wins. */
  private void judgeNames(List<Read> reads) {
    List<Read.Good> misplaced = new ArrayList<>();
    for (Read read : reads) {
      switch (read) {
        case Read.Bad bad -> damage.add(bad.damage());
        case Read.NoMemory failed -> damage.add(failed.damage());
        case Read.Good good -> {
          String name = good.entry().name();
          String stem = Compression.ofFileName(name).orElseThrow().stem(name);
          if (Names.belongs(stem, good.decoded().hash())) {
            serve(good);
          } else {
            misplaced.add(good);
          }
        }
      }
    }
    misplaced.forEach(this::judgeMisplaced);
  }

  private void serve(Read.Good good) {
    StoredDocument document = good.decoded().value();
    IntactDocument now = new IntactDocument(document, good.entry().name());
    IntactDocument before = served.get(document.id());
    if (before != null && !hashOf(before.file()).equals(hashOf(now.file()))) {
      damage.add(
          new Damage.DocumentAmbiguous(files.folder, now.file(), document.id(), before.file()));
      return;
    }
    if (before != null) {
      damage.add(
          isSame(before.document(), document)
              ? new Damage.DocumentCopy(files.folder, before.file(), document.id(), now.file())
              : new Damage.DocumentDuplicate(
                  files.folder, before.file(), document.id(), now.file()));
    }
    served.put(document.id(), now);
    StoreCheck.noteReading(good.decoded(), files.folder, good.entry().name(), damage);
  }

  /** The hash in a name that was proven to belong to its document. */
  private static String hashOf(String file) {
    return file.substring(0, Names.METADATA_HASH.length());
  }

  private void judgeMisplaced(Read.Good good) {
    StoredDocument document = good.decoded().value();
    IntactDocument twin = served.get(document.id());
    String file = good.entry().name();
    damage.add(
        twin != null && isSame(twin.document(), document)
            ? new Damage.DocumentCopy(files.folder, file, document.id(), twin.file())
            : new Damage.DocumentMisplaced(
                files.folder,
                file,
                document.id(),
                good.decoded().hash() + files.compression.extension()));
  }

  private static boolean isSame(StoredDocument a, StoredDocument b) {
    return a.content().equals(b.content())
        && Arrays.equals(a.embedding(), b.embedding())
        && metadataOf(a).equals(metadataOf(b));
  }

  private static Map<String, String> metadataOf(StoredDocument document) {
    return document.metadata() == null ? Map.of() : document.metadata();
  }

  /**
   * Takes out what cannot be searched; returns the majority's dimension, the first seen on a tie.
   */
  private int judgeVectors() {
    Map<String, String> unusable = new HashMap<>();
    Map<Integer, Integer> votes = new LinkedHashMap<>();
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
