package dev.contextd.engine;

import java.util.Optional;

/**
 * A question to a collection: which documents are nearest?
 *
 * @param target a vector or a text
 * @param limit 1 to {@value Limits#MAX_QUERY_RESULTS}; above the count it returns what there is
 * @param where keeps the documents whose metadata match
 * @param whereDocument keeps the documents whose content matches
 */
public record Query(
    Target target, int limit, Optional<Filter> where, Optional<TextFilter> whereDocument) {

  /** What the documents are compared with. */
  public sealed interface Target {

    /** A vector of the collection's dimension, finite and not zero, of any length. */
    record Vector(float[] values) implements Target {}

    /** A text, embedded with the collection's model. */
    record Text(String text) implements Target {}
  }

  public Query {
    if (limit < 1 || limit > Limits.MAX_QUERY_RESULTS) {
      throw new StoreException(
          ErrorCode.INVALID_ARGUMENT,
          "limit must be 1 to " + Limits.MAX_QUERY_RESULTS + ", found " + limit);
    }
  }

  public static Query nearest(float[] vector, int limit) {
    return new Query(new Target.Vector(vector), limit, Optional.empty(), Optional.empty());
  }

  public static Query nearest(String text, int limit) {
    return new Query(new Target.Text(text), limit, Optional.empty(), Optional.empty());
  }

  public Query where(Filter filter) {
    return new Query(target, limit, Optional.of(filter), whereDocument);
  }

  public Query whereDocument(TextFilter filter) {
    return new Query(target, limit, where, Optional.of(filter));
  }
}
