package dev.contextd.resilience;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.OpenSummary.InPlace;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.FolderReport;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.folder.Quarantine;
import dev.contextd.storage.folder.QuarantineEntry;
import dev.contextd.storage.folder.StoreFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A store that opens whatever its folder holds: what is intact is served, what is damaged is
 * written again from its other copy, or moved to quarantine, or, where that must not or cannot be,
 * left in place and reported.
 *
 * <p>Invariants: opening fails only where the root cannot be created or listed, somebody else owns
 * it, or what is ours in it cannot be opened; nothing damaged is deleted; nothing is moved because
 * it could not be opened.
 */
public final class ResilientStore implements AutoCloseable {
  private final VectorStore store;
  private final Quarantine quarantine;
  private final Clock clock;
  private final OpenSummary summary;

  private ResilientStore(VectorStore store, StoreFolder folder, Clock clock) {
    this.store = store;
    this.quarantine = folder.quarantine();
    this.clock = clock;
    OpenQuarantine run = OpenQuarantine.run(store, quarantine);
    List<QuarantineEntry> entries = list(new HashMap<>());
    List<CollectionInfo> collections = store.collections(Scope.ALL);
    this.summary =
        new OpenSummary(
            collections.size(),
            collections.stream().mapToLong(CollectionInfo::count).sum(),
            run.moved(),
            run.mended(),
            run.inPlace(),
            entries.size(),
            run.brake(),
            store.readOnlyReason());
    store.quarantined(unavailable(entries));
  }

  /**
   * Opens a store, creating the folder where it is missing.
   *
   * @throws dev.contextd.engine.StoreInUseException where another process or store has it open
   * @throws IOException as {@link VectorStore#open}
   */
  public static ResilientStore open(Path root, StoreOptions options) throws IOException {
    VectorStore store = VectorStore.open(root, options);
    StoreFolder folder = new StoreFolder(options.disk(), root, options.clock());
    return new ResilientStore(store, folder, options.clock());
  }

  public VectorStore store() {
    return store;
  }

  public OpenSummary summary() {
    return summary;
  }

  /**
   * What a scrub found and did.
   *
   * @param damage everything that failed
   * @param mended how much of it was written again from its other copy
   */
  public record Scrubbed(List<Damage> damage, int mended, Optional<String> brake) {
    public Scrubbed {
      damage = List.copyOf(damage);
    }
  }

  /** Reads and verifies every byte of the store, and mends what fails from its other copy. */
  public Scrubbed scrub() {
    List<Damage> damage = store.scrub();
    OpenQuarantine run = OpenQuarantine.run(store, quarantine, damage, store.openReport().files());
    return new Scrubbed(damage, run.mended().size(), run.brake());
  }

  /** The health of the store as it stands now: what is served, and what lies in quarantine. */
  public HealthReport health() {
    Instant begin = clock.instant();
    TreeMap<String, String> corrupt = new TreeMap<>();
    TreeSet<String> healthy = new TreeSet<>();
    Map<String, Integer> quarantinedDocuments = noteQuarantined(corrupt);
    noteUnservedFolders(corrupt);
    Set<String> unreadable = new TreeSet<>();
    summary.inPlace().stream()
        .filter(left -> left.damage() instanceof Damage.FolderUnreadable)
        .forEach(left -> unreadable.add(left.damage().folder()));
    for (CollectionInfo collection : store.collections(Scope.ALL)) {
      String folder = collection.folder();
      int lost = collection.unserved() + quarantinedDocuments.getOrDefault(folder, 0);
      if (unreadable.contains(folder)) {
        continue; // It is served, and noted as corrupt.
      }
      if (lost == 0) {
        healthy.add(folder);
      } else {
        corrupt.putIfAbsent(
            folder,
            "Not served of the collection \"%s\": %s; %s"
                .formatted(collection.name(), documents(lost), example(folder)));
      }
    }
    List<String> empty =
        store.openReport().folders().stream()
            .filter(report -> report.health() == FolderReport.Health.EMPTY)
            .map(FolderReport::folder)
            .toList();
    return new HealthReport(
        List.copyOf(healthy),
        List.copyOf(corrupt.keySet()),
        empty,
        corrupt,
        begin,
        Duration.between(begin, clock.instant()));
  }

