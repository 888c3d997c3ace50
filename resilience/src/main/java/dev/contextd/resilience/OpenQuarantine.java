package dev.contextd.resilience;

import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.OpenSummary.InPlace;
import dev.contextd.resilience.OpenSummary.Moved;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.Repair;
import dev.contextd.storage.folder.AuditLog;
import dev.contextd.storage.folder.Quarantine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets aside what the check found damaged at opening: each thing alone, all of them or, where the
 * brake holds, none.
 */
final class OpenQuarantine {
  private static final Logger log = LoggerFactory.getLogger(OpenQuarantine.class);

  private final VectorStore store;
  private final Quarantine quarantine;
  private final AuditLog audit;
  private final List<AuditLog.Entry> done = new ArrayList<>();
  private final List<Moved> moved = new ArrayList<>();
  private final List<InPlace> inPlace = new ArrayList<>();
  private final List<Moved> mended = new ArrayList<>();
  private int failedMoves;
  private Optional<String> brake = Optional.empty();

  private OpenQuarantine(VectorStore store, Quarantine quarantine, AuditLog audit) {
    this.store = store;
    this.quarantine = quarantine;
    this.audit = audit;
  }

  static OpenQuarantine run(VectorStore store, Quarantine quarantine, AuditLog audit) {
    OpenQuarantine run = new OpenQuarantine(store, quarantine, audit);
    run.settle(store.openReport().damage(), store.openReport().files());
    return run;
  }

  /** Carries out the repairs of damage that was found later, under the same brake. */
  static OpenQuarantine run(
      VectorStore store,
      Quarantine quarantine,
      AuditLog audit,
      List<Damage> damage,
      long files,
      Consumer<Consumer<HealthListener>> tell) {
    OpenQuarantine run = new OpenQuarantine(store, quarantine, audit);
    run.settle(damage, files);
    run.moved.forEach(_ -> tell.accept(listener -> listener.onQuarantine(true)));
    for (int i = 0; i < run.failedMoves; i++) {
      tell.accept(listener -> listener.onQuarantine(false));
    }
    run.mended.forEach(_ -> tell.accept(listener -> listener.onRepair(RepairSource.MEMORY)));
    return run;
  }

  /** Carries out repairs that an operator ordered: no brake holds them. */
  static OpenQuarantine ordered(
      VectorStore store, Quarantine quarantine, AuditLog audit, List<Damage> damage) {
    OpenQuarantine run = new OpenQuarantine(store, quarantine, audit);
    damage.forEach(one -> {
      if (one.repair() instanceof Repair.Rewrite) {
        run.mend(one);
      }
    });
    audit.note(run.done);
    return run;
  }

  List<Moved> moved() {
    return moved;
  }

  List<Moved> mended() {
    return mended;
  }

  int failedMoves() {
    return failedMoves;
  }

  List<InPlace> inPlace() {
    return inPlace;
  }

  Optional<String> brake() {
    return brake;
  }

  private void settle(List<Damage> found, long files) {
    List<Damage> toMove = new ArrayList<>();
    List<Damage> toMend = new ArrayList<>();
    Set<String> settled = unopenableFolders(found);
    for (Damage damage : found) {
      switch (damage.repair()) {
        case Repair.LeaveInPlace _ -> inPlace.add(new InPlace(damage, Optional.empty()));
        case Repair.Rewrite _ -> toMend.add(damage);
        case Repair.QuarantineFile _ -> toMove.add(damage);
        case Repair.QuarantineCollection _ -> {
          if (settled.add(damage.folder())) {
            toMove.add(damage);
          }
        }
      }
    }
    Optional<String> hindrance = hindrance(toMove.size() + toMend.size(), files);
    if (brake.isPresent() && !toMend.isEmpty()) {
      store.refuseWrites("much of its folder is missing or damaged at once: " + brake.get());
    }
    for (Damage damage : toMend) {
      if (hindrance.isPresent()) {
        inPlace.add(new InPlace(damage, hindrance));
      } else {
        mend(damage);
      }
    }
    for (Damage damage : toMove) {
      if (hindrance.isPresent()) {
        inPlace.add(new InPlace(damage, hindrance));
      } else {
        move(damage);
      }
    }
    audit.note(done);
  }

