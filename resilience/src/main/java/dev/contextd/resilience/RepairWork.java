package dev.contextd.resilience;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.Repair;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.folder.StoreFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Everything that can be repaired now: one method plans it, another one does what was planned.
 *
 * <p>What a store mends by itself is planned only where the brake, or a restart, keeps it from
 * doing so: an order of the operator is no systemic cause.
 */
public final class RepairWork {
  /** A stray copy, which must not bring a deleted document back unless somebody says so. */
  private static final String MAY_BE_DELETED = "document_misplaced";

  private final VectorStore store;
  private final StoreFolder folder;
  private final QuarantineWork quarantine;
  private final Backups backups;
  private final EmbedAgain embedAgain;
  private final HealthChecker checker;

  RepairWork(
      VectorStore store,
      StoreFolder folder,
      Disk disk,
      QuarantineWork quarantine,
      Backups backups,
      HealthChecker checker) {
    this.backups = backups;
    this.embedAgain = new EmbedAgain(store, folder, disk);
    this.store = store;
    this.folder = folder;
    this.quarantine = quarantine;
    this.checker = checker;
  }

  /** What a step is. */
  public enum Kind {
    /** A file is written again from what is served. */
    REWRITE,
    /** What lies in quarantine is served again. */
    RESTORE,
    /** A vector is made anew from the stored content, which is done only where it is asked for. */
    EMBED,
    /** Only the operator can do it; {@link Step#next} says how. */
    OPERATOR
  }

  /**
   * One thing to do.
   *
   * @param folder it concerns
   * @param file empty where it is the whole folder
   * @param source what the repair is made from
   * @param isLossless whether everything is as it was before the damage
   * @param why the damage in one sentence
   * @param next the command that does it alone
   */
  public record Step(
      Kind kind,
      String folder,
      String file,
      String source,
      boolean isLossless,
      String why,
      String next) {}

  /** A step, and what came of it; {@code failure} is empty where it was done. */
  public record Outcome(Step step, String result, Optional<String> failure) {}

  /** Does a step, and says what came of it; throws where nothing did. */
  @FunctionalInterface
  private interface Action {
    String run();
  }

  /**
   * @param action empty where only the operator can do it
   */
  private record Planned(Step step, Optional<Action> action) {}

  /**
   * Everything that can be repaired, in the order in which it is done.
   *
   * @param embeds whether vectors that cannot be searched are to be made anew
   */
  public List<Step> plan(boolean embeds) {
    return planned(embeds).stream().map(Planned::step).toList();
  }

  private List<Planned> planned(boolean embeds) {
    List<Planned> all = new ArrayList<>();
    for (Damage damage : present()) {
      if (damage.repair() instanceof Repair.Rewrite) {
        all.add(new Planned(rewriting(damage), Optional.of(() -> rewrite(damage))));
      }
    }
    for (Damage damage : store.damage()) {
      EmbedAgain.idOf(damage)
          .ifPresent(id ->
              all.add(
                  new Planned(
                      embedAgain.step(damage, embeds),
                      embeds ? Optional.of(() -> embedAgain.run(damage, id)) : Optional.empty())));
    }
    quarantine.list().forEach(item -> all.add(ofQuarantine(item)));
    for (CollectionInfo collection : store.collections(Scope.ALL)) {
      collection
          .lostMetadata()
          .ifPresent(why -> all.add(new Planned(settling(collection, why), Optional.empty())));
    }
    return all;
  }

  private static Step rewriting(Damage damage) {
    return new Step(
        Kind.REWRITE,
        damage.folder(),
        damage.file(),
        "what is served",
        !(damage instanceof Damage.MetadataUnknown),
        damage.sentence(),
        "ctxd repair");
  }

  private static Step settling(CollectionInfo collection, String why) {
    return new Step(
        Kind.OPERATOR,
        collection.folder(),
        "",
        "",
        false,
        why,
        "ctxd metadata recover " + collection.name());
  }

