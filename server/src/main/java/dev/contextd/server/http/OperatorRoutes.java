package dev.contextd.server.http;

import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.Scope;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.storage.checkpoint.KeeperStatus;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;

/** What operators and supervisors ask: life, readiness, status, the API's description. */
final class OperatorRoutes {
  private static final String OPENAPI = "/openapi.json";
  private static final double NANOS_PER_SECOND = 1e9;

  private final ResilientStore resilient;
  private final Tenants tenants;
  private final String version;
  private final String provider;
  private final BooleanSupplier ready;
  private final byte[] openApi;

  /**
   * @param provider where documents go in the end, by its name in the settings
   */
  OperatorRoutes(
      ResilientStore resilient,
      Tenants tenants,
      String version,
      String provider,
      BooleanSupplier ready) {
    this.resilient = resilient;
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
    List<CollectionInfo> collections = resilient.store().collections(scope);
    call.json(
        new Messages.Status(
            version,
            provider,
            collections.stream()
                .map(
                    info -> new Messages.CollectionCount(info.name(), hidden ? null : info.count()))
                .toList(),
            resilient.store().readOnlyReason().orElse(null),
            resilient.summary().inQuarantine(),
            out(resilient.store().durability())));
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
