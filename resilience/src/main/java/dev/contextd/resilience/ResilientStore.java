package dev.contextd.resilience;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.OpenSummary.InPlace;
import dev.contextd.resilience.remote.RemoteLink;
import dev.contextd.storage.backup.BackupRun;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.Actor;
import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.Quarantine;
import dev.contextd.storage.folder.QuarantineEntry;
import dev.contextd.storage.folder.StoreFolder;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
  private static final Logger log = LoggerFactory.getLogger(ResilientStore.class);

  private static final ScrubProgress IDLE = new ScrubProgress(false, 0, 0);

  private final VectorStore store;
  private final Quarantine quarantine;
  private final AuditLog audit;
  private final OpenSummary summary;
  private final HealthChecker checker;
  private final BackgroundScanner scanner;
  private final BackgroundScrub scrub;
  private final QuarantineWork quarantineWork;
  private final RepairWork repairWork;
  private final Disk disk;
  private final Clock clock;
  private final RemoteLink remote;
  private final Backups backups;

  /** How far a scrub is that somebody waits for. */
  private volatile ScrubProgress ordered = IDLE;

  private ResilientStore(
      VectorStore store,
      StoreCheck check,
      StoreFolder folder,
      StoreOptions storeOptions,
      HealthOptions options,
      BackupOptions backupOptions,
      List<BackupRun.Item> backedUp) {
    this.clock = storeOptions.clock();
    this.disk = storeOptions.disk();
    this.store = store;
    this.quarantine = folder.quarantine();
    this.audit = folder.audit();
    OpenQuarantine run = OpenQuarantine.run(store, quarantine, audit);
    Set<String> fromBackup = settleFromBackup(backedUp);
    List<QuarantineEntry> entries = list(quarantine);
    List<CollectionInfo> collections = store.collections(Scope.ALL);
    this.summary =
        new OpenSummary(
            collections.size(),
            collections.stream().mapToLong(CollectionInfo::count).sum(),
            run.moved(),
            run.mended(),
            run.inPlace(),
            run.failedMoves(),
            repairs(run, fromBackup),
            entries.size(),
            run.brake(),
            store.readOnlyReason());
    store.quarantined(
        HealthSurvey.elder(
            store.openReport(), entries, run.inPlace().stream().map(InPlace::damage).toList()));
    this.checker =
        new HealthChecker(store, quarantine, summary, clock, options.maxAge(), options.patience());
    checker.listen(new HealthLog());
    this.remote = new RemoteLink(store, folder, disk, clock, checker::tell);
    this.scanner =
        new BackgroundScanner(
            folder.root(),
            checker,
            new Mender(store, quarantine, audit, checker, clock, summary.brake().isPresent()),
            clock,
            options.scanInterval());
    this.scrub = new BackgroundScrub(store, checker, clock, options, this::mendScrubbed);
    this.backups = new Backups(store, folder, storeOptions.disk(), backupOptions, clock);
    this.quarantineWork = new QuarantineWork(store, check, folder, checker, backups);
    this.repairWork =
        new RepairWork(store, folder, storeOptions.disk(), quarantineWork, backups, checker);
  }

  /**
   * Opens a store, creating the folder where it is missing.
   *
   * @throws dev.contextd.engine.StoreInUseException where another process or store has it open
   * @throws IOException as {@link VectorStore#open}
   */
  public static ResilientStore open(Path root, StoreOptions options) throws IOException {
    return open(root, options, HealthOptions.defaults());
  }

  /**
   * As {@link #open(Path, StoreOptions)}.
   *
   * @param health how the store is watched
   */
  public static ResilientStore open(Path root, StoreOptions options, HealthOptions health)
      throws IOException {
    return open(root, options, health, BackupOptions.beside(root));
  }

  /**
   * As {@link #open(Path, StoreOptions, HealthOptions)}.
   *
   * @param backups how the store is backed up; names in a backup help where metadata was lost
   */
  public static ResilientStore open(
      Path root, StoreOptions options, HealthOptions health, BackupOptions backups)
      throws IOException {
    List<BackupRun.Item> backedUp = Backups.known(options.disk(), backups);
    List<String> names = backedUp.stream().map(BackupRun.Item::name).toList();
    StoreOptions named =
        options.withNames(options.names().map(known -> known.and(names, "a backup names it")));
    VectorStore store = VectorStore.open(root, named);
    StoreFolder folder = new StoreFolder(options.disk(), root, options.clock());
    StoreCheck check = new StoreCheck(options.disk(), new Workers(options.pool()));
    return new ResilientStore(store, check, folder, options, health, backups, backedUp);
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
    List<Damage> damage;
    try {
      damage =
          store.scrub((bytes, done, total) -> {
            ordered = new ScrubProgress(true, done, total);
            checker.tell(listener -> listener.onScrubbed(bytes));
            return true;
          });
    } finally {
      ordered = IDLE;
    }
    OpenQuarantine run = mendScrubbed(damage);
    return new Scrubbed(damage, run.mended().size(), run.brake());
  }

  private synchronized OpenQuarantine mendScrubbed(List<Damage> damage) {
    checker.tell(listener -> listener.onScrubDamage(damage.size()));
    OpenQuarantine run =
        OpenQuarantine.run(
            store, quarantine, audit, damage, store.openReport().files(), checker::tell);
    long rebuilt = damage.stream().filter(Damage.PackDamaged.class::isInstance).count();
    for (long i = 0; i < rebuilt; i++) {
      checker.tell(listener -> listener.onRepair(RepairSource.MEMORY));
    }
    if (run.brake().isPresent()) {
      checker.brake(run.brake());
    }
    if (!run.mended().isEmpty() || rebuilt > 0) {
      try {
        store.checkpoint();
      } catch (StoreException e) {
        log.warn("what was mended is not durable yet: {}", e.getMessage());
      }
    }
    return run;
  }

  /**
   * How far a scrub is: the one that was asked for where one is under way, else that by the clock.
   */
  public ScrubProgress scrubProgress() {
    ScrubProgress now = ordered;
    return now.isRunning() ? now : scrub.progress();
  }

  /** The health of the store as it stands now. */
  public HealthReport health() {
    return checker.fresh();
  }

  /** The store's backups. */
  public Backups backups() {
    return backups;
  }

  /** What can be repaired, and its repair. */
  public RepairWork repairs() {
    return repairWork;
  }

  /** What operators do about the quarantine. */
  public QuarantineWork quarantine() {
    return quarantineWork;
  }

  /**
   * What was done to the store, the latest last: the fields of each line of the audit log by name.
   *
   * @param most how many lines
   * @throws IOException where the log cannot be read
   */
  public List<Map<String, String>> audit(int most) throws IOException {
    return audit.latest(most).stream().map(AuditLog.Line::fields).toList();
  }

  /**
   * Runs something in the name of whoever asked for it: the audit log names them.
   *
   * @param who in a few words
   */
  public static <T> T acting(String who, Callable<T> action) throws Exception {
    return Actor.acting(who, action);
  }

  /** What this store has to do with a remote one. */
  public RemoteLink remote() {
    return remote;
  }

  /** What callers of the data API work on. */
  public DocumentStore documents() {
    return remote.documents();
  }

  /** Begins to look after the store by itself: checks it, and mends what can be mended. */
  public void watch() {
    scanner.start();
    scrub.start();
    if (store.readOnlyReason().isEmpty()) {
      backups.start();
    }
  }

  /** Says how healthy the store is. */
  public HealthChecker checker() {
    return checker;
  }

  @Override
  public void close() {
    remote.stop();
    backups.close();
    scanner.close();
    scrub.close();
    remote.close();
    store.close();
  }

  /**
   * A collection whose metadata is not known has that of the newest backup which knows it: it is
   * never changed, and the folder's name proves that it is the same collection's.
   *
   * @return the folders of those that are settled
   */
  private Set<String> settleFromBackup(List<BackupRun.Item> known) {
    Set<String> settled = new HashSet<>();
    for (CollectionInfo collection : store.collections(Scope.ALL)) {
      if (collection.lostMetadata().isEmpty() || store.readOnlyReason().isPresent()) {
        continue;
      }
      known.stream()
          .filter(item -> item.name().equals(collection.name()) && !item.isMetadataUnknown())
          .filter(item -> item.folder().equals(collection.folder()))
          .findFirst()
          .ifPresent(item -> {
            try {
              store.settleMetadata(collection.name(), Optional.of(item.stored().metadataOrEmpty()));
              settled.add(collection.folder());
              audit.note(
                  List.of(
                      new AuditLog.Entry(
                              "recovered",
                              collection.folder(),
                              "",
                              "Its own metadata is that of the newest backup.")
                          .withSource("backup", true)));
            } catch (StoreException e) {
              log.warn(
                  "the metadata of {} is still unknown: {}", collection.name(), e.getMessage());
            }
          });
    }
    return settled;
  }

  private List<RepairSource> repairs(OpenQuarantine run, Set<String> fromBackup) {
    Stream<Damage> rebuilt =
        store.readOnlyReason().isPresent() ? Stream.empty() : store.openReport().stray().stream();
    return Stream.concat(run.mended().stream().map(OpenSummary.Moved::damage), rebuilt)
        .flatMap(damage ->
            RepairSource.atOpening(damage).stream()
                .map(source ->
                    source == RepairSource.NAME && fromBackup.contains(damage.folder())
                        ? RepairSource.BACKUP
                        : source))
        .toList();
  }

  /** A quarantine that cannot be listed may hold anything: checks of health say so. */
  private static List<QuarantineEntry> list(Quarantine quarantine) {
    try {
      return quarantine.list();
    } catch (IOException e) {
      return List.of();
    }
  }
}