  @Override
  public void close() {
    store.close();
  }

  /** Notes folders in quarantine; returns how many single documents lie there, by folder. */
  private Map<String, Integer> noteQuarantined(Map<String, String> corrupt) {
    Map<String, Integer> documents = new HashMap<>();
    for (QuarantineEntry entry : list(corrupt)) {
      if (entry.mended()) {
        continue;
      }
      if (entry.isCollection()) {
        corrupt.putIfAbsent(
            entry.folder(),
            "The folder lies in .quarantine/%s: %s"
                .formatted(
                    entry.name(),
                    entry.why().isBlank() ? "its note cannot be read." : entry.why()));
      } else {
        documents.merge(entry.folder(), 1, Integer::sum);
      }
    }
    // A collection that was deleted since leaves its quarantined documents to speak for it.
    TreeSet<String> served = new TreeSet<>();
    store.collections(Scope.ALL).forEach(collection -> served.add(collection.folder()));
    documents.forEach((folder, count) -> {
      if (!served.contains(folder)) {
        corrupt.putIfAbsent(
            folder,
            "Not served of the folder: %s; see .quarantine/%s.*"
                .formatted(documents(count), folder));
      }
    });
    return documents;
  }

  private static String documents(int count) {
    return count == 1 ? "1 document" : count + " documents";
  }

  private void noteUnservedFolders(Map<String, String> corrupt) {
    for (InPlace left : summary.inPlace()) {
      if (isNotKnownWhole(left.damage())) {
        corrupt.putIfAbsent(
            left.damage().folder(),
            left.damage().sentence() + left.why().map(why -> " It was left: " + why).orElse(""));
      }
    }
  }

  private String example(String folder) {
    return store.damage().stream()
        .filter(found -> found.folder().equals(folder) && found.loss() == Damage.Loss.DOCUMENT)
        .findFirst()
        .map(found -> found.file() + ": " + found.sentence())
        .orElse("see .quarantine/" + folder + ".*");
  }

  /** How many documents cannot be searched, by the folder they came from. */
  private Map<String, OptionalLong> unavailable(List<QuarantineEntry> entries) {
    Map<String, OptionalLong> counts = new HashMap<>();
    for (QuarantineEntry entry : entries) {
      if (entry.mended()) {
        continue;
      }
      OptionalLong documents =
          entry.documents().isPresent()
              ? OptionalLong.of(entry.documents().getAsInt())
              : OptionalLong.empty();
      counts.merge(entry.folder(), documents, ResilientStore::sum);
    }
    for (InPlace left : summary.inPlace()) {
      if (isNotKnownWhole(left.damage())) {
        counts.merge(left.damage().folder(), documentsIn(left.damage()), ResilientStore::sum);
      }
    }
    return counts;
  }

  /** A folder that cannot be listed may hold more than is served of it. */
  private static boolean isNotKnownWhole(Damage damage) {
    return damage.loss() == Damage.Loss.COLLECTION || damage instanceof Damage.FolderUnreadable;
  }

  private OptionalLong documentsIn(Damage damage) {
    if (damage instanceof Damage.Inaccessible || damage instanceof Damage.FolderUnreadable) {
      return OptionalLong.empty();
    }
    return store.openReport().folders().stream()
        .filter(report -> report.folder().equals(damage.folder()))
        .mapToLong(FolderReport::documentFiles)
        .findFirst();
  }

  private static OptionalLong sum(OptionalLong a, OptionalLong b) {
    return a.isEmpty() || b.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(a.getAsLong() + b.getAsLong());
  }

  /** A quarantine that cannot be listed may hold anything: that is no health. */
  private List<QuarantineEntry> list(Map<String, String> corrupt) {
    try {
      return quarantine.list();
    } catch (IOException e) {
      corrupt.put(Names.QUARANTINE, "The quarantine cannot be listed: " + e.getMessage());
      return List.of();
    }
  }
}
