package dev.contextd.engine;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

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

  /** Refuses filters that are malformed, or name what the scope sets itself. */
  public void check(Scope scope) {
    where.ifPresent(Checks::filter);
    whereDocument.ifPresent(Checks::filter);
    where.ifPresent(filter -> scope.refuseReserved(filter.fields(), "where"));
  }

  /**
   * What the documents are compared with, as a vector; a text is embedded.
   *
   * @param embedder asked for only where there is a text
   * @param checkModel refuses a model that is not the collection's
   */
  public EmbeddedText embedded(Supplier<Embedder> embedder, Consumer<String> checkModel) {
    if (target instanceof Target.Vector vector) { // A switch makes a class when it is first run.
      Checks.vector(vector.values(), "the query's vector");
      return new EmbeddedText(vector.values(), false);
    }
    String text = ((Target.Text) target).text();
    if (text.isBlank()) {
      throw Checks.invalid("the query's text is blank");
    }
    Embedder model = embedder.get();
    checkModel.accept(model.model());
    return model.embed(List.of(text)).getFirst();
  }

  public Query where(Filter filter) {
    return new Query(target, limit, Optional.of(filter), whereDocument);
  }

  public Query whereDocument(TextFilter filter) {
    return new Query(target, limit, where, Optional.of(filter));
  }
}
