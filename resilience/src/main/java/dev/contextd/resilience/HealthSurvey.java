package dev.contextd.resilience;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.OpenSummary.InPlace;
import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.FolderReport;
import dev.contextd.storage.folder.QuarantineEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;

/** What a check of the folders and the quarantine together say of a store's health. */
final class HealthSurvey {
  private final VectorStore store;
  private final CheckReport report;
  private final List<QuarantineEntry> entries;
  private final List<InPlace> left;
  private final TreeSet<String> healthy = new TreeSet<>();
  private final TreeSet<String> empty = new TreeSet<>();
  private final TreeMap<String, String> corrupt = new TreeMap<>();
  private final TreeMap<String, String> general = new TreeMap<>();
  private final Map<String, Integer> damage = new TreeMap<>();
  private final Map<String, Integer> quarantinedDocuments = new HashMap<>();

  /**
   * @param left what the opening could not move, and why
   */
  HealthSurvey(
      VectorStore store, CheckReport report, List<QuarantineEntry> entries, List<InPlace> left) {
    this.store = store;
    this.report = report;
    this.entries = entries.stream().filter(entry -> !entry.mended()).toList();
    this.left = left;
    noteQuarantined();
    report.folders().forEach(this::note);
    report.stray().forEach(this::noteStray);
    noteLoss();
    noteLostMetadata();
    report.damage().forEach(found -> damage.merge(found.word(), 1, Integer::sum));
  }

  private void noteQuarantined() {
    for (QuarantineEntry entry : entries) {
      String kind = entry.kind().isEmpty() ? "quarantined" : entry.kind();
      damage.merge(kind, 1, Integer::sum);
      if (entry.isCollection()) {
        corrupt.putIfAbsent(
            entry.folder(),
            "The folder lies in .quarantine/%s: %s"
                .formatted(
                    entry.name(),
                    entry.why().isBlank() ? "its note cannot be read." : entry.why()));
      } else {
        quarantinedDocuments.merge(entry.folder(), 1, Integer::sum);
      }
    }
    // A collection that was deleted since leaves its quarantined documents to speak for it.
    TreeSet<String> served = new TreeSet<>();
    store.collections(Scope.ALL).forEach(collection -> served.add(collection.folder()));
    quarantinedDocuments.forEach((folder, count) -> {
      if (!served.contains(folder)) {
        corrupt.putIfAbsent(
            folder,
            "Not served of the folder: %s; see .quarantine/%s.*"
                .formatted(documents(count), folder));
      }
    });
  }

  private void note(FolderReport folder) {
    String name = folder.folder();
    int lost = folder.unserved() + quarantinedDocuments.getOrDefault(name, 0);
    Optional<Damage> whole =
        folder.damage().stream().filter(HealthSurvey::isNotKnownWhole).findAny();
    if (whole.isPresent()) {
      corrupt.putIfAbsent(name, whole.get().sentence() + whyLeft(whole.get()));
    } else if (lost > 0 && folder.isServed()) {
      corrupt.putIfAbsent(
          name,
          "Not served of the collection \"%s\": %s; %s"
              .formatted(folder.name().orElse(""), documents(lost), example(folder)));
    } else if (lost > 0) {
      corrupt.putIfAbsent(name, "Not served of the folder: " + documents(lost));
    } else if (folder.health() == FolderReport.Health.EMPTY) {
      empty.add(name);
    } else {
      healthy.add(name);
    }
  }

  /** A folder that cannot be listed may hold more than is served of it. */
  private static boolean isNotKnownWhole(Damage found) {
    return found.loss() == Damage.Loss.COLLECTION || found instanceof Damage.FolderUnreadable;
  }

  /** What stands in the root where a collection stood costs the collection. */
  private void noteStray(Damage found) {
    if (found.loss() == Damage.Loss.COLLECTION) {
      corrupt.putIfAbsent(found.folder(), found.sentence() + whyLeft(found));
    }
  }

