package dev.contextd.server.http;

import dev.contextd.resilience.BackupProgress;
import dev.contextd.resilience.Backups;
import dev.contextd.resilience.ResilientStore;
import io.javalin.http.Context;
import java.time.Instant;
import java.util.Optional;

/** What operators ask of backups; reached through {@link AdminRoutes}. */
final class BackupRoutes {
  private final Backups backups;
  private final Bodies bodies;

  BackupRoutes(ResilientStore store, Bodies bodies) {
    this.backups = store.backups();
    this.bodies = bodies;
  }

  void list(Context call) {
    call.json(
        new Messages.Backups(
            backups.list().stream().map(BackupRoutes::out).toList(),
            backups.lastNames().map(Instant::toString).orElse(null),
            backups.lastVerified().map(Instant::toString).orElse(null),
            backups.failure().orElse(null),
            out(backups.progress())));
  }

  private static Messages.BackupProgressOut out(BackupProgress progress) {
    return new Messages.BackupProgressOut(progress.isRunning(), progress.done(), progress.total());
  }

  private static Messages.BackupOut out(Backups.Run run) {
    return new Messages.BackupOut(
        run.name(),
        run.when().map(Instant::toString).orElse(null),
        run.collections(),
        run.documents(),
        run.fault().orElse(null));
  }

  void create(Context call) {
    call.json(out(backups.create()));
  }

  void verify(Context call) {
    bodies.read(
        call,
        Messages.BackupVerify.class,
        body -> call.json(out(backups.verify(Optional.ofNullable(body.name())))));
  }

  void restore(Context call) {
    bodies.read(
        call,
        Messages.BackupRestore.class,
        body -> {
          Backups.Restored restored =
              backups.restore(
                  Optional.ofNullable(body.name()),
                  Optional.ofNullable(body.collection()),
                  Optional.ofNullable(body.document()));
          call.json(
              new Messages.BackupRestored(
                  restored.run(), restored.collections(), restored.documents()));
        });
  }
}
