package dev.contextd.qdrant.testkit;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/**
 * The errors of Qdrant 1.18: status code and text.
 *
 * <p>The texts are those in {@code fixtures/qdrant/recorded.jsonl}, except where a method says "not
 * recorded": there only the status code should be relied on.
 */
final class Refusals {
  private Refusals() {}

  static StatusRuntimeException noCollection(String name) {
    return refuse(Status.NOT_FOUND, "Not found: Collection `" + name + "` doesn't exist!");
  }

  static StatusRuntimeException collectionExists(String name) {
    return refuse(Status.ALREADY_EXISTS, "Wrong input: Collection `" + name + "` already exists!");
  }

  /** A field of the request that holds what it may not, for example a limit of zero. */
  static StatusRuntimeException invalidField(String field, String problem) {
    return refuse(
        Status.INVALID_ARGUMENT, "Validation error in body: [" + field + ": " + problem + "]");
  }

  static StatusRuntimeException wrongDimension(int expected, int got) {
    return refuse(
        Status.INVALID_ARGUMENT,
        "Wrong input: Vector dimension error: expected dim: " + expected + ", got " + got);
  }

  static StatusRuntimeException emptyUpdate() {
    return refuse(Status.INVALID_ARGUMENT, "Bad request: Empty update request");
  }

  static StatusRuntimeException noUuid(String text) {
    return refuse(Status.INVALID_ARGUMENT, "Unable to parse UUID: " + text);
  }

  /** Not recorded. */
  static StatusRuntimeException noPoint(String uuid) {
    return refuse(Status.NOT_FOUND, "Not found: No point with id " + uuid + " found");
  }

  /** Not recorded. */
  static StatusRuntimeException noVectorOfName(String name) {
    return refuse(Status.INVALID_ARGUMENT, "Wrong input: Not existing vector name error: " + name);
  }

  /** Not recorded. */
  static StatusRuntimeException missing(String what) {
    return refuse(Status.INVALID_ARGUMENT, "Bad request: " + what + " is missing");
  }

  /** A thing that Qdrant can do and the fake cannot: a test that meets it must learn so at once. */
  static StatusRuntimeException notFaked(String what) {
    return refuse(Status.UNIMPLEMENTED, "the fake Qdrant knows no " + what);
  }

  private static StatusRuntimeException refuse(Status status, String text) {
    return status.withDescription(text).asRuntimeException();
  }
}
