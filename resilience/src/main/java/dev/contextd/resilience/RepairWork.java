package dev.contextd.resilience;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.Repair;
import dev.contextd.storage.folder.StoreFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Everything that can be repaired now: one method plans it, another one does what was planned.
 *
 * <p>What a store mends by itself is planned only where the brake, or a restart, keeps it from
 * doing so: an order of the operator is no systemic cause.
 */
public final class RepairWork {
  private final VectorStore store;
  private final StoreFolder folder;
  private final QuarantineWork quarantine;
  private final HealthChecker checker;

  RepairWork(
      VectorStore store, StoreFolder folder, QuarantineWork quarantine, HealthChecker checker) {
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

  /** What a step does it with; for what only operators can do there is nothing. */
  private record Planned(Step step, Optional<Damage> damage, String entry) {}

  /** Everything that can be repaired, in the order in which it is done. */
  public List<Step> plan() {
    return planned().stream().map(Planned::step).toList();
  }

  private List<Planned> planned() {
    List<Planned> all = new ArrayList<>();
    for (Damage damage : present()) {
      if (damage.repair() instanceof Repair.Rewrite) {
        all.add(
            new Planned(
                new Step(
                    Kind.REWRITE,
                    damage.folder(),
                    damage.file(),
                    "what is served",
                    !(damage instanceof Damage.MetadataUnknown),
                    damage.sentence(),
                    "ctxd repair"),
                Optional.of(damage),
                ""));
      }
    }
    for (QuarantineWork.Item item : quarantine.list()) {
      boolean isReady = item.hindrance().isEmpty();
      boolean isWhole =
          isReady && item.readable().equals(item.documents()) && !item.file().isEmpty();
      String next =
          isReady
              ? "ctxd metadata quarantine restore " + item.name()
              : item.collection().isEmpty()
                  ? "ctxd metadata recover NAME"
                  : "ctxd metadata quarantine discard " + item.name();
      all.add(
          new Planned(
              new Step(
                  isReady ? Kind.RESTORE : Kind.OPERATOR,
                  item.folder(),
                  item.file(),
                  isReady ? "its own files in quarantine" : "",
                  isWhole,
                  why(item),
                  next),
              Optional.empty(),
              item.name()));
    }
    for (CollectionInfo collection : store.collections(Scope.ALL)) {
      collection
          .lostMetadata()
          .ifPresent(why ->
              all.add(
                  new Planned(
                      new Step(
                          Kind.OPERATOR,
                          collection.folder(),
                          "",
                          "",
                          false,
                          why,
                          "ctxd metadata recover " + collection.name()),
                      Optional.empty(),
                      "")));
    }
    return all;
  }

  /** The damage, and what is in the way where that is more. */
  private static String why(QuarantineWork.Item item) {
    return item.hindrance()
        .filter(hindrance -> !hindrance.contains(item.why()))
        .map(hindrance -> item.why() + " Now " + hindrance + ".")
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
  public synchronized List<Outcome> execute() {
    List<Outcome> outcomes = new ArrayList<>();
    for (Planned planned : planned()) {
      if (planned.step().kind() != Kind.OPERATOR) {
        outcomes.add(execute(planned));
      }
    }
    if (!outcomes.isEmpty()) {
      store.checkpoint();
    }
    checker.fresh();
    return outcomes;
  }

  private Outcome execute(Planned planned) {
    try {
      if (planned.damage().isPresent()) {
        OpenQuarantine run =
            OpenQuarantine.ordered(
                store, folder.quarantine(), folder.audit(), List.of(planned.damage().get()));
        Optional<String> failure =
            run.inPlace().stream().flatMap(left -> left.why().stream()).findFirst();
        return new Outcome(planned.step(), "written again", failure);
      }
      List<QuarantineWork.Restored> restored =
          quarantine.restore(planned.entry(), Optional.empty(), false);
      long documents =
          restored.stream()
              .mapToLong(one -> (long) one.merged().added() + one.merged().replaced())
              .sum();
      return new Outcome(planned.step(), documents + " documents are back", Optional.empty());
    } catch (StoreException e) {
      return new Outcome(planned.step(), "", Optional.of(String.valueOf(e.getMessage())));
    }
  }
}
