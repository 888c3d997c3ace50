package dev.contextd.server.http;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.storage.checkpoint.KeeperStatus;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** What operators and supervisors ask: life, readiness, status, the API's description. */
final class OperatorRoutes {
  private static final String OPENAPI = "/openapi.json";
  private static final double NANOS_PER_SECOND = 1e9;

  private final ResilientStore resilient;
  private final DocumentStore documents;
  private final Tenants tenants;
  private final String version;
  private final String provider;
  private final BooleanSupplier ready;
  private final byte[] openApi;

  /**
   * @param documents what callers of the data API work on
   * @param provider where documents go in the end, by its name in the settings
   */
  OperatorRoutes(
      ResilientStore resilient,
      DocumentStore documents,
      Tenants tenants,
      String version,
      String provider,
      BooleanSupplier ready) {
    this.resilient = resilient;
    this.documents = documents;
    this.tenants = tenants;
    this.version = version;
    this.provider = provider;
    this.ready = ready;
    this.openApi = resource("openapi.json");
  }

  List<Route> routes() {
    return List.of(
        new Route(HandlerType.GET, "/livez", this::alive),
        new Route(HandlerType.GET, "/readyz", this::readiness),
        new Route(HandlerType.GET, "/api/v1/status", this::status),
        new Route(HandlerType.GET, OPENAPI, this::openApi));
  }

  /** A supervisor must not restart a daemon for a damaged file, so this asks for none. */
  private void alive(Context call) {
    call.json(new Messages.Alive("ok"));
  }

  private void readiness(Context call) {
    if (!ready.getAsBoolean()) {
      throw new ProblemException(ProblemCode.SHUTTING_DOWN, "the daemon takes no new calls");
    }
    call.json(new Messages.Alive("ok"));
  }

  private void status(Context call) {
    Scope scope = tenants.scopeIfAny(call);
    boolean hidden = tenants.isRequired() && scope.isAll();
    List<Messages.CollectionCount> counts = new ArrayList<>();
    @Nullable String uncounted = null;
    try {
      for (CollectionInfo info : counted().collections(scope)) {
        counts.add(new Messages.CollectionCount(info.name(), hidden ? null : info.count()));
      }
    } catch (StoreException e) {
      uncounted = String.valueOf(e.getMessage());
    }
    call.json(
        new Messages.Status(
            version,
            provider,
            counts,
            isElsewhere() ? "remote" : "local",
            uncounted,
            resilient.store().readOnlyReason().orElse(null),
            resilient.summary().inQuarantine(),
            out(resilient.store().durability())));
  }

  /** A store in front of a remote one holds everything, wherever reads come from. */
  private DocumentStore counted() {
    return isElsewhere() ? documents : resilient.store();
  }

  private boolean isElsewhere() {
    return documents instanceof RemoteStore || resilient.remote().isAlone();
  }

  private static Messages.Durability out(KeeperStatus status) {
    return new Messages.Durability(
        status.pendingBytes(),
        status.lastCheckpoint().map(Instant::toString).orElse(null),
        status.failure().orElse(null),
        new Messages.JournalOut(
            status.journal().syncs(),
            status.journal().records(),
            status.journal().bytes(),
            status.journal().syncNanos() / NANOS_PER_SECOND));
  }

  private void openApi(Context call) {
    call.contentType("application/json").result(openApi);
  }

  static byte[] resource(String name) {
    try (InputStream in = OperatorRoutes.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing from the program");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
