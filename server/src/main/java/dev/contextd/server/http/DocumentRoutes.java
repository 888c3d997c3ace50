package dev.contextd.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.engine.Document;
import dev.contextd.engine.DocumentStore;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Page;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.Written;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code /api/v1/collections/{name}/documents}: documents in, out and away. */
final class DocumentRoutes {
  private static final String DOCUMENTS = CollectionRoutes.COLLECTION + "/documents";
  private static final String DOCUMENT = DOCUMENTS + "/{id}";
  private static final int DEFAULT_PAGE = 100;
  private static final Pattern LIMIT = Pattern.compile("-?[0-9]{1,9}");

  /** So that a cursor of a later version is refused and not misread. */
  private static final String CURSOR_VERSION = "1:";

  private final DocumentStore store;
  private final Tenants tenants;
  private final Bodies bodies;

  DocumentRoutes(DocumentStore store, Tenants tenants, Bodies bodies) {
    this.store = store;
    this.tenants = tenants;
    this.bodies = bodies;
  }

  List<Route> routes() {
    return List.of(
        new Route(HandlerType.GET, DOCUMENTS, this::page),
        new Route(HandlerType.POST, DOCUMENTS, this::upsert),
        new Route(HandlerType.POST, DOCUMENTS + "/get", this::getMany),
        new Route(HandlerType.POST, DOCUMENTS + "/delete", this::deleteMany),
        new Route(HandlerType.GET, DOCUMENT, this::get),
        new Route(HandlerType.DELETE, DOCUMENT, this::delete));
  }

  private void upsert(Context call) {
    Scope scope = tenants.scope(call);
    String name = call.pathParam("name");
    bodies.read(
        call,
        Messages.Upsert.class,
        body -> {
          List<NewDocument> documents = new ArrayList<>();
          List<Messages.@Nullable DocumentIn> sent = required(body.documents(), "documents");
          for (int i = 0; i < sent.size(); i++) {
            documents.add(newDocument(sent.get(i), "documents[" + i + "]"));
          }
          Written written = store.upsert(name, documents, scope);
          call.status(201);
          call.json(new Messages.Upserted(written.ids(), written.truncated()));
        });
  }

  private void page(Context call) {
    VectorCollection collection = find(call);
    Set<String> unknown = new TreeSet<>(call.queryParamMap().keySet());
    unknown.removeAll(Set.of("limit", "cursor"));
    if (!unknown.isEmpty()) {
      throw new ProblemException(
          ProblemCode.INVALID_ARGUMENT,
          "unknown parameters " + unknown + "; known are limit and cursor");
    }
    call.queryParamMap()
        .forEach((parameter, values) -> {
          if (values.size() > 1) {
            throw new ProblemException(
                ProblemCode.INVALID_ARGUMENT, parameter + " is there " + values.size() + " times");
          }
        });
    Page page = collection.page(after(call.queryParam("cursor")), limit(call.queryParam("limit")));
    call.json(
        new Messages.PageOut(
            page.documents().stream().map(DocumentRoutes::out).toList(),
            page.next().map(DocumentRoutes::cursor).orElse(null)));
  }

  private void get(Context call) {
    String id = call.pathParam("id");
    call.json(out(find(call).get(id).orElseThrow(() -> notFound(id))));
  }

  private void getMany(Context call) {
    VectorCollection collection = find(call);
    bodies.read(
        call,
        Messages.Get.class,
        body ->
            call.json(
                new Messages.Documents(
                    collection.get(ids(body.ids())).stream().map(DocumentRoutes::out).toList())));
  }

  private void delete(Context call) {
    String id = call.pathParam("id");
    if (find(call).delete(List.of(id)) == 0) {
      throw notFound(id);
    }
    call.status(204);
  }

  private void deleteMany(Context call) {
    VectorCollection collection = find(call);
    bodies.read(
        call,
        Messages.Delete.class,
        body -> {
          JsonNode where = body.where();
          boolean hasWhere = where != null && !where.isNull() && !isEmptyObject(where);
          if ((body.ids() != null) == hasWhere) {
            throw new ProblemException(
                ProblemCode.INVALID_ARGUMENT,
                "expected either \"ids\" or a \"where\" that is not empty");
          }
          if (where != null && hasWhere && FilterJson.sparesNothing(FilterJson.where(where))) {
            throw new ProblemException(
                ProblemCode.INVALID_FILTER,
                "where is true of every document and would delete everything; name a field, or"
                    + " delete the collection");
          }
          int deleted =
              where != null && hasWhere
                  ? collection.deleteWhere(FilterJson.where(where))
                  : collection.delete(ids(body.ids()));
          call.json(new Messages.Deleted(deleted));
        });
  }

  private VectorCollection find(Context call) {
    return CollectionRoutes.find(store, call.pathParam("name"), tenants.scope(call));
  }

  private static NewDocument newDocument(Messages.@Nullable DocumentIn in, String where) {
    if (in == null) {
      throw new ProblemException(ProblemCode.INVALID_ARGUMENT, where + " is null");
    }
    Map<String, String> metadata =
        in.metadata() == null
            ? Map.of()
            : CollectionRoutes.requireStrings(in.metadata(), where + ".metadata");
    return new NewDocument(
        Optional.ofNullable(in.id()),
        in.content() == null ? "" : in.content(),
        Optional.ofNullable(in.embedding()),
        metadata);
  }

  static Messages.DocumentOut out(Document document) {
    return new Messages.DocumentOut(
        document.id(), document.content(), new TreeMap<>(document.metadata()));
  }

  private static List<String> ids(@Nullable List<@Nullable String> sent) {
    List<String> ids = new ArrayList<>();
    List<@Nullable String> list = required(sent, "ids");
    for (int i = 0; i < list.size(); i++) {
      String id = list.get(i);
      if (id == null) {
        throw new ProblemException(ProblemCode.INVALID_ARGUMENT, "ids[" + i + "] is null");
      }
      ids.add(id);
    }
    return ids;
  }

  private static <T> List<T> required(@Nullable List<T> list, String name) {
    if (list == null) {
      throw new ProblemException(ProblemCode.INVALID_ARGUMENT, name + " is missing");
    }
    return list;
  }

  private static boolean isEmptyObject(JsonNode json) {
    return json.isObject() && json.isEmpty();
  }

  private static int limit(@Nullable String text) {
    if (text == null) {
      return DEFAULT_PAGE;
    }
    if (!LIMIT.matcher(text).matches()) {
      throw new ProblemException(
          ProblemCode.INVALID_ARGUMENT, "limit must be a whole number, found \"" + text + "\"");
    }
    return Integer.parseInt(text);
  }

  private static String cursor(String id) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString((CURSOR_VERSION + id).getBytes(StandardCharsets.UTF_8));
  }

  private static Optional<String> after(@Nullable String cursor) {
    if (cursor == null) {
      return Optional.empty();
    }
    try {
      String text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
      if (text.startsWith(CURSOR_VERSION)) {
        return Optional.of(text.substring(CURSOR_VERSION.length()));
      }
    } catch (IllegalArgumentException e) {
      // It is no cursor of ours: the answer below says so.
    }
    throw new ProblemException(
        ProblemCode.INVALID_ARGUMENT, "cursor is not one that this server gave out");
  }

  private static StoreException notFound(String id) {
    return new StoreException(
        ErrorCode.DOCUMENT_NOT_FOUND, "there is no document \"" + id + "\" in this collection");
  }
}
