package dev.contextd.storage.pack;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.FreshName;
import dev.contextd.storage.folder.ModelRecord;
import dev.contextd.storage.folder.OwnNames;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The manifest: which packs are live and what they cover. It stands twice, as {@code
 * .contextd/manifest} and {@code .contextd/manifest.copy}, both replaced durably; the later intact
 * one counts.
 *
 * <pre>
 * u64  "CTXMANI" and a zero        u32  version, 3          u64  generation, one more each time
 * u64  covered: the last sequence of the journal that is in the packs and gob files, or void
 * u64  seen: the last synced sequence of the journal when the packs were made; not in version 1
 * string  the journal's segment that was begun when the packs were made; not before version 3
 * u64  next incarnation            u64  next number of a pack
 * u8   1 where a clean shutdown wrote it
 * string  identity of the root folder
 * u32  count of collections, then each:
 *      u64 incarnation, string folder, string name, map metadata, u8 gzip,
 *      u8 has model, [string model, u32 dimension],
 *      u64 key, u64 size, u64 time, u32 CRC32C of the metadata file; size -1 where it was not seen
 *      u32 count of packs, oldest first, then each:
 *          u64 number, u32 rows, u32 tombstones, u64 bytes, u64 since when rows in it are dead, ms
 * u32  CRC32C of everything before
 * </pre>
 *
 * @param covered every write up to this sequence is in what the manifest names
 * @param seen a journal that ends before this sequence has lost writes, of which the packs may hold
 *     some: they are made from memory, which is ahead of {@code covered}
 * @param begun a segment that the journal has until the next checkpoint; empty where it has none
 * @param clean whether it was written by a clean shutdown; a journal may have been begun since
 * @param rootIdentity of the root folder, to notice that another one is there
 */
