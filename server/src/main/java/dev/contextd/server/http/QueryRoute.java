package dev.contextd.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.Filter;
import dev.contextd.engine.Query;
import dev.contextd.engine.QueryResult;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.TextFilter;
import dev.contextd.engine.VectorCollection;
import dev.contextd.resilience.remote.ShippedStore;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** {@code POST /api/v1/collections/{name}/query}: the nearest documents. */
final class QueryRoute {
  private static final int DEFAULT_LIMIT = 10;
  private static final Set<String> INCLUDES = Set.of("content", "metadata", "embedding");
  private static final Set<String> DEFAULT_INCLUDES = Set.of("content", "metadata");

  private final DocumentStore store;
  private final Tenants tenants;
  private final Bodies bodies;

  QueryRoute(DocumentStore store, Tenants tenants, Bodies bodies) {
    this.store = store;
    this.tenants = tenants;
    this.bodies = bodies;
  }

  List<Route> routes() {
    return List.of(
        new Route(HandlerType.POST, CollectionRoutes.COLLECTION + "/query", this::query));
  }

  private void query(Context call) {
    VectorCollection collection =
        CollectionRoutes.find(store, call.pathParam("name"), tenants.scope(call));
    bodies.read(
        call,
        Messages.QueryIn.class,
        body -> {
          Set<String> include = include(body.include());
          QueryResult result = collection.query(query(body));
          call.json(out(result, include, source(result)));
        });
  }

  private static Query query(Messages.QueryIn in) {
    if ((in.text() == null) == (in.embedding() == null)) {
      throw new ProblemException(
          ProblemCode.INVALID_ARGUMENT, "expected exactly one of \"text\" and \"embedding\"");
    }
    Query.Target target =
        in.embedding() != null
            ? new Query.Target.Vector(in.embedding())
            : new Query.Target.Text(String.valueOf(in.text()));
    Optional<Filter> where = present(in.where()).map(FilterJson::where);
    Optional<TextFilter> whereDocument = present(in.whereDocument()).map(FilterJson::whereDocument);
    return new Query(target, in.limit() == null ? DEFAULT_LIMIT : in.limit(), where, whereDocument);
  }

  private static Optional<JsonNode> present(@Nullable JsonNode json) {
    return Optional.ofNullable(json).filter(node -> !node.isNull());
  }

  private static Set<String> include(@Nullable List<@Nullable String> wanted) {
    if (wanted == null) {
      return DEFAULT_INCLUDES;
    }
    Set<String> include = new TreeSet<>();
    for (String field : wanted) {
      if (field == null || !INCLUDES.contains(field)) {
        throw new ProblemException(
            ProblemCode.INVALID_ARGUMENT,
            "include holds \"" + field + "\"; known are content, metadata, embedding");
      }
      include.add(field);
    }
    return include;
  }

  /** Null where there is one store, so that nobody needs to ask. */
  private Messages.@Nullable SourceOut source(QueryResult result) {
    if (result.isPendingOnly()) {
      return new Messages.SourceOut("pending", 0);
    }
    return switch (store) {
      case ShippedStore shipped ->
          new Messages.SourceOut(shipped.source().store(), shipped.source().stale().toSeconds());
      case RemoteStore _ -> new Messages.SourceOut("remote", 0);
      default -> null;
    };
  }

  private static Messages.QueryOut out(
      QueryResult result, Set<String> include, Messages.@Nullable SourceOut source) {
    OptionalLong unavailable = result.coverage().unavailable();
    return new Messages.QueryOut(
        result.hits().stream().map(hit -> out(hit, include)).toList(),
        new Messages.CoverageOut(
            result.coverage().searched(), unavailable.isPresent() ? unavailable.getAsLong() : null),
        result.truncated(),
        source);
  }

  private static Messages.HitOut out(QueryResult.Hit hit, Set<String> include) {
    return new Messages.HitOut(
        hit.document().id(),
        hit.score(),
        include.contains("content") ? hit.document().content() : null,
        include.contains("metadata") ? new TreeMap<>(hit.document().metadata()) : null,
        include.contains("embedding") ? hit.document().embedding() : null);
  }
}
