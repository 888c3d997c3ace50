package dev.contextd.server.http;

import dev.contextd.resilience.QuarantineWork;
import dev.contextd.resilience.RepairWork;
import dev.contextd.resilience.ResilientStore;
import io.javalin.http.Context;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What operators ask of the quarantine and of the audit log; reached through {@link AdminRoutes}.
 */
final class QuarantineRoutes {
  private static final int AUDIT_LINES = 100;
  private static final int MAX_AUDIT_LINES = 10_000;

  private final QuarantineWork work;
  private final ResilientStore store;
  private final Bodies bodies;

  QuarantineRoutes(ResilientStore store, Bodies bodies) {
    this.work = store.quarantine();
    this.store = store;
    this.bodies = bodies;
  }

  void list(Context call) {
    call.json(new Messages.Quarantine(work.list().stream().map(QuarantineRoutes::out).toList()));
  }

  private static Messages.QuarantineOut out(QuarantineWork.Item item) {
    return new Messages.QuarantineOut(
        item.name(),
        item.folder(),
        item.file(),
        item.kind(),
        item.why(),
        item.since(),
        item.collection().orElse(null),
        item.documents().isPresent() ? item.documents().getAsInt() : null,
        item.readable().isPresent() ? item.readable().getAsInt() : null,
        item.hindrance().orElse(null),
        item.next());
  }

  void restore(Context call) {
    bodies.read(
        call,
        Messages.QuarantineRestore.class,
        body -> {
          List<QuarantineWork.Restored> restored =
              work.restore(
                  required(body.entry()),
                  Optional.ofNullable(body.name()),
                  Boolean.TRUE.equals(body.keepBoth()));
          call.json(
              new Messages.QuarantineRestored(
                  restored.stream().map(QuarantineRoutes::out).toList()));
        });
  }

  private static Messages.RestoredOut out(QuarantineWork.Restored restored) {
    var merged = restored.merged();
    return new Messages.RestoredOut(
        restored.entry(),
        merged.collection(),
        merged.isNew(),
        merged.added(),
        merged.replaced(),
        merged.older(),
        restored.left());
  }

  void discard(Context call) {
    bodies.read(
        call,
        Messages.Restore.class,
        body -> call.json(new Messages.Discarded(work.discard(required(body.entry())))));
  }

  private static String required(@Nullable String entry) {
    if (entry == null) {
      throw new ProblemException(
          ProblemCode.INVALID_ARGUMENT,
          "entry is missing; GET /api/v1/admin/quarantine lists what there is");
    }
    return entry;
  }

  void recover(Context call) {
    bodies.read(
        call,
        Messages.Recover.class,
        body -> {
          if (body.name() == null) {
            throw new ProblemException(
                ProblemCode.INVALID_ARGUMENT, "name is missing; it is the collection's");
          }
          Optional<Map<String, String>> metadata = Optional.ofNullable(body.metadata());
          call.json(new Messages.Recovered(work.recover(body.name(), metadata)));
        });
  }

  void repair(Context call) {
    bodies.read(
        call,
        Messages.Repair.class,
        body -> {
          List<Messages.StepOut> steps = new ArrayList<>();
          boolean embeds = Boolean.TRUE.equals(body.embed());
          if (Boolean.TRUE.equals(body.dryRun())) {
            store.repairs().plan(embeds).forEach(step -> steps.add(out(step, null, null)));
            call.json(new Messages.Repaired(false, steps, steps.size()));
            return;
          }
          store
              .repairs()
              .execute(embeds)
              .forEach(done ->
                  steps.add(
                      out(
                          done.step(),
                          done.failure().isPresent() ? null : done.result(),
                          done.failure().orElse(null))));
          List<RepairWork.Step> open = store.repairs().plan(embeds);
          open.forEach(step -> steps.add(out(step, null, null)));
          call.json(new Messages.Repaired(true, steps, open.size()));
        });
  }

  private static Messages.StepOut out(
      RepairWork.Step step, @Nullable String result, @Nullable String failure) {
    return new Messages.StepOut(
        step.kind().name().toLowerCase(Locale.ROOT),
        step.folder(),
        step.file(),
        step.source(),
        step.isLossless(),
        step.why(),
        step.next(),
        result,
        failure);
  }

  private static int limit(@Nullable String text) {
    int limit = -1;
    try {
      limit = text == null ? AUDIT_LINES : Integer.parseInt(text);
    } catch (NumberFormatException e) {
      // It is no number: the answer below says so.
    }
    if (limit < 1 || limit > MAX_AUDIT_LINES) {
      throw new ProblemException(
          ProblemCode.INVALID_ARGUMENT, "limit must be 1 to " + MAX_AUDIT_LINES);
    }
    return limit;
  }

  void audit(Context call) throws IOException {
    int limit = limit(call.queryParam("limit"));
    call.json(new Messages.Audit(store.audit(limit)));
  }
}
