package dev.contextd.engine;

/** The closed set of reasons a store operation is refused or fails. */
public enum ErrorCode {
  /** The call itself is wrong: a bad name, a bad value, a limit out of range. */
  INVALID_ARGUMENT,
  /** A vector's dimension is not the collection's. */
  DIMENSION_MISMATCH,
  /** A vector is zero or holds a value that is not finite. */
  INVALID_VECTOR,
  /** A filter names an unknown operator, or is malformed or too deep. */
  INVALID_FILTER,
  /** The call carries more documents or bytes than one call may. */
  TOO_LARGE,
  /** No collection of that name. */
  COLLECTION_NOT_FOUND,
  /** No document of that id. */
  DOCUMENT_NOT_FOUND,
  /** The collection exists with other metadata. */
  COLLECTION_EXISTS,
  /** The id is taken by a document outside the caller's scope. */
  DOCUMENT_CONFLICT,
  /** The text was embedded, or the query asked, with another model than the collection's. */
  MODEL_MISMATCH,
  /** The caller's scope does not allow the operation. */
  FORBIDDEN,
  /** Text was given, but no embedding provider is configured. */
  NO_EMBEDDER,
  /** The embedding provider did not answer or refused. */
  EMBEDDING_FAILED,
  /** The store is served read-only. */
  READ_ONLY,
  /** The disk is full. */
  STORAGE_FULL,
  /** The disk failed for another reason than being full. */
  STORAGE_FAILED,
  /**
   * The disk failed and whether the write took effect is not known: it does not show, and may be
   * there when the store is opened again.
   */
  OUTCOME_UNKNOWN,
  /** The remote store did not answer in time; whether a write took effect there is not known. */
  REMOTE_UNAVAILABLE,
  /** The remote store answered, and refused or failed. */
  REMOTE_FAILED,
  /** More is waiting for the remote store than may wait. */
  REMOTE_BACKLOG,
  /** The store was closed. */
  CLOSED
}
