package dev.contextd.storage.checkpoint;

import dev.contextd.storage.check.CandidateNames;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.KnownFolder;
import dev.contextd.storage.check.KnownStore;
import dev.contextd.storage.chromem.FileState;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.OwnNames;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.storage.journal.JournalRecord;
import dev.contextd.storage.journal.JournalReplay;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.storage.pack.PackFormat;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What we know of a store before anybody looks into its folders: the manifest, the packs it names,
 * and the journal on top of them. Replay comes before any judgement.
 */
final class StoreOpening implements KnownStore {
  private static final Logger log = LoggerFactory.getLogger(StoreOpening.class);
  private static final String OWN = Names.PRIVATE;

  private final Disk disk;
  private final StoreFolder folder;
  private final Workers workers;
  final Checkpointer checkpointer;
  final JournalReplay replay;
  final boolean isSamePlace;

  /** Whether no manifest says which numbers were used. */
  final boolean isCatalogLost;

  /** What the manifest said that checkpoints cover. */
  final long covered;

  final Map<String, KnownCollection> byFolder = new LinkedHashMap<>();
  private final Map<Long, KnownCollection> byIncarnation = new HashMap<>();

  /** Names of all collections that the manifest or the journal tells of, deleted ones included. */
  private final Map<Long, String> names = new HashMap<>();

  /** Folders of collections that the journal deletes, and those collections. */
  final Set<String> deletedFolders = new HashSet<>();

  final List<KeptCollection> deleted = new ArrayList<>();
  private final List<Damage> damage = new ArrayList<>();
  private final Set<Long> named = new HashSet<>();

  /** Hashes of documents whose files are newer than the journal, by incarnation. */
  private final Map<Long, Set<String>> newerThanJournal = new HashMap<>();

  private Optional<String> foreign = Optional.empty();
  private Optional<CandidateNames> candidates = Optional.empty();

  private StoreOpening(
      Disk disk,
      StoreFolder folder,
      Clock clock,
      Workers workers,
      Manifest.Found found,
      String rootIdentity)
      throws IOException {
    this.disk = disk;
    this.folder = folder;
    this.workers = workers;
    // Folders are judged by digests of names: Java takes a hundredth of a second for the first one.
    workers.begin(Names::sha256);
    Manifest manifest = found.manifest();
    if (!(found instanceof Manifest.Found.Intact intact) || intact.isCopyBad()) {
      note(found);
    }
    this.isSamePlace = manifest.rootIdentity().equals(rootIdentity);
    this.covered = manifest.covered();
    this.isCatalogLost =
        found instanceof Manifest.Found.Lost || found instanceof Manifest.Found.Absent;
    this.checkpointer = new Checkpointer(disk, folder, clock, workers, manifest, rootIdentity);
    this.replay = readJournal(foreign.isEmpty(), manifest);
    if (foreign.isEmpty()) {
      foreign = replay.foreign();
    }
    replay
        .losses()
        .forEach(loss -> damage.add(new Damage.JournalDamaged(OWN, loss.file(), loss.sentence())));
    LookAhead looks = lookAhead(manifest);
    for (Manifest.Collection entry : manifest.collections()) {
      readCollection(entry, looks);
    }
    if (isCatalogLost) {
      placeByPacks();
    }
    replay.entries().forEach(entry -> apply(entry.record()));
    noteUnnamedPacks(found instanceof Manifest.Found.Intact);
    boolean isReplayed = !replay.entries().isEmpty();
    if (isReplayed || (found instanceof Manifest.Found.Intact && !manifest.clean())) {
      log.info(
          "the last owner of the store did not close it: {} writes are replayed from its journal",
          replay.entries().size());
    }
  }

  /** Names to try, and those that the journal tells of. */
  void candidates(Optional<CandidateNames> names) {
    List<String> created =
        replay.entries().stream()
            .map(JournalReplay.Entry::record)
            .filter(JournalRecord.Created.class::isInstance)
            .map(record -> ((JournalRecord.Created) record).name())
            .toList();
    candidates = names.map(known -> known.and(created, "the journal tells of its creation"));
  }