  /** Acknowledged writes that a damaged journal lost belong to nobody knows which collection. */
  private void noteLoss() {
    for (Damage found : store.openReport().stray()) {
      if (found instanceof Damage.JournalDamaged) {
        general.put(found.folder(), found.sentence());
        damage.merge(found.word(), 1, Integer::sum);
      }
    }
  }

  /** What a collection itself had as metadata is unserved, until an operator settles it. */
  private void noteLostMetadata() {
    for (CollectionInfo collection : store.collections(Scope.ALL)) {
      collection
          .lostMetadata()
          .ifPresent(why -> {
            healthy.remove(collection.folder());
            corrupt.putIfAbsent(collection.folder(), why);
            damage.putIfAbsent("metadata_unknown", 1);
          });
    }
  }

  private static String documents(int count) {
    return count == 1 ? "1 document" : count + " documents";
  }

  private String whyLeft(Damage found) {
    return left.stream()
        .filter(one -> one.damage().equals(found))
        .flatMap(one -> one.why().stream())
        .map(why -> " It was left: " + why)
        .findFirst()
        .orElse("");
  }

  private static String example(FolderReport folder) {
    return folder.damage().stream()
        .filter(found -> found.loss() == Damage.Loss.DOCUMENT)
        .findFirst()
        .map(found -> found.file() + ": " + found.sentence())
        .orElse("see .quarantine/" + folder.folder() + ".*");
  }

  List<String> healthy() {
    return List.copyOf(healthy);
  }

  List<String> corrupt() {
    return List.copyOf(corrupt.keySet());
  }

  List<String> empty() {
    return List.copyOf(empty);
  }

  Map<String, String> details() {
    Map<String, String> all = new TreeMap<>(general);
    all.putAll(corrupt);
    return all;
  }

  Map<String, Integer> damage() {
    return damage;
  }

  List<HealthReport.Quarantined> quarantined() {
    List<HealthReport.Quarantined> all = new ArrayList<>();
    for (QuarantineEntry entry : entries) {
      all.add(
          new HealthReport.Quarantined(
              entry.name(),
              entry.folder(),
              entry.file(),
              entry.why(),
              entry.when(),
              entry.reviewed()));
    }
    return all;
  }

  /** Documents that cannot be served, as far as it can be told. */
  long unavailable() {
    long known = elder().values().stream().mapToLong(documents -> documents.orElse(0)).sum();
    return known + store.collections(Scope.ALL).stream().mapToLong(CollectionInfo::unserved).sum();
  }

  /** How many documents cannot be searched, by the folder they came from. */
  Map<String, OptionalLong> elder() {
    return elder(report, entries, report.damage());
  }

  /**
   * How many documents cannot be searched, by the folder they came from.
   *
   * @param inPlace damage that lies where it was found
   */
  static Map<String, OptionalLong> elder(
      CheckReport report, List<QuarantineEntry> entries, List<Damage> inPlace) {
    Map<String, OptionalLong> counts = new HashMap<>();
    for (QuarantineEntry entry : entries) {
      if (entry.mended()) {
        continue;
      }
      counts.merge(
          entry.folder(),
          entry.documents().isPresent()
              ? OptionalLong.of(entry.documents().getAsInt())
              : OptionalLong.empty(),
          HealthSurvey::sum);
    }
    for (Damage found : inPlace) {
      if (isNotKnownWhole(found)) {
        counts.merge(found.folder(), documentsIn(report, found), HealthSurvey::sum);
      }
    }
    return counts;
  }

  private static OptionalLong documentsIn(CheckReport report, Damage found) {
    if (found instanceof Damage.Inaccessible || found instanceof Damage.FolderUnreadable) {
      return OptionalLong.empty();
    }
    return report.folders().stream()
        .filter(folder -> folder.folder().equals(found.folder()))
        .mapToLong(FolderReport::documentFiles)
        .findFirst();
  }

  private static OptionalLong sum(OptionalLong a, OptionalLong b) {
    return a.isEmpty() || b.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(a.getAsLong() + b.getAsLong());
  }
}
