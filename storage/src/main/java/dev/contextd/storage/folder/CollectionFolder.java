package dev.contextd.storage.folder;

import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
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

  /**
   * Chooses the files of new documents.
   *
   * @param unopenable names of files that could not be read; a document that might be in one of
   *     them is refused, because the unread version would win when it can be read again
   * @param vacated names of files that go to the trash before anything is written
   */
  public List<String> freeFiles(List<String> newIds, Set<String> unopenable, List<String> vacated)
      throws IOException {
    List<String> files = new ArrayList<>(newIds.size());
    Set<String> taken = new HashSet<>();
    Set<String> free = Set.copyOf(vacated);
    for (String id : newIds) {
      String file = freeFile(Names.hash(id), taken, unopenable, free);
      taken.add(file);
      files.add(file);
    }
    return files;
  }

  /**
   * Writes documents durably, all or nothing.
   *
   * @throws IOException where nothing was written
   */
  public void put(List<Put> puts) throws IOException {
    List<Disk.Image> images = new ArrayList<>(puts.size());
    for (Put put : puts) {
      Compression kind = Compression.ofFileName(put.file()).orElse(compression);
      images.add(
          new Disk.Image(path.resolve(put.file()), DocumentFormat.encode(put.document(), kind)));
    }
    disk.replaceDurably(images);
  }

  /**
   * Moves document files to the trash, all or nothing; missing ones are passed over.
   *
   * @throws IOException where nothing was moved
   */
  public void trash(List<String> files) throws IOException {
    trash.moveFiles(path, files);
  }

  private String freeFile(
      String hash, Set<String> taken, Set<String> unopenable, Set<String> vacated)
      throws IOException {
    int first = hash.equals(Names.METADATA_HASH) ? 1 : 0;
    for (int n = first; n <= Names.MAX_NAMESAKES; n++) {
      String file = Names.namesake(hash, n) + compression.extension();
      if (unopenable.contains(file)) {
        throw new IOException(
            path.resolve(file) + " may hold this document and could not be opened");
      }
      boolean free = vacated.contains(file) || !disk.exists(path.resolve(file));
      if (free && !taken.contains(file)) {
        return file;
      }
    }
    throw new IOException("all " + Names.MAX_NAMESAKES + " names of hash " + hash + " are taken");
  }
}
