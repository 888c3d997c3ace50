package dev.contextd.storage.checkpoint;

import dev.contextd.storage.binary.BinaryReader;
import dev.contextd.storage.binary.BinaryWriter;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LeftFolder;
import dev.contextd.storage.folder.OwnNames;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.pack.Manifest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the large folders were left when the store was closed: {@code .contextd/left}. It says
 * nothing that is not in the packs, and makes the next opening quick: without it, or where it does
 * not fit, each file is looked up.
 *
 * @param byIncarnation of collections
 */
record LeftFolders(Map<Long, Left> byIncarnation) {
  private static final Logger log = LoggerFactory.getLogger(LeftFolders.class);

  /** The letters CTXDLEFT, the first one in the lowest byte. */
  private static final long MAGIC = 0x5446454C44585443L;

  private static final int VERSION = 1;
  private static final int FILE_BYTES = LeftFolder.NUMBERS * Long.BYTES;

  /** What a folder has at least: no pack and no file. */
  private static final int MIN_BYTES = 5 * Long.BYTES + 4 * Integer.BYTES;

  /** So many files are noted in all: more would keep a store from closing in time. */
  static final int MAX_FILES = 1 << 20;

  static final LeftFolders NONE = new LeftFolders(Map.of());

  /**
   * One folder, with what the manifest says of its collection: where that says anything else, this
   * is of another time.
   *
   * @param packs whose documents' files are in it, and the only ones
   * @param metadata the collection's own file
   */
  record Left(List<Manifest.Pack> packs, FileState metadata, LeftFolder folder) {
    Left {
      packs = List.copyOf(packs);
    }

    /**
     * A record's own comparison makes classes when it is first run, and every opening comes here.
     */
    boolean isOf(List<Manifest.Pack> nowPacks, FileState nowMetadata) {
      boolean isSame =
          packs.size() == nowPacks.size()
              && metadata.key() == nowMetadata.key()
              && metadata.isUnchanged(nowMetadata.size(), nowMetadata.modifiedNanos())
              && metadata.crc() == nowMetadata.crc();
      for (int i = 0; isSame && i < packs.size(); i++) {
        isSame = isSame(packs.get(i), nowPacks.get(i));
      }
      return isSame;
    }

    private static boolean isSame(Manifest.Pack a, Manifest.Pack b) {
      return a.number() == b.number()
          && a.rows() == b.rows()
          && a.tombstones() == b.tombstones()
          && a.bytes() == b.bytes()
          && a.deadSince() == b.deadSince();
    }
  }

  LeftFolders {
    byIncarnation = Map.copyOf(byIncarnation);
  }

  private static Path file(Path own) {
    return own.resolve(OwnNames.LEFT);
  }

  /** Reads them; none where they cannot be read. */
  static LeftFolders read(Disk disk, Path own) {
    Path file = file(own);
    try {
      return disk.kind(file) == Disk.Kind.FILE ? decode(disk.read(file)) : NONE;
    } catch (IOException | FormatException e) {
      log.debug("{} does not count: {}", file, e.toString());
      return NONE;
    }
  }

  /**
   * Notes how folders are left, all of which is on disk; after a loss of power the file may be the
   * old one, or none that can be read.
   *
   * @throws IOException where neither this is there nor what was noted before is gone
   */
  static void note(Disk disk, Path own, Collection<KeptCollection> collections) throws IOException {
    try {
      boolean isAny = collections.stream().anyMatch(KeptCollection::isFoundAsLeft);
      Map<Long, Left> before = isAny ? read(disk, own).byIncarnation : Map.of();
      Map<Long, Left> still = new HashMap<>();
      for (KeptCollection collection : collections) {
        Left then = before.get(collection.incarnation());
        if (then != null && isStill(then, collection)) {
          still.put(collection.incarnation(), then);
        }
      }
      Map<Long, Left> now = new HashMap<>(still);
      addNew(disk, collections, now);
      if (now.isEmpty()) {
        remove(disk, own);
      } else if (now.size() > still.size() || still.size() < before.size()) {
        disk.replaceLazily(new Disk.Image(file(own), new LeftFolders(now).encode()));
      }
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      log.warn("the next opening will look up each file: {}", e.toString());
      remove(disk, own);
    }
  }

  /** Removes the file, which nothing is lost with. */
  private static void remove(Disk disk, Path own) throws IOException {
    if (disk.exists(file(own))) {
      disk.remove(file(own));
    }
  }

  private static void addNew(
      Disk disk, Collection<KeptCollection> collections, Map<Long, Left> left) throws IOException {
    int most = MAX_FILES - files(left);
    for (KeptCollection collection : collections) {
      Left found = left.containsKey(collection.incarnation()) ? null : left(disk, collection, most);
      if (found != null) {
        left.put(collection.incarnation(), found);
        most -= found.folder().files();
      }
    }
  }

  private static int files(Map<Long, Left> left) {
    return left.values().stream().mapToInt(one -> one.folder().files()).sum();
  }

  /** Whether a folder was found as it was left, and nothing of ours was written to it since. */
  private static boolean isStill(Left then, KeptCollection collection) {
    Manifest.Collection now = collection.entry();
    return collection.isFoundAsLeft() && then.isOf(now.packs(), now.metadataFile());
  }

  /** Null where the folder is not a large one, or there is anything else in it. */
  private static @Nullable Left left(Disk disk, KeptCollection collection, int most)
      throws IOException {
    int files = collection.packs.stream().mapToInt(pack -> pack.live).sum();
    if (!collection.isReadable() || !collection.metadataFile.isSeen() || files >= most) {
      return null;
    }
    Manifest.Collection now = collection.entry();
    return disk.left(collection.folder().path(), collection::allFiles)
        .map(found -> new Left(now.packs(), now.metadataFile(), found))
        .orElse(null);
  }

  private byte[] encode() {
    BinaryWriter out =
        new BinaryWriter((files(byIncarnation) + 1) * FILE_BYTES)
            .u64(MAGIC)
            .u32(VERSION)
            .u32(byIncarnation.size());
    byIncarnation.forEach((incarnation, left) -> {
      out.u64(incarnation);
      left.metadata().write(out);
      Manifest.Pack.writeAll(out, left.packs());
      LeftFolder folder = left.folder();
      out.u64(folder.nameBytes()).u32(folder.nameSum()).u32(folder.files());
      out.rawLongs(folder.states(), folder.states().length);
    });
    return out.sealed();
  }

  static LeftFolders decode(byte[] file) throws FormatException {
    BinaryReader in = BinaryReader.ofSealed(file, "list of folders as they were left");
    if (in.u64() != MAGIC || in.u32() != VERSION) {
      throw new FormatException("it is of another kind or version");
    }
    Map<Long, Left> found = new HashMap<>();
    for (int count = in.count(MIN_BYTES); count > 0; count--) {
      found.put(in.u64(), decodeFolder(in));
    }
    in.end();
    return new LeftFolders(found);
  }

  private static Left decodeFolder(BinaryReader in) throws FormatException {
    FileState metadata = FileState.read(in);
    List<Manifest.Pack> packs = Manifest.Pack.readAll(in);
    long nameBytes = in.u64();
    int nameSum = in.u32();
    int files = in.count(FILE_BYTES);
    long[] states = in.rawLongs(files * LeftFolder.NUMBERS);
    return new Left(packs, metadata, new LeftFolder(nameBytes, nameSum, states));
  }
}
