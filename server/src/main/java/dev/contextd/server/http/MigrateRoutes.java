package dev.contextd.server.http;

import dev.contextd.resilience.ResilientStore;
import dev.contextd.resilience.remote.Migration;
import dev.contextd.resilience.remote.Migrations;
import dev.contextd.resilience.remote.Migrations.Direction;
import io.javalin.http.Context;

/** Everything from the store here to a Qdrant server, or back; reached through AdminRoutes. */
final class MigrateRoutes {
  private final Migrations migrations;
  private final Bodies bodies;

  MigrateRoutes(ResilientStore store, Bodies bodies) {
    this.migrations = store.remote().migrations();
    this.bodies = bodies;
  }

  void progress(Context call) {
    Migration.Progress progress = migrations.progress();
    call.json(
        new Messages.MigrateProgress(
            migrations.isRunning(), progress.what(), progress.done(), progress.total()));
  }

  void migrate(Context call) {
    bodies.read(
        call,
        Messages.Migrate.class,
        body -> {
          boolean isTo = "qdrant".equals(body.to()) && body.from() == null;
          boolean isFrom = "qdrant".equals(body.from()) && body.to() == null;
          if (isTo == isFrom) {
            throw new ProblemException(
                ProblemCode.INVALID_ARGUMENT,
                "expected exactly one of \"to\" and \"from\", and it \"qdrant\"");
          }
          call.json(out(migrations.run(isTo ? Direction.TO_REMOTE : Direction.FROM_REMOTE)));
        });
  }

  private static Messages.Migrated out(Migration.Result result) {
    return new Messages.Migrated(
        result.isComplete(),
        result.collections(),
        result.documents(),
        result.copied(),
        result.different(),
        result.extra(),
        result.sumFrom(),
        result.sumTo(),
        result.examples());
  }
}
