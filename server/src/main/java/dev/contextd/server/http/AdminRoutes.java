package dev.contextd.server.http;

import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.ScrubProgress;
import dev.contextd.server.settings.GoDuration;
import dev.contextd.storage.check.Damage;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;

/**
 * {@code /api/v1/admin}: what concerns the whole store and its disk.
 *
 * <p>Invariant: no handler here runs for a caller from another machine without a token, or for a
 * tenant.
 */
final class AdminRoutes {
  private static final String ADMIN = "/api/v1/admin";

  private final ResilientStore resilient;
  private final VectorStore store;
  private final Gatekeeper gatekeeper;
  private final Tenants tenants;
  private final Bodies bodies;
  private final QuarantineRoutes quarantine;
  private final BackupRoutes backups;
  private final TransferRoutes transfer;
  private final RemoteRoutes remote;
  private final MigrateRoutes migrate;

  /** A scrub reads the whole store; two at once would only be slower. */
  private final Semaphore scrubbing = new Semaphore(1);

  AdminRoutes(ResilientStore resilient, Gatekeeper gatekeeper, Tenants tenants, Bodies bodies) {
    this.resilient = resilient;
    this.store = resilient.store();
    this.gatekeeper = gatekeeper;
    this.tenants = tenants;
    this.bodies = bodies;
    this.quarantine = new QuarantineRoutes(resilient, bodies);
    this.backups = new BackupRoutes(resilient, bodies);
    this.transfer = new TransferRoutes(store);
    this.remote = new RemoteRoutes(resilient, bodies);
    this.migrate = new MigrateRoutes(resilient, bodies);
  }

  List<Route> routes() {
    return List.of(
        route(HandlerType.GET, "/trash", this::trash),
        local(HandlerType.POST, "/trash/restore", this::restore),
        route(HandlerType.POST, "/purge", this::purge),
        route(HandlerType.POST, "/checkpoint", this::checkpoint),
        route(HandlerType.POST, "/scrub", this::scrub),
        route(HandlerType.GET, "/scrub", this::scrubProgress),
        route(HandlerType.POST, "/repair", quarantine::repair),
        route(HandlerType.GET, "/quarantine", quarantine::list),
        route(HandlerType.POST, "/quarantine/restore", quarantine::restore),
        route(HandlerType.POST, "/quarantine/discard", quarantine::discard),
        route(HandlerType.POST, "/metadata/recover", quarantine::recover),
        route(HandlerType.GET, "/audit", quarantine::audit),
        local(HandlerType.GET, "/export", transfer::exported),
        local(HandlerType.POST, "/import", transfer::imported),
        route(HandlerType.GET, "/backups", backups::list),
        local(HandlerType.POST, "/backups/create", backups::create),
        route(HandlerType.POST, "/backups/verify", backups::verify),
        local(HandlerType.POST, "/backups/restore", backups::restore),
        route(HandlerType.GET, "/remote", remote::status),
        route(HandlerType.GET, "/remote/conflicts", remote::conflicts),
        route(HandlerType.POST, "/remote/sync", remote::sync),
        route(HandlerType.POST, "/remote/verify", remote::verify),
        route(HandlerType.POST, "/remote/pause", remote::pause),
        route(HandlerType.POST, "/remote/resume", remote::resume),
        route(HandlerType.POST, "/remote/breaker/reset", remote::resetBreaker),
        route(HandlerType.GET, "/migrate", migrate::progress),
        route(HandlerType.POST, "/migrate", migrate::migrate));
  }

  private Route route(HandlerType method, String path, Handler handler) {
    return new Route(
        method,
        ADMIN + path,
        call -> {
          gatekeeper.requireOperator(call);
          tenants.refuse(call);
          handler.handle(call);
        });
  }

  /** Of the documents that lie here, which must be those that are served. */
  private Route local(HandlerType method, String path, Handler handler) {
    return route(
        method,
        path,
        call -> {
          if (resilient.remote().isAlone()) {
            throw new ProblemException(
                ProblemCode.REMOTE_ALONE,
                "with vectorstore.remote.mirror: false there are no documents here for this");
          }
          handler.handle(call);
        });
  }

  private void trash(Context call) {
    call.json(new Messages.Trash(store.trash().stream().map(AdminRoutes::out).toList()));
  }

  private void restore(Context call) {
    bodies.read(
        call,
        Messages.Restore.class,
        body -> {
          if (body.entry() == null) {
            throw new ProblemException(
                ProblemCode.INVALID_ARGUMENT,
                "entry is missing; GET " + ADMIN + "/trash lists what there is");
          }
          call.json(new Messages.Restored(store.restore(body.entry())));
        });
  }

  private void purge(Context call) {
    bodies.read(
        call,
        Messages.Purge.class,
        body -> {
          if (body.olderThan() == null) {
            throw new ProblemException(
                ProblemCode.INVALID_ARGUMENT,
                "older_than is missing; \"720h\" keeps what was deleted in the last 30 days, \"0s\""
                    + " keeps nothing");
          }
          call.json(new Messages.Purged(store.purge(duration(body.olderThan()))));
        });
  }

  private static Duration duration(String text) {
    return GoDuration.parse(text)
        .orElseThrow(() ->
            new ProblemException(
                ProblemCode.INVALID_ARGUMENT,
                "older_than: expected a duration such as 720h or 0s, found \"" + text + "\""));
  }

  private void checkpoint(Context call) {
    store.checkpoint();
    call.status(204);
  }

  private void scrubProgress(Context call) {
    ScrubProgress progress = resilient.scrubProgress();
    call.json(
        new Messages.ScrubProgressOut(
            progress.isRunning(), progress.doneBytes(), progress.totalBytes()));
  }

  private void scrub(Context call) {
    if (!scrubbing.tryAcquire()) {
      throw new ProblemException(ProblemCode.BUSY, "another scrub is running");
    }
    try {
      ResilientStore.Scrubbed scrubbed = resilient.scrub();
      call.json(
          new Messages.Scrubbed(
              scrubbed.damage().stream().map(AdminRoutes::out).toList(),
              scrubbed.mended(),
              scrubbed.brake().orElse(null)));
    } finally {
      scrubbing.release();
    }
  }

  private static Messages.TrashEntryOut out(VectorStore.TrashEntry entry) {
    return new Messages.TrashEntryOut(
        entry.name(),
        entry.kind(),
        entry.folder(),
        entry.collection().orElse(null),
        entry.since().toString(),
        entry.documents());
  }

  private static Messages.DamageOut out(Damage damage) {
    return new Messages.DamageOut(damage.folder(), damage.file(), damage.word(), damage.sentence());
  }
}
