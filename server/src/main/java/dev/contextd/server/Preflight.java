package dev.contextd.server;

import dev.contextd.resilience.HealthReport;
import dev.contextd.server.settings.Settings;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The check before anything is served: it is told, and where the settings say so it ends the start.
 */
final class Preflight {
  private static final Logger log = LoggerFactory.getLogger(Preflight.class);

  private Preflight() {}

  /**
   * Judges the first check of the store.
   *
   * @throws StartException where the settings do not let a store like this be served
   */
  static void require(Settings settings, HealthReport health) throws StartException {
    tell(health);
    boolean isCorrupt = !health.corrupt().isEmpty() || !health.details().isEmpty();
    Optional<String> blocker = Optional.empty();
    if (settings.health().failOnCorruption() && isCorrupt) {
      blocker = Optional.of("fail_on_corruption");
    } else if (settings.health().failOnDegraded()
        && (health.isDegraded() || health.readOnly().isPresent())) {
      blocker = Optional.of("fail_on_degraded");
    }
    if (blocker.isPresent()) {
      throw new StartException(
          "not started, because health.%s is true and %s; %s"
              .formatted(blocker.get(), damage(health), next(settings, health)));
    }
  }

  private static void tell(HealthReport health) {
    String summary =
        "health: %d healthy, %d corrupt, %d empty collections; %d things in quarantine%s%s"
            .formatted(
                health.healthy().size(),
                health.corrupt().size(),
                health.empty().size(),
                health.quarantined().size(),
                health.damage().isEmpty() ? "" : "; damage " + health.damage(),
                health.readOnly().map(why -> "; read-only: " + why).orElse(""));
    if (health.isDegraded()) {
      log.warn(summary);
    } else {
      log.info(summary);
    }
  }

  /** The damage in one line. */
  private static String damage(HealthReport health) {
    Optional<String> general = health.error().or(health::brake);
    if (general.isPresent()) {
      return general.get();
    }
    Optional<String> first = health.details().keySet().stream().sorted().findFirst();
    if (first.isEmpty()) {
      return "the store is read-only: " + health.readOnly().orElse("");
    }
    int more = health.details().size() - 1;
    return "%s is damaged: %s%s"
        .formatted(
            first.get(),
            health.details().get(first.get()),
            more == 0 ? "" : " (and " + more + " more)");
  }

  private static String next(Settings settings, HealthReport health) {
    return health.details().isEmpty()
        ? "see to it, or set it to false to serve what is intact"
        : "run: ctxd repair --dry-run --path "
            + settings.vectorstorePath()
            + "; or set it to false to serve what is intact";
  }
}
