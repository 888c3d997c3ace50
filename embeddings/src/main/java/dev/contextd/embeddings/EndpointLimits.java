package dev.contextd.embeddings;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import java.time.Duration;

/**
 * The numbers of a conversation with an endpoint, every one a bound.
 *
 * @param connectTimeout for the connection alone
 * @param requestTimeout for one request from its first byte to the answer's last
 * @param attempts tries of one request, the first included
 * @param firstBackoff wait before the second try; it doubles with each further one
 * @param maxBackoff the longest wait between two tries, also where the endpoint asks for more
 * @param inputsPerCall texts in one request; TEI takes 32 unless told otherwise
 * @param parallelCalls requests under way at the same time
 * @param maxInputChars UTF-16 units of a text that are sent at most; the rest of a longer text is
 *     beyond any model's limit
 * @param maxAnswerBytes the longest answer that is read
 * @param shortenings tries to find the first part that a model reads of a longer text
 */
public record EndpointLimits(
    Duration connectTimeout,
    Duration requestTimeout,
    int attempts,
    Duration firstBackoff,
    Duration maxBackoff,
    int inputsPerCall,
    int parallelCalls,
    int maxInputChars,
    int maxAnswerBytes,
    int shortenings) {

  private static final Duration MAX_WAIT = Duration.ofMinutes(10);

  public EndpointLimits {
    requireDuration("connectTimeout", connectTimeout);
    requireDuration("requestTimeout", requestTimeout);
    requireDuration("firstBackoff", firstBackoff);
    requireDuration("maxBackoff", maxBackoff);
    requireRange("attempts", attempts, 10);
    requireRange("inputsPerCall", inputsPerCall, 1_000);
    requireRange("parallelCalls", parallelCalls, 64);
    requireRange("maxInputChars", maxInputChars, 32 << 20);
    requireRange("maxAnswerBytes", maxAnswerBytes, 256 << 20);
    requireRange("shortenings", shortenings, 64);
  }

  /**
   * The limits that fit TEI, Ollama, vLLM and OpenAI as they come. An answer of 32 vectors of 4,096
   * numbers is 3 MB; 262,144 characters are more than a model with 32,768 tokens reads of any
   * language; a text of that length is down to a few characters after 20 halvings.
   */
  public static EndpointLimits usual() {
    return new EndpointLimits(
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        3,
        Duration.ofMillis(250),
        Duration.ofSeconds(10),
        32,
        4,
        1 << 18,
        32 << 20,
        20);
  }

  private static void requireDuration(String name, Duration value) {
    if (value.compareTo(Duration.ofMillis(1)) < 0 || value.compareTo(MAX_WAIT) > 0) {
      throw refused(name, "1ms to 10m", value);
    }
  }

  private static void requireRange(String name, int value, int max) {
    if (value < 1 || value > max) {
      throw refused(name, "1 to " + max, value);
    }
  }

  private static StoreException refused(String name, String expected, Object found) {
    return new StoreException(
        ErrorCode.INVALID_ARGUMENT,
        "the embedding endpoint's %s must be %s, found %s".formatted(name, expected, found));
  }
}
