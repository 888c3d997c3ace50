package dev.contextd.resilience.remote;

import dev.contextd.engine.Document;
import dev.contextd.engine.Page;
import dev.contextd.engine.VectorCollection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/** All documents of a collection, a page at a time. */
final class Pages {
  private static final int PAGE_DOCUMENTS = 500;

  private Pages() {}

  static void each(VectorCollection collection, Consumer<List<Document>> each) {
    each(after -> ask(collection, after), each);
  }

  /** The page that begins after a document. */
  static Page ask(VectorCollection collection, Optional<String> after) {
    return collection.page(after, PAGE_DOCUMENTS);
  }

  /**
   * As {@link #each(VectorCollection, Consumer)}.
   *
   * @param pages gives the page that begins after a document
   */
  static void each(Function<Optional<String>, Page> pages, Consumer<List<Document>> each) {
    Optional<String> after = Optional.empty();
    do {
      Page page = pages.apply(after);
      each.accept(page.documents());
      after = page.next();
    } while (after.isPresent());
  }
}
