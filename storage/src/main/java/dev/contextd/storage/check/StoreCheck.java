package dev.contextd.storage.check;

import dev.contextd.storage.chromem.Decoded;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The one judge of a store folder: reads every file of it that is not as it was known, hands over
 * what is intact, and returns what is not as {@link Damage}.
 *
 * <p>Invariants: it writes nothing; no content of the folder makes it throw; no file is read twice,
 * unless memory was short or a name was sought; a document is handed over only if its file name
 * belongs to its id, and a collection only if no other folder has an equal or better claim to its
 * name.
 */
public final class StoreCheck {
  private final Disk disk;
  private final Workers workers;

  /**
   * @param workers reads the documents of a collection in parallel
   */
  public StoreCheck(Disk disk, Workers workers) {
    this.disk = disk;
    this.workers = workers;
  }

  /** Reads every file of a store, of which nothing is known, and drops what is intact. */
  public CheckReport check(Path root) throws IOException {
    return check(root, KnownStore.NOTHING, intact -> {});
  }

  /**
   * Checks a store.
   *
   * @param known what need not be read where it is unchanged
   * @param sink takes what is intact, a collection at a time
   * @throws IOException where the root itself cannot be listed
   */
  public CheckReport check(Path root, KnownStore known, IntactCollection.Sink sink)
      throws IOException {
    return check(disk.list(root), known, Map.of(), sink);
  }

  /**
   * Checks a store of which some folders need not be looked into.
   *
   * @param entries what lies in the root
   * @param settled what is known of such a folder, by its name; only its claim is judged anew
   */
  public CheckReport check(
      List<Disk.Entry> entries,
      KnownStore known,
      Map<String, FolderReport> settled,
      IntactCollection.Sink sink) {
    List<Damage> stray = new ArrayList<>(known.damage());
    List<FolderFiles> folders = new ArrayList<>();
    for (Disk.Entry entry : entries) {
      boolean isKnown = known.knows(entry.name());
      if (isCandidate(entry, isKnown, stray) && !known.isDeleted(entry.name())) {
        FolderReport report = settled.get(entry.name());
        folders.add(
            report == null
                ? FolderFiles.read(disk, entry, known.folder(entry.name()).orElse(null))
                : FolderFiles.settled(entry, report));
      }
    }
    known.candidates().ifPresent(candidates -> proveNames(folders, candidates));
    judgeClaims(folders);
    List<FolderReport> reports = new ArrayList<>();
    long files = 0;
    for (FolderFiles folder : folders) {
      FolderReport before = settled.get(folder.folder);
      int served = before == null ? 0 : before.served();
      var metadata = folder.metadata;
      if (before == null && metadata != null && isWhole(folder)) {
        IntactCollection intact =
            folder.isUnreadable
                ? unread(folder, metadata.value())
                : DocumentFiles.read(disk, workers, folder, metadata.value());
        served = intact.served();
        sink.accept(intact);
      }
      files += folder.count();
      reports.add(
          new FolderReport(
              folder.folder, folder.name(), served, folder.documentFiles(), folder.damage));
    }
    return new CheckReport(reports, stray, files);
  }

  /**
   * Reads a folder that lies outside of its store, on its own. What its files are called does not
   * matter there: somebody asks for what is in them.
   *
   * @param directory where it lies now
   * @param folder its name in the store
   * @param candidates to try where it has lost its name
   * @return empty where it cannot be listed, or has no name that could be read or proven
   */
  public Optional<IntactCollection> checkAlone(
      Disk.Entry directory, String folder, CandidateNames candidates) {
    FolderFiles files = FolderFiles.read(disk, directory, null);
    if (files.isNameless()) {
      candidates
          .prove(folder, Set.of())
          .or(() -> candidates.prove(folder, Set.of(), DocumentFiles.metadata(disk, files)))
          .ifPresent(files::take);
    }
    var metadata = files.metadata;
    return metadata == null || !isWhole(files)
        ? Optional.empty()
        : Optional.of(DocumentFiles.read(disk, workers, files, metadata.value(), true));
  }

  /**
   * Folders may be collections. So may what cannot be looked at, and what bears a collection's name
   * and is no folder: its collection is not served. Everything else is passed over.
   */
  private boolean isCandidate(Disk.Entry entry, boolean isKnown, List<Damage> stray) {
    Optional<String> hindrance = hindrance(disk, entry);
    boolean isHidden = entry.name().startsWith(".");
    if (hindrance.isPresent() ? isKnown : !isHidden && isFolderAfterAll(entry)) {
      return true;
    }
    if (hindrance.isPresent() && !isHidden) {
      stray.add(new Damage.Inaccessible(entry.name(), "", hindrance.get(), Damage.Loss.COLLECTION));
      return false;
    }
    boolean ours = entry.name().equals(Names.PRIVATE) || entry.name().equals(Names.QUARANTINE);
    String what =
        switch (entry.kind()) {
          case DIRECTORY -> entry.name().startsWith(".") ? "a hidden folder" : "";
          case FILE -> "a file beside the collections' folders";
          case SYMBOLIC_LINK -> "a symbolic link, which is not followed";
          case OTHER -> "neither file nor folder";
        };
    if (entry.kind() == Disk.Kind.DIRECTORY && ours) {
      return false;
    }
    if (!what.isEmpty() && Names.isHashed(entry.name())) {
      stray.add(new Damage.Inaccessible(entry.name(), "", "it is " + what, Damage.Loss.COLLECTION));
      return false;
    }
    if (!what.isEmpty()) {
      stray.add(new Damage.Leftover(entry.name(), "", what));
      return false;
    }
    return true;
  }

