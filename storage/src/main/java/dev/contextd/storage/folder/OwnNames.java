package dev.contextd.storage.folder;

import dev.contextd.storage.disk.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What lies in {@code .contextd}, by name. */
public final class OwnNames {
  public static final String LOCK = "lock";
  public static final String OWNER = "owner.json";

  /** Written at every start, to learn whether the root can be. */
  public static final String WRITABLE = "writable";

  public static final String MANIFEST = "manifest";
  public static final String MANIFEST_COPY = "manifest.copy";

  /** How large folders were left when the store was closed. */
  public static final String LEFT = "left";

  /** See {@link ScrubRecord}. */
  public static final String SCRUB = "scrub.json";

  /** See {@link AuditLog}. */
  public static final String AUDIT = "audit.jsonl";

  /** Tells this store from every other one. */
  public static final String IDENTITY = "identity.json";

  public static final String JOURNAL = "journal";

  /** See {@link dev.contextd.storage.outbox}. */
  public static final String OUTBOX = "outbox";

  /** See {@link dev.contextd.storage.outbox.PendingLog}. */
  public static final String PENDING = "pending";

  public static final String PACKS = "packs";
  public static final String TRASH = "trash";

  /** The records of models, a file a collection. */
  public static final String MODELS = "collections";

  /** All files but the lock, which is never replaced. */
  static final List<String> FILES =
      List.of(OWNER, WRITABLE, MANIFEST, MANIFEST_COPY, LEFT, SCRUB, AUDIT, IDENTITY);

  static final List<String> FOLDERS = List.of(TRASH, JOURNAL, OUTBOX, PENDING, PACKS, MODELS);

  private OwnNames() {}

  /**
   * Moves aside what bears a name of ours and is of another kind. A link would lead our writes
   * elsewhere.
   *
   * @throws IOException where it is still there
   */
  static void clear(Disk disk, Path path, Disk.Kind expected) throws IOException {
    if (disk.exists(path) && disk.kind(path) != expected) {
      disk.move(path, FreshName.beside(disk, path));
    }
  }
}
