package dev.contextd.embeddings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.contextd.engine.Embedder;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddingSettingsTest {

  private static EmbeddingSettings.Endpoint endpoint(String url) {
    return EmbeddingSettings.Endpoint.of(url, "m", Optional.empty());
  }

  private static void assertRefused(Runnable creation, String words) {
    StoreException refused =
        assertThatExceptionOfType(StoreException.class).isThrownBy(creation::run).actual();
    assertThat(refused.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    assertThat(refused).hasMessageContaining(words);
  }

  @ParameterizedTest
  @CsvSource({
    "http://localhost:8080, http://localhost:8080/v1/embeddings",
    "http://localhost:8080/, http://localhost:8080/v1/embeddings",
    "http://localhost:8080/v1, http://localhost:8080/v1/embeddings",
    "HTTPS://api.openai.com/v1/, HTTPS://api.openai.com/v1/embeddings",
    "http://gateway/team/a//, http://gateway/team/a/v1/embeddings",
  })
  void theBaseUrlMayEndWithTheVersion(String baseUrl, String expected) {
    assertThat(endpoint(baseUrl).embeddingsUrl()).hasToString(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "localhost:8080",
        "ftp://host",
        "file:///etc",
        "http://",
        "http:///v1",
        "http://a b",
        "http://user:password@host",
        "http://host?key=password",
        "http://host#password"
      })
  void anotherBaseUrlIsRefusedAndNotRepeated(String baseUrl) {
    assertRefused(() -> endpoint(baseUrl), "base URL");
    assertThatExceptionOfType(StoreException.class)
        .isThrownBy(() -> endpoint(baseUrl))
        .satisfies(refused -> assertThat(refused.getMessage()).doesNotContain("password"));
  }

  @Test
  void aTokenThatWouldBreakTheHeaderIsRefused() {
    for (String token : List.of("", "a\nb", "a b", "\u00e4", "a\r")) {
      assertRefused(
          () -> EmbeddingSettings.Endpoint.of("http://host", "m", Optional.of(token)), "token");
    }
  }

  @Test
  void theTokenIsNotShown() {
    EmbeddingSettings settings =
        EmbeddingSettings.Endpoint.of("http://host", "m", Optional.of("secret"));
    assertThat(settings.toString()).contains("http://host").doesNotContain("secret");
  }

  @ParameterizedTest
  @CsvSource({
    "http://localhost:8080, false",
    "http://127.0.0.1, false",
    "http://[::1]:1, false",
    "https://api.openai.com, false",
    "http://10.0.0.1, true",
  })
  void aTokenInClearIsNoticed(String baseUrl, boolean inClear) {
    assertThat(endpoint(baseUrl).sendsInClear()).isEqualTo(inClear);
  }

  @Test
  void numbersOutOfRangeAreRefused() {
    assertRefused(() -> new EmbeddingSettings.LocalModel(0), "parallelism");
    assertRefused(() -> EmbeddingSettings.Endpoint.of("http://h", " ", Optional.empty()), "name");
    assertRefused(() -> withTimeout(Duration.ZERO), "requestTimeout must be 1ms to 10m");
    assertRefused(() -> withTimeout(Duration.ofHours(1)), "requestTimeout");
  }

  private static EndpointLimits withTimeout(Duration timeout) {
    EndpointLimits usual = EndpointLimits.usual();
    return new EndpointLimits(
        usual.connectTimeout(),
        timeout,
        usual.attempts(),
        usual.firstBackoff(),
        usual.maxBackoff(),
        usual.inputsPerCall(),
        usual.parallelCalls(),
        usual.maxInputChars(),
        usual.maxAnswerBytes(),
        usual.shortenings());
  }

  @Test
  void theFactoryLoadsNothingAndAsksNobody() {
    try (Embedder local = Embedders.create(EmbeddingSettings.LocalModel.onAllCores());
        Embedder remote = Embedders.create(endpoint("http://127.0.0.1:1"))) {
      assertThat(local.model()).isEqualTo("BAAI/bge-small-en-v1.5");
      assertThat(local.dimension()).isEqualTo(384);
      assertThat(local.knownDimension()).hasValue(384);
      assertThat(remote.model()).isEqualTo("m");
    }
  }
}
