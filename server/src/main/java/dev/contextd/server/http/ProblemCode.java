package dev.contextd.server.http;

import dev.contextd.engine.ErrorCode;
import java.util.Locale;

/**
 * The closed set of problems a call can meet, each with its status and the step that helps. On the
 * wire it is the name in lower case.
 */
public enum ProblemCode {
  INVALID_ARGUMENT(400, "The call is not valid", "See /openapi.json for what this call takes"),
  DIMENSION_MISMATCH(
      400,
      "The vector has another dimension than the collection",
      "GET /api/v1/collections/{name} tells its dimension"),
  INVALID_VECTOR(
      400, "The vector cannot be compared", "Send finite numbers of which at least one is not 0"),
  INVALID_FILTER(
      400, "The filter is not valid", "See the schemas Where and WhereDocument in /openapi.json"),
  MALFORMED_JSON(400, "The body is not the JSON this call takes", "See /openapi.json"),
  BAD_REQUEST(
      400,
      "The request is not valid HTTP",
      "Percent-encode ids in paths; POST .../documents/get and .../documents/delete take those that"
          + " no path carries"),
  NO_EMBEDDER(
      400,
      "Text cannot be embedded",
      "Send \"embedding\", or set embeddings.provider in config.yaml and restart"),
  UNAUTHORIZED(
      401, "A token is needed", "Send the header Authorization: Bearer with the daemon's token"),
  FORBIDDEN(403, "The caller may not do this", "Leave out what belongs to the tenant headers"),
  OPERATOR_ONLY(
      403,
      "Operators alone may do this",
      "Call from the daemon's own machine, or set server.token_file and send its token"),
  TENANT_REQUIRED(403, "A tenant is needed", "Send the header X-Tenant-Id"),
  FOREIGN_ORIGIN(
      403,
      "The call comes from a foreign web page",
      "Call from a program, or from this server's own pages"),
  COLLECTION_NOT_FOUND(
      404, "There is no such collection", "GET /api/v1/collections lists what there is"),
  DOCUMENT_NOT_FOUND(
      404,
      "There is no such document",
      "GET /api/v1/collections/{name}/documents lists what there is"),
  NO_REMOTE_STORE(
      404,
      "No remote store is kept up to date here",
      "Set vectorstore.provider to qdrant and vectorstore.fallback.enabled to true in config.yaml,"
          + " qdrant.host to where it is, and restart the daemon"),
  NOT_FOUND(404, "There is nothing at this path", "See /openapi.json for the paths"),
  METHOD_NOT_ALLOWED(405, "The path does not take this method", "See /openapi.json"),
  BODY_TOO_SLOW(408, "The body came too slowly", "Send it faster, or in smaller calls"),
  COLLECTION_EXISTS(
      409, "The collection exists with other metadata", "GET /api/v1/collections/{name} shows it"),
  REMOTE_ALONE(
      409,
      "Documents lie on the remote store alone",
      "Use the Qdrant server's own snapshots, or ctxd migrate --from qdrant, which copies everything"
          + " here"),
  DOCUMENT_CONFLICT(409, "The id is taken", "Choose another id"),
  MODEL_MISMATCH(
      409,
      "The collection was embedded with another model",
      "Set embeddings.model to the collection's model, or send \"embedding\""),
  LENGTH_LIMIT(
      413, "The call is too large", "Split it: 1,000 documents, 10,000 ids and 32 MiB a call"),
  URI_TOO_LONG(414, "The path is too long", "Use POST .../documents/get for long ids"),
  UNSUPPORTED_MEDIA_TYPE(
      415, "The body is not JSON", "Send the header Content-Type: application/json"),
  MISDIRECTED_HOST(421, "The Host header names another host", "Call localhost, 127.0.0.1 or [::1]"),
  HEADERS_TOO_LARGE(431, "The headers are too large", "Send fewer or shorter headers"),
  INTERNAL(500, "The daemon made a mistake", "Look into its log and report it"),
  EMBEDDING_FAILED(
      502,
      "The embedding provider did not answer",
      "Check embeddings.base_url and that the provider runs, then try again"),
  REMOTE_FAILED(
      502,
      "The remote store refused or failed",
      "Look into the daemon's log and the remote store's; ctxd remote status tells how things stand"),
  READ_ONLY(
      503,
      "The store is read-only",
      "Mend what the detail names and restart; what a later version wrote needs that version. GET"
          + " /api/v1/status tells the reason again"),
  STORAGE_FAILED(503, "The disk failed", "Look into the daemon's log and try again"),
  OUTCOME_UNKNOWN(
      503,
      "Whether the write took effect is not known",
      "Write it again when the disk works, or read what it was to change after a restart"),
  REMOTE_UNAVAILABLE(
      503,
      "The remote store does not answer",
      "Check qdrant.host and that it runs, then try again; with vectorstore.fallback.enabled writes"
          + " go on without it"),
  REMOTE_BACKLOG(
      503,
      "Too much waits for the remote store",
      "Bring the remote store back; ctxd remote status tells what waits, and which setting bounds"
          + " it"),
  SHUTTING_DOWN(503, "The daemon is shutting down", "Try again when it is back"),
  OUT_OF_MEMORY(
      503,
      "There is not enough memory for this call",
      "Send less at once, or give Java more: JDK_JAVA_OPTIONS=-Xmx2g ./contextd"),
  BUSY(503, "Too many large calls at once", "Try again in a moment"),
  STORAGE_FULL(507, "The disk is full", "Free some space and try again");

