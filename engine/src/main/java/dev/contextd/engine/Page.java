package dev.contextd.engine;

import java.util.List;
import java.util.Optional;

/**
 * A part of a collection's documents in the order of their ids' unsigned bytes.
 *
 * @param next the id after which the next page begins; empty on the last page
 */
public record Page(List<Document> documents, Optional<String> next) {
  public Page {
    documents = List.copyOf(documents);
  }
}