  @Override
  public Optional<CandidateNames> candidates() {
    return candidates;
  }

  /** A journal that cannot be opened may hold anything: what the packs hold is served read-only. */
  private JournalReplay readJournal(boolean isKnown, Manifest manifest) {
    long covered = manifest.covered();
    JournalReplay none =
        new JournalReplay(List.of(), List.of(), covered + 1, null, List.of(), 0, Optional.empty());
    if (!isKnown) {
      return none;
    }
    try {
      return JournalReplay.read(disk, folder.journal(), covered, manifest.seen(), manifest.begun());
    } catch (IOException e) {
      foreign = Optional.of("its journal cannot be opened: " + e.getMessage());
      return none;
    }
  }

  /** The segments, of which none is removed where anything that it held could not be applied. */
  List<JournalReplay.SegmentFile> segments() {
    boolean isDamaged = damage.stream().anyMatch(Damage.JournalDamaged.class::isInstance);
    return replay.segments().stream()
        .map(found ->
            new JournalReplay.SegmentFile(
                found.file(), isDamaged || found.isDamaged(), found.isEmpty()))
        .toList();
  }

  /** Reads what we know; where it is there and cannot be opened, the store is read-only. */
  static StoreOpening read(
      Disk disk, StoreFolder folder, Clock clock, Workers workers, String rootIdentity)
      throws IOException {
    Manifest.Found found;
    try {
      found = Manifest.read(disk, folder.own());
    } catch (IOException e) {
      found = new Manifest.Found.Unopened(String.valueOf(e.getMessage()));
    }
    return new StoreOpening(disk, folder, clock, workers, found, rootIdentity);
  }

  /** Says what is wrong with the manifest. */
  private void note(Manifest.Found found) {
    switch (found) {
      case Manifest.Found.Intact _ ->
          log.info("one of the two manifests was behind or damaged; the other one is used");
      case Manifest.Found.Absent _ -> {
        // A folder never seen before, which is nothing wrong.
      }
      case Manifest.Found.Lost lost ->
          damage.add(new Damage.CatalogLost(OWN, Manifest.FILE, lost.reason()));
      case Manifest.Found.OtherVersion other ->
          foreign =
              Optional.of(
                  "its manifest has version %d, written by a later program; use that one"
                      .formatted(other.version()));
      case Manifest.Found.Unopened unopened ->
          foreign = Optional.of("its manifest cannot be opened: " + unopened.reason());
    }
  }

  private LookAhead lookAhead(Manifest manifest) {
    boolean isClosed = manifest.clean() && replay.entries().isEmpty() && replay.losses().isEmpty();
    return isClosed ? new LookAhead(disk, folder, workers, manifest) : new LookAhead();
  }

  private void readCollection(Manifest.Collection entry, LookAhead looks) {
    KeptCollection kept =
        new KeptCollection(
            entry.incarnation(),
            entry.stored(),
            folder.open(entry.folder(), entry.compression()),
            entry.metadataFile(),
            entry.model());
    KnownCollection known = new KnownCollection(kept, isSamePlace, looks.rows(entry));
    if (!replay.losses().isEmpty()) {
      known.writesLost();
    }
    for (Manifest.Pack pack : entry.packs()) {
      named.add(pack.number());
      readPack(known, pack);
    }
    known.packsRead(looks.isAsLeft(known));
    for (Manifest.Pack pack : entry.packs()) {
      int live = 0;
      for (PackUnit unit : known.units()) {
        live += unit.pack() == pack.number() ? unit.count() : 0;
      }
      if (live > 0 || kept.damagedPacks.contains(pack.number()) || pack.tombstones() > 0) {
        kept.packs.add(new KeptCollection.LivePack(pack, live));
      } else {
        checkpointer.retirePack(pack.number(), false);
      }
    }
    byFolder.put(entry.folder(), known);
    byIncarnation.put(entry.incarnation(), known);
    names.put(entry.incarnation(), entry.stored().name());
    checkpointer.atLeast(entry.incarnation() + 1, 0);
  }