public record Manifest(
    long generation,
    long covered,
    long seen,
    String begun,
    long nextIncarnation,
    long nextPack,
    boolean clean,
    String rootIdentity,
    List<Collection> collections) {

  public static final String FILE = OwnNames.MANIFEST;
  public static final String COPY = OwnNames.MANIFEST_COPY;

  private static final long MAGIC = 0x00494E414D585443L;
  private static final int VERSION = 3;
  private static final int WITHOUT_BEGUN = 2;
  private static final int WITHOUT_SEEN = 1;
  private static final int MIN_COLLECTION_BYTES = 54;

  /** A store that nobody has written to yet. */
  public static final Manifest EMPTY = new Manifest(0, 0, 0, "", 1, 1, false, "", List.of());

  public Manifest {
    collections = List.copyOf(collections);
  }

  /**
   * A collection.
   *
   * @param incarnation the number of its creation
   * @param metadataFile the gob file of its metadata as it was last seen
   * @param packs oldest first
   */
  public record Collection(
      long incarnation,
      String folder,
      StoredCollection stored,
      Compression compression,
      Optional<ModelRecord> model,
      FileState metadataFile,
      List<Pack> packs) {
    public Collection {
      packs = List.copyOf(packs);
    }
  }

  /**
   * A live pack.
   *
   * @param deadSince when the first of its rows died, in milliseconds since 1970; 0 where none has
   */
  public record Pack(long number, int rows, int tombstones, long bytes, long deadSince) {
    private static final int BYTES = 3 * Long.BYTES + 2 * Integer.BYTES;

    /** Writes packs, their count before them. */
    public static void writeAll(BinaryWriter out, List<Pack> packs) {
      out.u32(packs.size());
      for (Pack pack : packs) {
        out.u64(pack.number)
            .u32(pack.rows)
            .u32(pack.tombstones)
            .u64(pack.bytes)
            .u64(pack.deadSince);
      }
    }

    /** Reads what {@link #writeAll} wrote. */
    public static List<Pack> readAll(BinaryReader in) throws FormatException {
      int count = in.count(BYTES);
      List<Pack> packs = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        packs.add(new Pack(in.u64(), in.u32(), in.u32(), in.u64(), in.u64()));
      }
      return packs;
    }
  }

  /** What was found in place of a manifest. */
  public sealed interface Found {

    /** What it says; nothing where none can be used. */
    default Manifest manifest() {
      return EMPTY;
    }

    /**
     * A manifest.
     *
     * @param isCopyBad whether one of the two could not be read, and is to be written again
     */
    record Intact(Manifest manifest, boolean isCopyBad) implements Found {}

    /** None: a folder never seen before, or one whose catalog was dropped. */
    record Absent() implements Found {}

    /** Both are damaged: what we knew is lost, and the gob files speak for themselves. */
    record Lost(String reason) implements Found {}

    /** Written by a later version: nothing may be touched. */
    record OtherVersion(int version) implements Found {}

    /** One is there that could not be opened, and none that could: what it says is not known. */
    record Unopened(String reason) implements Found {}
  }

  /**
   * Reads the manifest.
   *
   * @throws IOException where it is there and cannot be opened
   */
  public static Found read(Disk disk, Path directory) throws IOException {
    Found first = readEither(disk, directory, FILE, COPY);
    Found second = readEither(disk, directory, COPY, FILE);
    if (first instanceof Found.OtherVersion || second instanceof Found.OtherVersion) {
      return first instanceof Found.OtherVersion ? first : second;
    }
    if (first instanceof Found.Intact a && second instanceof Found.Intact b) {
      boolean isLater = b.manifest().generation() > a.manifest().generation();
      boolean differ = a.manifest().generation() != b.manifest().generation();
      return new Found.Intact((isLater ? b : a).manifest(), differ);
    }
    if (first instanceof Found.Intact a) {
      return new Found.Intact(a.manifest(), true);
    }
    if (second instanceof Found.Intact b) {
      return new Found.Intact(b.manifest(), true);
    }
    return first instanceof Found.Lost ? first : second;
  }

  /** One that cannot be opened is as good as lost where the other one is intact. */
  private static Found readEither(Disk disk, Path directory, String name, String other)
      throws IOException {
    try {
      return readOne(disk, directory.resolve(name));
    } catch (IOException e) {
      if (readOne(disk, directory.resolve(other)) instanceof Found.Intact) {
        return new Found.Lost("it cannot be opened: " + e.getMessage());
      }
      throw e;
    }
  }

  private static Found readOne(Disk disk, Path file) throws IOException {
    if (!disk.exists(file)) {
      return new Found.Absent();
    }
    if (disk.kind(file) != Disk.Kind.FILE) {
      return new Found.Lost("the manifest is no file");
    }
    try {
      return decode(disk.read(file));
    } catch (FormatException e) {
      return new Found.Lost(e.reason());
    }
  }

  /** Replaces both files durably, the first one first. */
  public void write(Disk disk, Path directory) throws IOException {
    byte[] content = encode();
    replace(disk, new Disk.Image(directory.resolve(FILE), content));
    replace(disk, new Disk.Image(directory.resolve(COPY), content));
  }

  /** One that cannot be read could not be put back if the write failed: it is moved aside first. */
  private static void replace(Disk disk, Disk.Image image) throws IOException {
    if (disk.exists(image.file()) && !isReadable(disk, image.file())) {
      disk.move(image.file(), FreshName.beside(disk, image.file()));
    }
    disk.replaceDurably(List.of(image));
  }

  private static boolean isReadable(Disk disk, Path file) {
    try {
      disk.read(file);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private byte[] encode() {
    BinaryWriter out =
        new BinaryWriter()
            .u64(MAGIC)
            .u32(VERSION)
            .u64(generation)
            .u64(covered)
            .u64(seen)
            .string(begun)
            .u64(nextIncarnation)
            .u64(nextPack)
            .u8(clean ? 1 : 0)
            .string(rootIdentity)
            .u32(collections.size());
    for (Collection collection : collections) {
      encode(out, collection);
    }
    return out.sealed();
  }

  private static void encode(BinaryWriter out, Collection collection) {
    out.u64(collection.incarnation())
        .string(collection.folder())
        .string(collection.stored().name())
        .map(collection.stored().metadata())
        .u8(collection.compression() == Compression.GZIP ? 1 : 0)
        .u8(collection.model().isPresent() ? 1 : 0);
    collection.model().ifPresent(model -> out.string(model.model()).u32(model.dimension()));
    collection.metadataFile().write(out);
    Pack.writeAll(out, collection.packs());
  }

  private static Found decode(byte[] file) throws FormatException {
    BinaryReader in = BinaryReader.ofSealed(file, "manifest");
    if (in.u64() != MAGIC) {
      throw new FormatException("the file is no manifest");
    }
    int version = in.u32();
    if (version < WITHOUT_SEEN || version > VERSION) {
      return new Found.OtherVersion(version);
    }
    long generation = in.u64();
    long covered = in.u64();
    long seen = version == WITHOUT_SEEN ? covered : in.u64();
    String begun = version <= WITHOUT_BEGUN ? "" : in.string();
    long nextIncarnation = in.u64();
    long nextPack = in.u64();
    boolean clean = in.u8() == 1;
    String rootIdentity = in.string();
    int count = in.count(MIN_COLLECTION_BYTES);
    List<Collection> collections = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      collections.add(decodeCollection(in));
    }
    in.end();
    return new Found.Intact(
        new Manifest(
            generation,
            covered,
            seen,
            begun,
            nextIncarnation,
            nextPack,
            clean,
            rootIdentity,
            collections),
        false);
  }

  private static Collection decodeCollection(BinaryReader in) throws FormatException {
    long incarnation = in.u64();
    String folder = in.string();
    String name = in.string();
    @Nullable Map<String, String> metadata = in.map();
    Compression compression = in.u8() == 1 ? Compression.GZIP : Compression.PLAIN;
    Optional<ModelRecord> model =
        in.u8() == 1 ? Optional.of(new ModelRecord(in.string(), in.u32())) : Optional.empty();
    FileState metadataFile = FileState.read(in);
    List<Pack> packs = Pack.readAll(in);
    return new Collection(
        incarnation,
        folder,
        new StoredCollection(name, metadata),
        compression,
        model,
        metadataFile,
        packs);
  }
}