  /** What could not be opened is not known to be damaged: these folders stay where they are. */
  private static Set<String> unopenableFolders(List<Damage> all) {
    Set<String> folders = new HashSet<>();
    for (Damage damage : all) {
      if (damage instanceof Damage.Inaccessible one && one.loss() == Damage.Loss.COLLECTION) {
        folders.add(one.folder());
      }
    }
    return folders;
  }

  /** Why nothing may be moved at all. */
  private Optional<String> hindrance(int planned, long files) {
    if (planned == 0) {
      return Optional.empty();
    }
    if (store.readOnlyReason().isPresent()) {
      return Optional.of("the folder cannot be written");
    }
    try {
      long unreviewed =
          quarantine.list().stream().filter(entry -> !entry.reviewed() && !entry.mended()).count();
      if (QuarantineBrake.holds(unreviewed, planned, files)) {
        brake =
            Optional.of(
                "%d damaged things and %d not yet reviewed in quarantine are more than the %d allowed: they have one cause that is not theirs, so nothing was moved or mended"
                    .formatted(planned, unreviewed, QuarantineBrake.allowed(files)));
        log.error("quarantine brake: {}", brake.get());
      }
      return brake;
    } catch (IOException e) {
      return Optional.of("the quarantine cannot be listed: " + e.getMessage());
    }
  }

  /** The bad bytes first go to quarantine; then the file is written again from its other copy. */
  private void mend(Damage damage) {
    try {
      String entry = "";
      if (!damage.file().isEmpty() && !(damage instanceof Damage.DocumentMissing)) {
        entry =
            quarantine.moveMended(damage.folder(), damage.file(), damage.word(), damage.sentence());
      }
      String after = store.mend(damage);
      mended.add(new Moved(damage, entry));
      done.add(
          entry("mended", damage, damage.file(), entry, after)
              .withSource(source(damage), !(damage instanceof Damage.MetadataUnknown)));
      log.warn("mended {}/{}: {}", damage.folder(), damage.file(), damage.sentence());
    } catch (IOException e) {
      inPlace.add(new InPlace(damage, Optional.of("it could not be moved: " + e.getMessage())));
      log.error("could not mend {}/{}: {}", damage.folder(), damage.file(), e.toString());
    }
  }

  /** While the store is open everything it knows is in memory. */
  private static String source(Damage damage) {
    return RepairSource.atOpening(damage)
        .orElse(RepairSource.MEMORY)
        .name()
        .toLowerCase(Locale.ROOT);
  }

  private AuditLog.Entry entry(String what, Damage damage, String file, String kept, String after) {
    String before = kept.isEmpty() ? "" : quarantine.checksumOf(kept);
    return new AuditLog.Entry(what, damage.folder(), file, damage.sentence())
        .withKept(kept)
        .withSums(before, after);
  }

  private void move(Damage damage) {
    String file = damage.repair() instanceof Repair.QuarantineCollection ? "" : damage.file();
    try {
      String entry = quarantine.move(damage.folder(), file, damage.word(), damage.sentence());
      moved.add(new Moved(damage, entry));
      done.add(entry("quarantined", damage, file, entry, ""));
      store.forget(damage);
      log.warn(
          "quarantined {}/{} as .quarantine/{}: {}",
          damage.folder(),
          file,
          entry,
          damage.sentence());
    } catch (IOException e) {
      inPlace.add(new InPlace(damage, Optional.of("it could not be moved: " + e.getMessage())));
      failedMoves++;
      log.error("could not quarantine {}/{}: {}", damage.folder(), file, e.toString());
    }
  }
}
