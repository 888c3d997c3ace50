package dev.contextd.server.http;

import dev.contextd.engine.Checks;
import dev.contextd.engine.CollectionInfo;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.Scope;
import dev.contextd.engine.VectorCollection;
import dev.contextd.resilience.ResilientStore;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** {@code /api/v1/collections}: what collections there are, one more, one less. */
final class CollectionRoutes {
  static final String COLLECTIONS = "/api/v1/collections";
  static final String COLLECTION = COLLECTIONS + "/{name}";

  private final ResilientStore resilient;
  private final DocumentStore store;
  private final Tenants tenants;
  private final Bodies bodies;

  CollectionRoutes(DocumentStore store, ResilientStore resilient, Tenants tenants, Bodies bodies) {
    this.resilient = resilient;
    this.store = store;
    this.tenants = tenants;
    this.bodies = bodies;
  }

  List<Route> routes() {
    return List.of(
        new Route(HandlerType.GET, COLLECTIONS, this::list),
        new Route(HandlerType.POST, COLLECTIONS, this::create),
        new Route(HandlerType.GET, COLLECTION, this::get),
        new Route(HandlerType.DELETE, COLLECTION, this::delete));
  }

  private void list(Context call) {
    Scope scope = tenants.scope(call);
    Set<String> corrupt = corruptFolders();
    call.json(
        new Messages.Collections(
            store.collections(scope).stream().map(info -> out(info, corrupt)).toList()));
  }

  private void create(Context call) {
    Scope scope = tenants.scope(call);
    bodies.read(
        call,
        Messages.NewCollection.class,
        body -> {
          if (body.name() == null) {
            throw new ProblemException(ProblemCode.INVALID_ARGUMENT, "name is missing");
          }
          Map<String, String> metadata =
              body.metadata() == null ? Map.of() : requireStrings(body.metadata(), "metadata");
          Tenants.refuseReserved(scope, metadata.keySet(), "metadata");
          boolean created = store.create(body.name(), metadata);
          call.status(created ? 201 : 200);
          call.json(out(find(store, body.name(), scope).info(), corruptFolders()));
        });
  }

  private void get(Context call) {
    Scope scope = tenants.scope(call);
    call.json(out(find(store, call.pathParam("name"), scope).info(), corruptFolders()));
  }

  private void delete(Context call) {
    store.delete(call.pathParam("name"), tenants.scope(call));
    call.status(204);
  }

  static VectorCollection find(DocumentStore store, String name, Scope scope) {
    return store.collection(name, scope).orElseThrow(() -> Checks.notFound(name));
  }

  /** JSON's null is no string; which key holds it is said. */
  static Map<String, String> requireStrings(Map<String, String> metadata, String where) {
    metadata.forEach((key, value) -> {
      if (value == null) {
        throw new ProblemException(
            ProblemCode.INVALID_ARGUMENT, where + "." + key + " must be a string, found null");
      }
    });
    return metadata;
  }

  private Set<String> corruptFolders() {
    return Set.copyOf(resilient.checker().latest().corrupt());
  }

  private static Messages.CollectionOut out(CollectionInfo info, Set<String> corrupt) {
    return new Messages.CollectionOut(
        info.name(),
        new TreeMap<>(info.metadata()),
        info.count(),
        info.dimension().isPresent() ? info.dimension().getAsInt() : null,
        corrupt.contains(info.folder()) ? "corrupt" : "healthy",
        info.model().map(CollectionInfo.Model::name).orElse(null),
        info.model().map(CollectionInfo.Model::assumed).orElse(false),
        info.lostMetadata().isPresent());
  }
}
