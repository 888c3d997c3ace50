package dev.contextd.storage.backup;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.gob.FormatException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one run of a backup holds.
 *
 * <pre>
 * u64 magic "CTXBKUP\0", u32 version, u64 time (ms since 1970), string root, u32 count, then each
 * collection: string name, map metadata, string folder, u8 flags (1 model, 2 metadata unknown),
 * [string model, u32 dimension], u64 documents, u32 count, strings of 64 hexadecimal digits;
 * u32 CRC32C of all before it. Little endian; strings and maps as in the manifest.
 * </pre>
 *
 * @param root of the store, as a path
 * @param collections in order of their names
 */
public record BackupRun(Instant when, String root, List<Item> collections) {
  private static final long MAGIC = 0x0050554B42585443L;
  private static final int VERSION = 1;
  private static final int MIN_ITEM_BYTES = 25;
  private static final int FLAG_MODEL = 1;
  private static final int FLAG_UNKNOWN = 2;

  public BackupRun {
    collections = List.copyOf(collections);
  }

  /**
   * A collection in a run.
   *
   * @param folder its name below the root
   * @param isMetadataUnknown whether its own metadata was not known
   * @param documents how many it had
   * @param chunks names of the content that holds them, in order of ids; none where only the name
   *     was backed up
   */
  public record Item(
      StoredCollection stored,
      String folder,
      Optional<ModelRecord> model,
      boolean isMetadataUnknown,
      long documents,
      List<String> chunks) {
    public Item {
      chunks = List.copyOf(chunks);
    }

    public String name() {
      return stored.name();
    }
  }

  /** How many documents it holds. */
  public long documents() {
    return collections.stream().mapToLong(Item::documents).sum();
  }

  byte[] encode() {
    BinaryWriter out =
        new BinaryWriter()
            .u64(MAGIC)
            .u32(VERSION)
            .u64(when.toEpochMilli())
            .string(root)
            .u32(collections.size());
    for (Item item : collections) {
      int flags =
          (item.model().isPresent() ? FLAG_MODEL : 0)
              | (item.isMetadataUnknown() ? FLAG_UNKNOWN : 0);
      out.string(item.stored().name())
          .map(item.stored().metadata())
          .string(item.folder())
          .u8(flags);
      item.model().ifPresent(model -> out.string(model.model()).u32(model.dimension()));
      out.u64(item.documents()).u32(item.chunks().size());
      item.chunks().forEach(out::string);
    }
    return out.sealed();
  }

  static BackupRun decode(byte[] file) throws FormatException {
    BinaryReader in = BinaryReader.ofSealed(file, "run");
    if (in.u64() != MAGIC) {
      throw new FormatException("the file is no run of a backup, or its key is missing");
    }
    int version = in.u32();
    if (version != VERSION) {
      throw new FormatException("the run is of version " + version + ", known is " + VERSION);
    }
    Instant when = Instant.ofEpochMilli(in.u64());
    String root = in.string();
    int count = in.count(MIN_ITEM_BYTES);
    List<Item> items = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      items.add(item(in));
    }
    in.end();
    return new BackupRun(when, root, items);
  }

  private static Item item(BinaryReader in) throws FormatException {
    String name = in.string();
    @Nullable Map<String, String> metadata = in.map();
    String folder = in.string();
    int flags = in.u8();
    Optional<ModelRecord> model =
        (flags & FLAG_MODEL) != 0
            ? Optional.of(new ModelRecord(in.string(), in.u32()))
            : Optional.empty();
    long documents = in.u64();
    int count = in.count(Integer.BYTES);
    List<String> chunks = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      chunks.add(in.string());
    }
    return new Item(
        new StoredCollection(name, metadata),
        folder,
        model,
        (flags & FLAG_UNKNOWN) != 0,
        documents,
        chunks);
  }
}
