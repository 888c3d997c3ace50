package dev.contextd.resilience;

import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.OpenSummary.InPlace;
import dev.contextd.resilience.OpenSummary.Moved;
import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.Repair;
import dev.contextd.storage.folder.Quarantine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
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
  private final List<Moved> moved = new ArrayList<>();
  private final List<InPlace> inPlace = new ArrayList<>();
  private Optional<String> brake = Optional.empty();

  private OpenQuarantine(VectorStore store, Quarantine quarantine) {
    this.store = store;
    this.quarantine = quarantine;
  }

  static OpenQuarantine run(VectorStore store, Quarantine quarantine) {
    OpenQuarantine run = new OpenQuarantine(store, quarantine);
    run.settle(store.openReport());
    return run;
  }

  List<Moved> moved() {
    return moved;
  }

  List<InPlace> inPlace() {
    return inPlace;
  }

  Optional<String> brake() {
    return brake;
  }

  private void settle(CheckReport report) {
    List<Damage> toMove = new ArrayList<>();
    Set<String> settled = unopenableFolders(report);
    for (Damage damage : report.damage()) {
      switch (damage.repair()) {
        case Repair.LeaveInPlace _ -> inPlace.add(new InPlace(damage, Optional.empty()));
        case Repair.QuarantineFile _ -> toMove.add(damage);
        case Repair.QuarantineCollection _ -> {
          if (settled.add(damage.folder())) {
            toMove.add(damage);
          }
        }
      }
    }
    Optional<String> hindrance = hindrance(toMove.size(), report.files());
    for (Damage damage : toMove) {
      if (hindrance.isPresent()) {
        inPlace.add(new InPlace(damage, hindrance));
      } else {
        move(damage);
      }
    }
  }

  /** What could not be opened is not known to be damaged: these folders stay where they are. */
  private static Set<String> unopenableFolders(CheckReport report) {
    Set<String> folders = new HashSet<>();
    for (Damage damage : report.damage()) {
      if (damage instanceof Damage.Inaccessible found && found.loss() == Damage.Loss.COLLECTION) {
        folders.add(found.folder());
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
      long unreviewed = quarantine.list().stream().filter(entry -> !entry.reviewed()).count();
      if (QuarantineBrake.holds(unreviewed, planned, files)) {
        brake =
            Optional.of(
                "%d damaged things and %d not yet reviewed in quarantine are more than the %d allowed: they have one cause that is not theirs, so nothing was moved"
                    .formatted(planned, unreviewed, QuarantineBrake.allowed(files)));
        log.error("quarantine brake: {}", brake.get());
      }
      return brake;
    } catch (IOException e) {
      return Optional.of("the quarantine cannot be listed: " + e.getMessage());
    }
  }

  private void move(Damage damage) {
    String file = damage.repair() instanceof Repair.QuarantineCollection ? "" : damage.file();
    try {
      String entry = quarantine.move(damage.folder(), file, word(damage), damage.sentence());
      moved.add(new Moved(damage, entry));
      store.forget(damage);
      log.warn(
          "quarantined {}/{} as .quarantine/{}: {}",
          damage.folder(),
          file,
          entry,
          damage.sentence());
    } catch (IOException e) {
      inPlace.add(new InPlace(damage, Optional.of("it could not be moved: " + e.getMessage())));
      log.error("could not quarantine {}/{}: {}", damage.folder(), file, e.toString());
    }
  }

  /** The kind of damage as a stable word: {@code metadata_missing}. */
  private static String word(Damage damage) {
    return damage
        .getClass()
        .getSimpleName()
        .replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_")
        .toLowerCase(Locale.ROOT);
  }
}
