package dev.contextd.engine;

import dev.contextd.engine.search.Snapshot;
import dev.contextd.engine.search.Vectors;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** What is refused at the edge of every store, wherever it lies. */
public final class Checks {
  private Checks() {}

  /** A new collection's name. */
  public static void name(String name) {
    encodable(name, "the collection name", "");
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes < 1 || bytes > Limits.MAX_NAME_BYTES) {
      throw invalid(
          "a collection name has 1 to %d bytes of UTF-8, found %d"
              .formatted(Limits.MAX_NAME_BYTES, bytes));
    }
    if (name.chars().anyMatch(Character::isISOControl)) {
      throw invalid("a collection name holds no control characters");
    }
  }

  /** Metadata of a collection or document; {@code where} begins the message. */
  public static void metadata(Map<String, String> metadata, String where) {
    metadata.forEach((key, value) -> {
      encodable(key, where, ".metadata");
      encodable(value, where, ".metadata");
      if (key.startsWith("$")) {
        throw invalid(where + ".metadata: the key \"" + key + "\" may not begin with $");
      }
    });
  }

  /** The documents of one write, each id once. */
  public static void batch(List<NewDocument> documents) {
    if (documents.isEmpty()) {
      throw invalid("a write carries at least one document, found none");
    }
    if (documents.size() > Limits.MAX_BATCH_DOCUMENTS) {
      throw new StoreException(
          ErrorCode.TOO_LARGE,
          "a write carries at most %d documents, found %d; split it"
              .formatted(Limits.MAX_BATCH_DOCUMENTS, documents.size()));
    }
    Set<String> ids = new HashSet<>();
    for (int i = 0; i < documents.size(); i++) {
      NewDocument document = documents.get(i);
      String where = "documents[" + i + "]";
      document.id().ifPresent(id -> newId(id, ids, where));
      encodable(document.content(), where, ".content");
      metadata(document.metadata(), where);
      if (document.embedding().isPresent()) {
        vector(document.embedding().get(), where + ".embedding");
      } else if (document.content().isBlank()) {
        throw invalid(where + " has neither an embedding nor a content to make one from");
      }
    }
  }

  private static void newId(String id, Set<String> seen, String where) {
    encodable(id, where, ".id");
    if (id.isEmpty()) {
      throw invalid(where + ".id has 0 bytes, expected 1 to " + Limits.MAX_ID_BYTES);
    }
    if (!seen.add(id)) {
      throw invalid(where + ".id \"" + id + "\" stands in the batch already");
    }
  }

  /** A longer id that was found on disk may be replaced; a new one is refused. */
  static void newIds(List<String> ids, Snapshot existing) {
    newIds(ids, id -> existing.get(id) != null);
  }

  /**
   * Ids of documents to write, which are not too long.
   *
   * @param isKnown whether there is a document of an id already
   */
  public static void newIds(List<String> ids, Predicate<String> isKnown) {
    for (int i = 0; i < ids.size(); i++) {
      int bytes = ids.get(i).getBytes(StandardCharsets.UTF_8).length;
      if (bytes > Limits.MAX_ID_BYTES && !isKnown.test(ids.get(i))) {
        throw invalid(
            "documents[%d].id has %d bytes of UTF-8, expected 1 to %d"
                .formatted(i, bytes, Limits.MAX_ID_BYTES));
      }
    }
  }

  /** A vector that can be searched. */
  public static void vector(float[] vector, String where) {
    if (vector.length == 0 || vector.length > Limits.MAX_DIMENSION) {
      throw new StoreException(
          ErrorCode.INVALID_VECTOR,
          "%s has %d values, expected 1 to %d"
              .formatted(where, vector.length, Limits.MAX_DIMENSION));
    }
    if (!Vectors.isFinite(vector)) {
      throw new StoreException(
          ErrorCode.INVALID_VECTOR, where + " holds a value that is not a finite float32");
    }
    if (Vectors.norm(vector) == 0) {
      throw new StoreException(
          ErrorCode.INVALID_VECTOR, where + " is zero, which is near to nothing");
    }
  }

  /** A vector's dimension, where the collection has one (0 for none). */
  public static void dimension(int expected, int actual, String where) {
    if (expected != 0 && expected != actual) {
      throw new StoreException(
          ErrorCode.DIMENSION_MISMATCH,
          "%s has dimension %d, the collection has %d".formatted(where, actual, expected));
    }
  }

  /** The ids of one call. */
  public static void ids(List<String> ids) {
    if (ids.size() > Limits.MAX_IDS) {
      throw new StoreException(
          ErrorCode.TOO_LARGE,
          "a call names at most %d ids, found %d; split it".formatted(Limits.MAX_IDS, ids.size()));
    }
  }

  /** A conjunction stands on the level of its parts: it never has another one among them. */
  public static void filter(Filter filter) {
    int conditions = filter(filter, 1);
    if (conditions > Limits.MAX_FILTER_CONDITIONS) {
      throw new StoreException(
          ErrorCode.INVALID_FILTER,
          "a filter has at most %d conditions, found %d"
              .formatted(Limits.MAX_FILTER_CONDITIONS, conditions));
    }
  }

  private static int filter(Filter filter, int depth) {
    depth(depth);
    return switch (filter) {
      case Filter.And and -> and.all().stream().mapToInt(part -> filter(part, depth)).sum();
      case Filter.Or or -> or.any().stream().mapToInt(part -> filter(part, depth + 1)).sum();
      case Filter.Not not -> filter(not.filter(), depth + 1);
      case Filter.Condition _ -> 1;
    };
  }

  /** A condition on the content. */
  public static void filter(TextFilter filter) {
    textFilter(filter, 1);
  }

  private static void textFilter(TextFilter filter, int depth) {
    depth(depth);
    switch (filter) {
      case TextFilter.And and -> and.all().forEach(part -> textFilter(part, depth));
      case TextFilter.Or or -> or.any().forEach(part -> textFilter(part, depth + 1));
      case TextFilter.Contains _, TextFilter.NotContains _ -> {}
    }
  }

  private static void depth(int depth) {
    if (depth > Limits.MAX_FILTER_DEPTH) {
      throw new StoreException(
          ErrorCode.INVALID_FILTER,
          "a filter nests at most " + Limits.MAX_FILTER_DEPTH + " levels deep");
    }
  }

  /** Text that UTF-8 cannot hold would come back from the disk altered. */
  private static void encodable(String text, String where, String field) {
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      if (Character.isSurrogate(unit)) {
        boolean isPair =
            i + 1 < text.length() && Character.isSurrogatePair(unit, text.charAt(i + 1));
        if (!isPair) {
          throw invalid(where + field + " holds an unpaired surrogate, which UTF-8 cannot store");
        }
        i++;
      }
    }
  }

  /** How many documents a page may hold. */
  public static void pageLimit(int limit) {
    if (limit < 1 || limit > Limits.MAX_PAGE_DOCUMENTS) {
      throw invalid("limit must be 1 to " + Limits.MAX_PAGE_DOCUMENTS + ", found " + limit);
    }
  }

  /** Text is embedded with the model that made a collection's vectors, and with no other. */
  public static void model(String collection, String present, String used) {
    if (!present.equals(used)) {
      throw new StoreException(
          ErrorCode.MODEL_MISMATCH,
          "the collection \"%s\" was embedded with \"%s\", text would be embedded with \"%s\"; use that model, or send \"embedding\""
              .formatted(collection, present, used));
    }
  }

  /**
   * Refuses a write to a store that is read-only.
   *
   * @param readOnlyReason why nothing may be written; empty where it may
   * @throws StoreException {@link ErrorCode#READ_ONLY}
   */
  public static void writable(Optional<String> readOnlyReason) {
    if (readOnlyReason.isPresent()) {
      throw new StoreException(
          ErrorCode.READ_ONLY,
          "the store is served read-only, because "
              + readOnlyReason.get()
              + "; mend that and restart");
    }
  }

  /** No collection of that name. */
  public static StoreException notFound(String collection) {
    return new StoreException(
        ErrorCode.COLLECTION_NOT_FOUND, "there is no collection \"" + collection + "\"");
  }

  /** A collection is there, and not as it was to be created. */
  public static StoreException existsOtherwise(String collection) {
    return new StoreException(
        ErrorCode.COLLECTION_EXISTS,
        "the collection \"" + collection + "\" exists with other metadata; delete it first");
  }

  /** An id is shared by all tenants; one that cannot be seen cannot be written either. */
  public static StoreException taken(String id) {
    return new StoreException(
        ErrorCode.DOCUMENT_CONFLICT, "the id \"" + id + "\" is taken; choose another");
  }

  /** The model that embeds texts, which must be there. */
  public static Embedder embedder(Optional<Embedder> configured) {
    return configured.orElseThrow(() ->
        new StoreException(
            ErrorCode.NO_EMBEDDER,
            "text needs an embedding provider and none is configured; send \"embedding\","
                + " or set embeddings.provider"));
  }

  /** The call itself is wrong. */
  public static StoreException invalid(String message) {
    return new StoreException(ErrorCode.INVALID_ARGUMENT, message);
  }
}