  /**
   * Without a manifest the packs may prove whose writes the journal holds. A file that was written
   * after the journal was is newer than what the journal says of it.
   */
  private void placeByPacks() throws IOException {
    Set<Long> unknown = new HashSet<>();
    replay.entries().forEach(entry -> unknown.add(entry.record().incarnation()));
    replay.entries().stream()
        .map(JournalReplay.Entry::record)
        .filter(JournalRecord.Created.class::isInstance)
        .forEach(created -> unknown.remove(created.incarnation()));
    long lastWrite = LostCatalog.lastWrite(disk, replay.segments());
    new LostCatalog(disk, folder)
        .places(unknown)
        .forEach((incarnation, place) -> {
          KeptCollection kept =
              new KeptCollection(
                  incarnation,
                  place.stored(),
                  folder.open(place.folder(), place.compression()),
                  FileState.UNSEEN,
                  Optional.empty());
          KnownCollection known = new KnownCollection(kept, isSamePlace);
          known.ofJournalAlone();
          byFolder.put(place.folder(), known);
          byIncarnation.put(incarnation, known);
          names.put(incarnation, place.stored().name());
          Set<String> newer = new HashSet<>();
          place
              .newest()
              .forEach((hash, time) -> {
                if (time > lastWrite) {
                  newer.add(hash);
                }
              });
          newerThanJournal.put(incarnation, newer);
        });
  }

  private boolean isNewerThanJournal(KnownCollection known, String id) {
    return newerThanJournal
        .getOrDefault(known.kept().incarnation(), Set.of())
        .contains(Names.hash(id));
  }

  private void readPack(KnownCollection known, Manifest.Pack pack) {
    String file = OwnNames.PACKS + "/" + PackFormat.fileName(pack.number());
    try {
      PackLoading.Loaded loaded =
          PackLoading.load(disk, workers, checkpointer.packs(), pack, known.kept().incarnation());
      known.add(loaded.units());
      known.delete(loaded.tombstones());
      if (loaded.tombstonesLost()) {
        known.deletionsLost();
        known.kept().lostDeletions.add(pack.number());
      }
      if (loaded.tombstonesLost() || loaded.damagedRows() > 0) {
        known.kept().damagedPacks.add(pack.number());
        damage.add(
            new Damage.PackDamaged(
                OWN, file, loaded.damagedRows() + " of its rows fail their checksum"));
      }
    } catch (FormatException e) {
      loseWholePack(known, pack, file, e.reason());
    } catch (IOException e) {
      loseWholePack(known, pack, file, "it cannot be opened: " + e.getMessage());
    }
  }

  private void loseWholePack(
      KnownCollection known, Manifest.Pack pack, String file, String reason) {
    known.deletionsLost();
    known.kept().lostDeletions.add(pack.number());
    known.kept().damagedPacks.add(pack.number());
    damage.add(new Damage.PackDamaged(OWN, file, reason));
  }

  private void apply(JournalRecord record) {
    KnownCollection known = byIncarnation.get(record.incarnation());
    checkpointer.atLeast(record.incarnation() + 1, 0);
    switch (record) {
      case JournalRecord.Created created -> create(created);
      case JournalRecord.Dropped _ -> {
        if (known != null) {
          drop(known);
        }
      }
      case JournalRecord.Put put -> {
        if (known == null) {
          lost(record);
        } else {
          put.documents().stream()
              .filter(document -> !isNewerThanJournal(known, document.id()))
              .forEach(known::put);
          put.model().ifPresent(model -> known.kept().model(Optional.of(model)));
        }
      }
      case JournalRecord.Removed removed -> {
        if (known == null) {
          lost(record);
        } else {
          removed.ids().stream()
              .filter(id -> !isNewerThanJournal(known, id))
              .forEach(known::remove);
        }
      }
      case JournalRecord.Voided _ -> {
        // It was heeded when the journal was read.
      }
      case JournalRecord.Addressed _ -> lost(record); // No collection here bears its number.
    }
  }

