package dev.contextd.embeddings;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryAfterTest {

  private final RetryAfter retryAfter =
      new RetryAfter(Clock.fixed(Instant.parse("2026-01-22T10:00:00Z"), ZoneOffset.UTC));

  private Optional<Duration> read(String value) {
    return retryAfter.read(HttpHeaders.of(Map.of("retry-after", List.of(value)), (k, v) -> true));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | PT0S",
        "7 | PT7S",
        "999999999 | PT24H",
        "Thu, 22 Jan 2026 10:00:30 GMT | PT30S",
        "Thu, 22 Jan 2026 09:00:00 GMT | PT0S",
        "Fri, 22 Jan 2038 10:00:00 GMT | PT24H",
      })
  void secondsAndDatesAreRead(String value, Duration expected) {
    assertThat(read(value)).contains(expected);
  }

  @ParameterizedTest
  @CsvSource({"-1", "soon", "1.5", "99999999999999999999", "''"})
  void anythingElseMeansNothing(String value) {
    assertThat(read(value)).isEmpty();
  }

  @Test
  void noHeaderMeansNothing() {
    assertThat(retryAfter.read(HttpHeaders.of(Map.of(), (k, v) -> true))).isEmpty();
  }
}
