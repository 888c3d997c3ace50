package dev.contextd.engine;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What is known of a collection.
 *
 * @param folder its name below the store's root
 * @param count of documents in the caller's scope
 * @param dimension empty while the collection is
 * @param model which model made its vectors; empty where none is recorded and none can be assumed
 * @param unserved how many documents in the folder cannot be served
 * @param lostMetadata why the collection's own metadata is not known, in a sentence; empty where it
 *     is known
 */
public record CollectionInfo(
    String name,
    String folder,
    Map<String, String> metadata,
    long count,
    OptionalInt dimension,
    Optional<Model> model,
    int unserved,
    Optional<String> lostMetadata) {

  /**
   * An embedding model.
   *
   * @param assumed whether it is merely the configured one, whose dimension agrees
   */
  public record Model(String name, boolean assumed) {}
}
