package dev.contextd.server.http;

import dev.contextd.resilience.HealthChecker;
import dev.contextd.resilience.HealthReport;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.ScrubProgress;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Whether everything is served: in short for everybody, and in full for operators.
 *
 * <p>Answers come from the last check while it is young; {@code ?fresh=true} checks now, and all
 * who ask at once share that check.
 */
final class HealthRoutes {
  private final ResilientStore resilient;
  private final HealthChecker checker;
  private final Gatekeeper gatekeeper;
  private final Tenants tenants;

  HealthRoutes(ResilientStore resilient, Gatekeeper gatekeeper, Tenants tenants) {
    this.resilient = resilient;
    this.checker = resilient.checker();
    this.gatekeeper = gatekeeper;
    this.tenants = tenants;
  }

  List<Route> routes() {
    return List.of(
        new Route(HandlerType.GET, "/health", this::health),
        new Route(HandlerType.GET, "/api/v1/health/metadata", this::metadata));
  }

  private void health(Context call) {
    HealthReport health = report(call);
    call.json(
        new Messages.HealthOut(
            health.isDegraded() ? "degraded" : "ok",
            new Messages.MetadataHealth(
                word(health),
                health.healthy().size(),
                health.corrupt().size(),
                health.empty().size(),
                health.total(),
                health.corrupt(),
                // They name ids and collections, and nobody says here whose tenant asks.
                tenants.isRequired() ? Map.of() : new TreeMap<>(health.details())),
            new TreeMap<>(health.damage()),
            health.quarantined().stream().map(HealthReport.Quarantined::entry).toList(),
            health.readOnly().orElse(null),
            health.brake().orElse(null),
            health.error().orElse(null),
            health.checkedAt().toString(),
            lastScrub(),
            RemoteRoutes.health(resilient),
            next(health)));
  }

  /** It names documents of all tenants. */
  private void metadata(Context call) {
    gatekeeper.requireOperator(call);
    tenants.refuse(call);
    HealthReport health = report(call);
    call.json(
        new Messages.MetadataReport(
            word(health),
            health.healthy(),
            health.corrupt(),
            health.empty(),
            health.total(),
            health.healthy().size(),
            health.corrupt().size(),
            health.empty().size(),
            health.checkedAt().toString(),
            health.duration().toNanos(),
            new TreeMap<>(health.details()),
            new TreeMap<>(health.damage()),
            health.quarantined().stream().map(HealthRoutes::out).toList(),
            health.unavailable(),
            health.readOnly().orElse(null),
            health.brake().orElse(null),
            health.error().orElse(null),
            lastScrub(),
            scrub(),
            RemoteRoutes.health(resilient),
            next(health)));
  }

  private Messages.ScrubOut scrub() {
    ScrubProgress progress = resilient.scrubProgress();
    return new Messages.ScrubOut(progress.isRunning(), progress.doneBytes(), progress.totalBytes());
  }

  private HealthReport report(Context call) {
    String fresh = call.queryParam("fresh");
    if (fresh != null && !fresh.equals("true") && !fresh.equals("false")) {
      throw new ProblemException(
          ProblemCode.INVALID_ARGUMENT, "fresh must be true or false, found \"" + fresh + "\"");
    }
    HealthReport health = "true".equals(fresh) ? checker.fresh() : checker.latest();
    call.status(health.isDegraded() ? 503 : 200);
    return health;
  }

  private static String word(HealthReport health) {
    return health.isDegraded() ? "degraded" : "healthy";
  }

  private static Messages.QuarantinedOut out(HealthReport.Quarantined entry) {
    return new Messages.QuarantinedOut(
        entry.entry(),
        entry.folder(),
        orNull(entry.file()),
        orNull(entry.why()),
        orNull(entry.since()),
        entry.reviewed());
  }

  private static @Nullable String orNull(String text) {
    return text.isEmpty() ? null : text;
  }

  private @Nullable String lastScrub() {
    return checker.lastScrub().map(Instant::toString).orElse(null);
  }

  /** What its reader is to do; null where nothing is. */
  private static @Nullable String next(HealthReport health) {
    if (health.error().isPresent()) {
      return "Nobody can tell what is damaged. See that the store's folder is where it was and can be"
          + " read, then ask GET /health?fresh=true, and restart the daemon if it says so";
    }
    if (health.brake().isPresent()) {
      return "Nothing is moved or mended while so much is damaged at once. Find the one cause first:"
          + " a disk that is not mounted, a copy that was put back. Then restart the daemon";
    }
    if (health.isDegraded()) {
      return "Everything intact is served. ctxd repair --dry-run tells what can be brought back, and"
          + " how";
    }
    return health.readOnly().isPresent()
        ? "Everything is served and nothing can be written. Mend what read_only says, then restart"
            + " the daemon"
        : null;
  }
}