  /** One that could not be looked at a moment ago, while it was being listed. */
  private boolean isFolderAfterAll(Disk.Entry entry) {
    try {
      return entry.kind() == Disk.Kind.OTHER && disk.kind(entry.path()) == Disk.Kind.DIRECTORY;
    } catch (IOException e) {
      return false;
    }
  }

  private static IntactCollection unread(FolderFiles folder, StoredCollection collection) {
    return new IntactCollection(
        folder.path,
        collection,
        folder.compression,
        0,
        List.of(),
        Optional.ofNullable(folder.known),
        Differences.none(),
        Optional.empty(),
        List.copyOf(folder.damage));
  }

  private void proveNames(List<FolderFiles> folders, CandidateNames candidates) {
    Set<String> taken = new HashSet<>();
    folders.forEach(folder -> folder.name().ifPresent(taken::add));
    for (FolderFiles folder : folders) {
      if (folder.isNameless()) {
        candidates
            .prove(folder.folder, taken)
            .or(() -> candidates.prove(folder.folder, taken, DocumentFiles.metadata(disk, folder)))
            .ifPresent(found -> {
              taken.add(found.name());
              folder.take(found);
            });
      }
    }
  }

  private static void judgeClaims(List<FolderFiles> folders) {
    Map<String, List<FolderFiles>> claims = new HashMap<>();
    for (FolderFiles folder : folders) {
      folder.name().ifPresent(n -> claims.computeIfAbsent(n, _ -> new ArrayList<>()).add(folder));
    }
    claims.forEach(StoreCheck::judgeClaim);
  }

  /** The folder of the name's own hash wins; an unproven one only where it claims alone. */
  private static void judgeClaim(String name, List<FolderFiles> claimants) {
    if (claimants.size() == 1 && claimants.getFirst().isProven()) {
      return;
    }
    FolderFiles winner =
        claimants.stream()
            .min(
                Comparator.comparing((FolderFiles f) -> !f.isProven()).thenComparing(f -> f.folder))
            .orElseThrow();
    for (FolderFiles claimant : claimants) {
      boolean alone = claimants.size() == 1;
      if (claimant.isProven() && claimant == winner) {
        continue;
      }
      if (alone) {
        claimant.damage.add(
            new Damage.MetadataMisplaced(
                claimant.folder, claimant.metadataFile, name, Names.hash(name)));
      } else {
        FolderFiles other =
            claimant == winner
                ? claimants.stream().filter(f -> f != winner).findFirst().orElseThrow()
                : winner;
        claimant.damage.add(
            isAmbiguous(claimant, winner)
                ? new Damage.NameAmbiguous(
                    claimant.folder, claimant.metadataFile, name, other.folder)
                : new Damage.NameClaimedTwice(
                    claimant.folder, claimant.metadataFile, name, other.folder));
      }
    }
  }

  /** Both are proven by their bytes: they are two collections, which only decoding makes alike. */
  private static boolean isAmbiguous(FolderFiles claimant, FolderFiles winner) {
    return claimant.isProven()
        && winner.isProven()
        && !claimant.folder.regionMatches(0, winner.folder, 0, Names.METADATA_HASH.length());
  }

  private static boolean isWhole(FolderFiles folder) {
    return folder.damage.stream().noneMatch(found -> found.loss() == Damage.Loss.COLLECTION);
  }

  static void noteReading(Decoded<?> decoded, String folder, String file, List<Damage> damage) {
    if (!decoded.exactText()) {
      damage.add(new Damage.TextNotUtf8(folder, file));
    }
    if (decoded.trailingBytes() > 0) {
      damage.add(new Damage.TrailingBytes(folder, file, decoded.trailingBytes()));
    }
  }

  /** Why an entry cannot be looked at, which a listing tells as {@link Disk.Kind#OTHER}. */
  static Optional<String> hindrance(Disk disk, Disk.Entry entry) {
    if (entry.kind() == Disk.Kind.OTHER) {
      try {
        disk.kind(entry.path());
      } catch (IOException e) {
        return Optional.of(describe(e));
      }
    }
    return Optional.empty();
  }

  static String describe(Throwable e) {
    return switch (e) {
      case OutOfMemoryError _ -> "it does not fit into this heap; give Java more with -Xmx";
      case AccessDeniedException _ -> "permission denied";
      case NoSuchFileException _ -> "it vanished while it was being read";
      default -> e.getClass().getSimpleName() + ": " + e.getMessage();
    };
  }
}