  private final int status;
  private final String title;
  private final String next;

  ProblemCode(int status, String title, String next) {
    this.status = status;
    this.title = title;
    this.next = next;
  }

  public int status() {
    return status;
  }

  public String title() {
    return title;
  }

  public String next() {
    return next;
  }

  /** Its name on the wire: {@code collection_not_found}. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  static ProblemCode of(ErrorCode code) {
    return switch (code) {
      case INVALID_ARGUMENT -> INVALID_ARGUMENT;
      case DIMENSION_MISMATCH -> DIMENSION_MISMATCH;
      case INVALID_VECTOR -> INVALID_VECTOR;
      case INVALID_FILTER -> INVALID_FILTER;
      case TOO_LARGE -> LENGTH_LIMIT;
      case COLLECTION_NOT_FOUND -> COLLECTION_NOT_FOUND;
      case DOCUMENT_NOT_FOUND -> DOCUMENT_NOT_FOUND;
      case COLLECTION_EXISTS -> COLLECTION_EXISTS;
      case DOCUMENT_CONFLICT -> DOCUMENT_CONFLICT;
      case MODEL_MISMATCH -> MODEL_MISMATCH;
      case FORBIDDEN -> FORBIDDEN;
      case NO_EMBEDDER -> NO_EMBEDDER;
      case EMBEDDING_FAILED -> EMBEDDING_FAILED;
      case READ_ONLY -> READ_ONLY;
      case STORAGE_FULL -> STORAGE_FULL;
      case STORAGE_FAILED -> STORAGE_FAILED;
      case OUTCOME_UNKNOWN -> OUTCOME_UNKNOWN;
      case REMOTE_UNAVAILABLE -> REMOTE_UNAVAILABLE;
      case REMOTE_FAILED -> REMOTE_FAILED;
      case REMOTE_BACKLOG -> REMOTE_BACKLOG;
      case CLOSED -> SHUTTING_DOWN;
    };
  }

  /** The problem that the HTTP server itself found, by its status. */
  static ProblemCode ofStatus(int status) {
    return switch (status) {
      case 401 -> UNAUTHORIZED;
      case 403 -> FORBIDDEN;
      case 404 -> NOT_FOUND;
      case 405 -> METHOD_NOT_ALLOWED;
      case 413 -> LENGTH_LIMIT;
      case 414 -> URI_TOO_LONG;
      case 415 -> UNSUPPORTED_MEDIA_TYPE;
      case 431 -> HEADERS_TOO_LARGE;
      case 503 -> SHUTTING_DOWN;
      case 505 -> BAD_REQUEST;
      default -> status < 500 ? BAD_REQUEST : INTERNAL;
    };
  }
}
