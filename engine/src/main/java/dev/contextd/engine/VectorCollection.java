package dev.contextd.engine;

import java.util.List;
import java.util.Optional;

/**
 * A handle to a collection, confined to a scope. Safe for many threads: readers never wait, and see
 * each write whole or not at all. A handle of a deleted collection refuses every call with {@link
 * ErrorCode#COLLECTION_NOT_FOUND}.
 */
public interface VectorCollection {

  CollectionInfo info();

  /** How many documents there are. */
  long count();

  /**
   * Adds documents, or replaces those of the same ids; all or nothing, and durable on return.
   *
   * @param documents 1 to {@value Limits#MAX_BATCH_DOCUMENTS}, each id once
   * @throws StoreException {@link ErrorCode#INVALID_ARGUMENT}, {@link ErrorCode#INVALID_VECTOR},
   *     {@link ErrorCode#DIMENSION_MISMATCH}, {@link ErrorCode#MODEL_MISMATCH}, {@link
   *     ErrorCode#NO_EMBEDDER}, {@link ErrorCode#EMBEDDING_FAILED}, {@link
   *     ErrorCode#DOCUMENT_CONFLICT}, {@link ErrorCode#READ_ONLY}, {@link ErrorCode#STORAGE_FULL}
   *     or {@link ErrorCode#STORAGE_FAILED}: nothing has changed then; or {@link
   *     ErrorCode#OUTCOME_UNKNOWN}
   */
  Written upsert(List<NewDocument> documents);

  Optional<Document> get(String id);

  /** The documents that exist, in the order asked, each once. */
  List<Document> get(List<String> ids);

  /**
   * A page of documents in the order of their ids' unsigned bytes.
   *
   * @param after the id after which it begins
   * @param limit 1 to {@value Limits#MAX_PAGE_DOCUMENTS}
   */
  Page page(Optional<String> after, int limit);

  /**
   * Deletes documents; unknown ids are passed over. The files move to the trash.
   *
   * @return how many there were
   */
  int delete(List<String> ids);

  /**
   * Deletes the documents that match.
   *
   * @return how many there were
   */
  int deleteWhere(Filter where);

  /**
   * Finds the nearest documents by exact cosine similarity.
   *
   * @throws StoreException {@link ErrorCode#DIMENSION_MISMATCH}, {@link ErrorCode#INVALID_VECTOR},
   *     {@link ErrorCode#MODEL_MISMATCH}, {@link ErrorCode#NO_EMBEDDER}, {@link
   *     ErrorCode#EMBEDDING_FAILED} or {@link ErrorCode#INVALID_FILTER}
   */
  QueryResult query(Query query);
}