  /** From its own files where they can be read, else from the newest backup. */
  private Planned ofQuarantine(QuarantineWork.Item item) {
    if (item.hindrance().isEmpty()) {
      boolean isStray = MAY_BE_DELETED.equals(item.kind());
      boolean isWhole = !item.file().isEmpty() && item.readable().equals(item.documents());
      return new Planned(
          step(
              isStray ? Kind.OPERATOR : Kind.RESTORE,
              item,
              "its own files in quarantine",
              isStray || isWhole,
              item.next()),
          isStray ? Optional.empty() : Optional.of(() -> restore(item)));
    }
    Optional<Backups.Found> backup =
        item.collection()
            .filter(_ -> !item.file().isEmpty())
            .flatMap(collection -> backups.find(collection, hashOf(item.file())));
    return backup
        .map(found ->
            new Planned(
                step(
                    Kind.RESTORE,
                    item,
                    "the backup " + found.run(),
                    false,
                    "ctxd backup restore --collection %s --document %s"
                        .formatted(item.collection().orElseThrow(), found.document().id())),
                Optional.of(() -> restoreFromBackup(item, found))))
        .orElseGet(
            () -> new Planned(step(Kind.OPERATOR, item, "", false, item.next()), Optional.empty()));
  }

  private static Step step(
      Kind kind, QuarantineWork.Item item, String source, boolean isLossless, String next) {
    return new Step(kind, item.folder(), item.file(), source, isLossless, why(item), next);
  }

  private static String hashOf(String file) {
    return file.substring(0, Math.min(file.length(), Names.METADATA_HASH.length()));
  }

  /** The damage, and what is in the way where that is more. */
  private static String why(QuarantineWork.Item item) {
    return item.hindrance()
        .filter(hindrance -> !hindrance.contains(item.why()))
        .map(hindrance ->
            "%s %s%s."
                .formatted(
                    item.why(),
                    hindrance.substring(0, 1).toUpperCase(Locale.ROOT),
                    hindrance.substring(1)))
        .orElse(item.why());
  }

  private List<Damage> present() {
    try {
      return store.examine(Optional.empty()).report().damage();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Does what {@link #plan} says now; a step that fails does not keep others from being done. */
  public synchronized List<Outcome> execute(boolean embeds) {
    List<Outcome> outcomes = new ArrayList<>();
    for (Planned planned : planned(embeds)) {
      planned.action().ifPresent(action -> outcomes.add(outcome(planned.step(), action)));
    }
    if (!outcomes.isEmpty()) {
      store.checkpoint();
    }
    checker.fresh();
    return outcomes;
  }

  private static Outcome outcome(Step step, Action action) {
    try {
      return new Outcome(step, action.run(), Optional.empty());
    } catch (StoreException e) {
      return new Outcome(step, "", Optional.of(String.valueOf(e.getMessage())));
    }
  }

  private String rewrite(Damage damage) {
    OpenQuarantine run =
        OpenQuarantine.ordered(store, folder.quarantine(), folder.audit(), List.of(damage));
    run.inPlace().stream()
        .flatMap(left -> left.why().stream())
        .findFirst()
        .ifPresent(why -> {
          throw new StoreException(ErrorCode.STORAGE_FAILED, why);
        });
    return "written again";
  }

  private String restore(QuarantineWork.Item item) {
    long documents =
        quarantine.restore(item.name(), Optional.empty(), false).stream()
            .mapToLong(one -> (long) one.merged().added() + one.merged().replaced())
            .sum();
    return documents + " documents are back";
  }

  /** A version that is newer than the backup's stays. */
  private String restoreFromBackup(QuarantineWork.Item item, Backups.Found found) {
    String collection =
        store
            .collectionIn(item.folder())
            .orElseThrow(() ->
                new StoreException(
                    ErrorCode.COLLECTION_NOT_FOUND, "its collection is not served yet"));
    boolean isThere =
        store
            .collection(collection, Scope.ALL)
            .flatMap(served -> served.get(found.document().id()))
            .isPresent();
    if (!isThere) {
      store.putBack(collection, List.of(found.document()));
    }
    quarantine.discard(item.name());
    return isThere
        ? "a newer version is served; the damaged file is in the trash"
        : "its version of the backup %s is served; the damaged file is in the trash"
            .formatted(found.run());
  }
}
