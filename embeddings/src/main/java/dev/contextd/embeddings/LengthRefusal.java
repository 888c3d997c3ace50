package dev.contextd.embeddings;

import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The reading of error answers that are about length. There is no standard for them, so they are
 * known by their words; the status alone would not do, because TEI answers 413 to an empty input
 * and everybody answers 400 to anything.
 *
 * <ul>
 *   <li>TEI, 413: {@code `inputs` must have less than 512 tokens. Given: 1038}, also {@code batch
 *       size 64 > maximum allowed batch size 32}
 *   <li>OpenAI, 400: {@code maximum context length is 8192 tokens, however you requested 16379
 *       tokens}, also {@code maximum input length is 8192 tokens} and {@code max 300000 tokens per
 *       request}
 *   <li>vLLM, 400: {@code maximum context length is 512 tokens. However, you requested 600 tokens}
 *   <li>Ollama, 400: {@code the input length exceeds the context length}
 *   <li>llama.cpp, 400 or 500: {@code exceeds the available context size}, {@code input is too
 *       large to process}
 *   <li>a proxy in front, 413: {@code Request Entity Too Large}
 * </ul>
 */
final class LengthRefusal {

  private static final Set<Integer> STATUSES = Set.of(400, 413, 422, 500);

  /** The words, in lower case. */
  private static final Pattern WORDS =
      Pattern.compile(
          "must have less than|(?:maximum|max|the) (?:context|input|prompt|sequence) length"
              + "|context size|too large to process|too long|too many tokens|tokens per request"
              + "|maximum allowed batch size|(?:entity|payload|content) too large");

  /** The limit, then everything up to the end of the message. */
  private static final Pattern LIMIT =
      Pattern.compile("(?:less than|length is|length of) (\\d{1,9})([^\"]*)");

  private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");

  /** Tokens are not spread evenly: aim a little below the limit. */
  private static final double MARGIN = 0.95;

  private static final double HALF = 0.5;
  private static final double SMALLEST_KEEP = 1.0 / 64;

  /** Characters of an error answer that are looked at. */
  private static final int MAX_MESSAGE_CHARS = 8_192;

  private LengthRefusal() {}

  /**
   * The part of the text that may fit, above 0 and below 1, or nothing where the answer is not
   * about length.
   */
  static OptionalDouble keep(int status, String body) {
    if (!STATUSES.contains(status)) {
      return OptionalDouble.empty();
    }
    String message = Inputs.firstPart(body, MAX_MESSAGE_CHARS).toLowerCase(Locale.ROOT);
    return WORDS.matcher(message).find()
        ? OptionalDouble.of(keepByNumbers(message))
        : OptionalDouble.empty();
  }

  private static double keepByNumbers(String message) {
    Matcher limitAndRest = LIMIT.matcher(message);
    if (!limitAndRest.find()) {
      return HALF;
    }
    long limit = Long.parseLong(limitAndRest.group(1));
    long given = 0;
    Matcher numbers = NUMBER.matcher(limitAndRest.group(2));
    while (numbers.find()) {
      given = Math.max(given, Long.parseLong(numbers.group()));
    }
    return given < limit ? HALF : Math.max(SMALLEST_KEEP, MARGIN * limit / given);
  }
}
