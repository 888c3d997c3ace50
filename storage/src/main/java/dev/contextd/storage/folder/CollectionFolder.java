package dev.contextd.storage.folder;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.Decoded;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The folder of one collection, as it is written.
 *
 * <p>Invariants: a file that holds another document, or that nobody knows, is never written over; a
 * new document whose hash is taken gets the next free {@code <hash>-N}. Not safe for many threads:
 * the caller holds the collection's write lock.
 */
public final class CollectionFolder {
  private final Disk disk;
  private final Path path;
  private final Compression compression;
  private final Trash trash;

  CollectionFolder(Disk disk, Path path, Compression compression, Trash trash) {
    this.disk = disk;
    this.path = path;
    this.compression = compression;
    this.trash = trash;
  }

  /** The folder's name below the root. */
  public String name() {
    return String.valueOf(path.getFileName());
  }

  Path path() {
    return path;
  }

  /** A document and the file it goes to. */
  public record Put(StoredDocument document, String file) {}

  /** The file of a document whose hash no other document shares. */
  public String defaultFile(String id) {
    return Names.hash(id) + compression.extension();
  }

  /** Whether a file's name is one that the document's may be. */
  public boolean belongs(String file, String id) {
    return Compression.ofFileName(file)
        .filter(kind -> Names.belongs(kind.stem(file), Names.hash(id)))
        .isPresent();
  }

  /**
   * The other files of a document: those that bear a name of its hash and hold its id. Another
   * program, or a write that failed halfway, may have left them; they would win over the document,
   * or bring it back, at the next start.
   *
   * @param own the file that is known to be the document's; empty where there is none
   * @throws IOException where a file that might be the document's cannot be read
   */
  public List<String> others(String id, String own) throws IOException {
    List<String> others = new ArrayList<>();
    String hash = Names.hash(id);
    for (int n = 0; n <= Names.MAX_NAMESAKES; n++) {
      boolean any = false;
      for (Compression kind : Compression.values()) {
        String file = Names.namesake(hash, n) + kind.extension();
        boolean isMetadata = n == 0 && hash.equals(Names.METADATA_HASH);
        if (!isMetadata && disk.exists(path.resolve(file))) {
          any = true;
          if (!file.equals(own) && holds(file, id)) {
            others.add(file);
          }
        }
      }
      if (!any && n > 0) {
        return others;
      }
    }
    return others;
  }

  private boolean holds(String file, String id) throws IOException {
    Path at = path.resolve(file);
    if (disk.kind(at) == Disk.Kind.DIRECTORY) {
      return false;
    }
    try {
      Decoded<StoredDocument> found = DocumentFormat.decode(disk.read(at));
      return found.exactText() && found.value().id().equals(id);
    } catch (FormatException e) {
      return false; // Nobody can read it, so it cannot come back as the document.
    } catch (IOException e) {
      throw new IOException(
          at + " may hold the document \"" + id + "\" and could not be opened: " + e.getMessage(),
          e);
    }
  }

  /**
   * Chooses the files of new documents.
   *
   * @param vacated names of files that go to the trash before anything is written
   */
  public List<String> freeFiles(List<String> newIds, List<String> vacated) throws IOException {
    List<String> files = new ArrayList<>(newIds.size());
    Set<String> taken = new HashSet<>();
    Set<String> free = Set.copyOf(vacated);
    for (String id : newIds) {
      String file = freeFile(Names.hash(id), taken, free);
      taken.add(file);
      files.add(file);
    }
    return files;
  }

  /**
   * Writes documents durably, all or nothing.
   *
   * @param vacated names of files that go to the trash before
   * @throws IOException where nothing was written and nothing is in the trash
   */
  public void put(List<Put> puts, List<String> vacated) throws IOException {
    List<Disk.Image> images = new ArrayList<>(puts.size());
    for (Put put : puts) {
      Compression kind = Compression.ofFileName(put.file()).orElse(compression);
      images.add(
          new Disk.Image(path.resolve(put.file()), DocumentFormat.encode(put.document(), kind)));
    }
    Trash.Moved moved = trash.moveFiles(path, vacated);
    try {
      disk.replaceDurably(images);
    } catch (IOException e) {
      moved.undo(e);
      throw e;
    }
  }

  /**
   * Moves document files to the trash, all or nothing; missing ones are passed over.
   *
   * @throws IOException where nothing was moved
   */
  public void trash(List<String> files) throws IOException {
    trash.moveFiles(path, files);
  }

  private String freeFile(String hash, Set<String> taken, Set<String> vacated) throws IOException {
    int first = hash.equals(Names.METADATA_HASH) ? 1 : 0;
    for (int n = first; n <= Names.MAX_NAMESAKES; n++) {
      String file = Names.namesake(hash, n) + compression.extension();
      boolean free = vacated.contains(file) || !disk.exists(path.resolve(file));
      if (free && !taken.contains(file)) {
        return file;
      }
    }
    throw new IOException("all " + Names.MAX_NAMESAKES + " names of hash " + hash + " are taken");
  }
}
