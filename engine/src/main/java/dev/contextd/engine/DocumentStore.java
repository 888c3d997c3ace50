package dev.contextd.engine;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Collections of documents, wherever they lie: what callers of the data API work on. */
public interface DocumentStore extends AutoCloseable {

  /** All collections in the order of their names, with counts in the scope. */
  List<CollectionInfo> collections(Scope scope);

  /** A handle to a collection. */
  Optional<VectorCollection> collection(String name, Scope scope);

  /**
   * Creates a collection where there is none of that name.
   *
   * @param name 1 to {@value Limits#MAX_NAME_BYTES} bytes of UTF-8 without control characters
   * @return whether it was created
   * @throws StoreException {@link ErrorCode#COLLECTION_EXISTS} where it exists with other metadata
   */
  boolean create(String name, Map<String, String> metadata);

  /**
   * Adds or replaces documents as {@link VectorCollection#upsert}, and creates the collection where
   * there is none of that name; a batch that is not valid creates nothing.
   */
  Written upsert(String name, List<NewDocument> documents, Scope scope);

  /** A handle to a collection, created without metadata where there is none of that name. */
  VectorCollection getOrCreate(String name, Scope scope);

  /**
   * Deletes a collection; an embedded store moves it to the trash.
   *
   * @throws StoreException {@link ErrorCode#COLLECTION_NOT_FOUND}; {@link ErrorCode#FORBIDDEN} in a
   *     scope
   */
  void delete(String name, Scope scope);

  @Override
  void close();
}
