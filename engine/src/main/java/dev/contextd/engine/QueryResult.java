package dev.contextd.engine;

import java.util.List;
import java.util.OptionalLong;

/**
 * The answer to a query.
 *
 * @param hits best first; equal scores in the order of the ids' unsigned bytes
 * @param truncated whether the query's text was longer than the model reads
 */
public record QueryResult(List<Hit> hits, Coverage coverage, boolean truncated) {
  public QueryResult {
    hits = List.copyOf(hits);
  }

  /**
   * A document found.
   *
   * @param score cosine similarity, -1 to 1, computed in double precision from the stored vector
   */
  public record Hit(Document document, double score) {}

  /**
   * How much of the collection the answer rests on, in documents.
   *
   * @param searched those that could have been found
   * @param unavailable those that are damaged or in quarantine; empty where it cannot be known
   */
  public record Coverage(long searched, OptionalLong unavailable) {}
}
