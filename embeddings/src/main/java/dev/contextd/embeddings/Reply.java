package dev.contextd.embeddings;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What an endpoint made of a request: the closed set of outcomes. */
sealed interface Reply {

  /**
   * The vectors, in the order of the inputs.
   *
   * @param vectors {@code float[dimension]} each, usable, all of one dimension
   */
  record Embedded(List<float[]> vectors) implements Reply {}

  /**
   * An input, or all of them together, is longer than the endpoint takes.
   *
   * @param keep the part of the text that may fit, above 0 and below 1
   */
  record TooLong(double keep) implements Reply {}

  /**
   * No answer now, perhaps later.
   *
   * @param reason what was expected and found
   * @param retryAfter how long the endpoint asks to be left alone
   */
  record Unavailable(String reason, Optional<Duration> retryAfter) implements Reply {}

  /**
   * An answer that would be the same again.
   *
   * @param reason what was expected and found, and what to do
   */
  record Refused(String reason) implements Reply {}
}
