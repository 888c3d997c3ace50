package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.KnownFolder;
import dev.contextd.storage.checkpoint.KeptCollection.Change;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A collection's folder as the open store left it. Its memory is the last word on what is ours.
 *
 * <p>Used by a thread that holds the {@link Checkpointer}'s monitor, so that no checkpoint is in
 * the making.
 */
final class LiveFolder implements KnownFolder {
  private final KeptCollection kept;
  private final KeptCollection.Underway underway;
  private final Map<String, FileState> files;
  private final FileTable table;

  /** By their numbers in the table. */
  private final @Nullable KnownFile[] byNumber;

  private final Map<String, String> inFluxByHash = new HashMap<>();

  LiveFolder(KeptCollection kept) {
    this.kept = kept;
    this.underway = kept.underway();
    this.files = HashMap.newHashMap(kept.copies().size());
    kept.copies().forEach((id, copy) -> files.put(id, copy.file()));
    underway
        .changes()
        .forEach((id, change) -> {
          FileState present = change.present();
          if (present == null) {
            inFluxByHash.put(Names.hash(id), id);
          } else {
            files.put(id, present);
          }
        });
    this.table = new FileTable(files.size());
    this.byNumber = new KnownFile[table.slots()];
    files.forEach((id, state) -> byNumber[table.put(state)] = new KnownFile(id, state));
  }

  @Override
  public StoredCollection collection() {
    return kept.stored();
  }

  @Override
  public boolean isMetadataUnchanged(Disk.Entry file) {
    OptionalLong key = FileState.key(file.name());
    return underway.metadata()
        || (key.isPresent()
            && key.getAsLong() == kept.metadataFile.key()
            && kept.metadataFile.isUnchanged(file.size(), file.modifiedNanos()));
  }

  @Override
  public int number(long key) {
    return table.number(key);
  }

  @Override
  public boolean isUnchanged(int number, long size, long modifiedNanos) {
    return table.isUnchanged(number, size, modifiedNanos);
  }

  @Override
  public void find(long[] asked, int count, int[] numbers) {
    table.find(asked, count, numbers);
  }

  @Override
  public KnownFile file(int number) {
    return Objects.requireNonNull(byNumber[number]);
  }

  @Override
  public @Nullable KnownFile ofId(String id) {
    FileState state = files.get(id);
    return state == null ? null : new KnownFile(id, state);
  }

  @Override
  public int files() {
    return files.size();
  }

  @Override
  public void forEachFile(BiConsumer<String, FileState> action) {
    files.forEach(action);
  }

  @Override
  public int dimension() {
    for (String id : files.keySet()) {
      StoredDocument document = kept.current(id);
      if (document != null) {
        return document.embedding().length;
      }
    }
    return 0;
  }

  @Override
  public boolean isInFlux(String id) {
    Change change = underway.changes().get(id);
    return change != null && change.present() == null;
  }

  @Override
  public Optional<String> inFluxByHash(String hash) {
    return Optional.ofNullable(inFluxByHash.get(hash));
  }

  @Override
  public boolean isOurs(StoredDocument document) {
    StoredDocument current = kept.current(document.id());
    return current != null && current.hasSameContentAs(document);
  }

  /** What is in flux is written over whatever lies there, which goes to the trash first. */
  @Override
  public boolean mayBeTorn(String id, long size) {
    return true;
  }

  @Override
  public boolean knowsAll() {
    return true;
  }

  @Override
  public boolean knowsDeletions() {
    return true;
  }

  @Override
  public boolean isSamePlace() {
    return true;
  }
}