  private void create(JournalRecord.Created created) {
    if (byIncarnation.containsKey(created.incarnation())) {
      return; // The manifest knew it already.
    }
    StoredCollection stored = new StoredCollection(created.name(), created.metadata());
    KeptCollection kept =
        new KeptCollection(
            created.incarnation(),
            stored,
            folder.open(created.folder(), created.compression()),
            FileState.UNSEEN,
            Optional.empty());
    KnownCollection known = new KnownCollection(kept, isSamePlace);
    byIncarnation.put(created.incarnation(), known);
    names.put(created.incarnation(), created.name());
    byFolder.put(created.folder(), known);
    if (deletedFolders.remove(created.folder())) {
      // The folder of the elder one was in the trash before this one could have its name.
      deleted.removeIf(elder -> {
        boolean isGone = elder.folder().name().equals(created.folder());
        if (isGone) {
          retirePacks(elder);
        }
        return isGone;
      });
    }
  }

  private void retirePacks(KeptCollection gone) {
    gone.packs.forEach(pack -> checkpointer.retirePack(pack.number, false));
  }

  private void drop(KnownCollection known) {
    String name = known.kept().folder().name();
    byIncarnation.remove(known.kept().incarnation());
    if (byFolder.get(name) == known) {
      byFolder.remove(name);
      deletedFolders.add(name);
      deleted.add(known.kept());
      Map<String, @Nullable StoredDocument> last = known.lastVersions();
      known.kept().source(last::get);
      known.tell(last.keySet());
    } else {
      retirePacks(known.kept());
    }
  }

  /** A write into a collection that damage has made unknown. */
  private void lost(JournalRecord record) {
    if (damage.stream().noneMatch(Damage.JournalDamaged.class::isInstance)) {
      damage.add(
          new Damage.JournalDamaged(
              OWN,
              OwnNames.JOURNAL,
              "writes to a collection of the number "
                  + record.incarnation()
                  + " cannot be placed, because its creation is lost"));
    }
  }

  /** Packs that no manifest names: a crash came before it, or it is lost. */
  private void noteUnnamedPacks(boolean isManifestIntact) throws IOException {
    if (foreign.isPresent() || disk.kind(checkpointer.packs()) != Disk.Kind.DIRECTORY) {
      return;
    }
    List<Disk.Entry> entries;
    try {
      entries = disk.list(checkpointer.packs());
    } catch (IOException e) {
      foreign = Optional.of("its packs cannot be listed: " + e.getMessage());
      return;
    }
    for (Disk.Entry entry : entries) {
      long number = number(entry.name());
      if (number >= 0) {
        checkpointer.atLeast(0, number + 1);
        if (!named.contains(number)) {
          checkpointer.retire(entry.path(), !isManifestIntact);
        }
      }
    }
  }

  private static long number(String name) {
    String stem = name.endsWith(".pack") ? name.substring(0, name.length() - 5) : "";
    try {
      return stem.length() == 16 ? Long.parseUnsignedLong(stem, 16) : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  long replayedBytes() {
    return replay.entries().stream().mapToLong(JournalReplay.Entry::bytes).sum();
  }

  /** Names of all collections that the manifest or the journal tells of, by incarnation. */
  Map<Long, String> names() {
    return Map.copyOf(names);
  }

  /** Why nothing may be written: something of ours is of a later version. */
  Optional<String> foreign() {
    return foreign;
  }

  @Override
  public Optional<KnownFolder> folder(String name) {
    return Optional.ofNullable(byFolder.get(name));
  }

  @Override
  public boolean isDeleted(String name) {
    return deletedFolders.contains(name);
  }

  @Override
  public List<Damage> damage() {
    return damage;
  }
}
