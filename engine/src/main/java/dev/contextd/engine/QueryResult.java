package dev.contextd.engine;

import dev.contextd.engine.search.IdOrder;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * The answer to a query.
 *
 * @param hits best first; equal scores in the order of the ids' unsigned bytes
 * @param truncated whether the query's text was longer than the model reads
 * @param isPendingOnly whether only what is pending for a remote store could be searched, because
 *     that one was away
 */
public record QueryResult(
    List<Hit> hits, Coverage coverage, boolean truncated, boolean isPendingOnly) {
  public QueryResult {
    hits = List.copyOf(hits);
  }

  /** An answer out of all there is. */
  public QueryResult(List<Hit> hits, Coverage coverage, boolean truncated) {
    this(hits, coverage, truncated, false);
  }

  /**
   * A document found.
   *
   * @param score cosine similarity, -1 to 1, computed in double precision from the stored vector
   */
  public record Hit(Document document, double score) {
    /** Best first; equal scores in the order of the ids' unsigned bytes. */
    public static final Comparator<Hit> BEST_FIRST =
        bestFirst(Hit::score, hit -> hit.document().id());

    /**
     * The same order, of something else that has a score and an id. Comparators that Java makes can
     * be serialised, and its cache of classes holds none of those: the first query would wait.
     */
    public static <T> Comparator<T> bestFirst(
        ToDoubleFunction<? super T> score, Function<? super T, String> id) {
      return (a, b) -> {
        int byScore = Double.compare(score.applyAsDouble(b), score.applyAsDouble(a));
        return byScore == 0 ? IdOrder.COMPARATOR.compare(id.apply(a), id.apply(b)) : byScore;
      };
    }
  }

  /**
   * How much of the collection the answer rests on, in documents.
   *
   * @param searched those that could have been found
   * @param unavailable those that are damaged or in quarantine; empty where it cannot be known
   */
  public record Coverage(long searched, OptionalLong unavailable) {}
}
