package dev.contextd.embeddings;

import static dev.contextd.embeddings.FakeEndpoint.Answer;
import static dev.contextd.embeddings.FakeEndpoint.data;
import static dev.contextd.embeddings.FakeEndpoint.item;
import static dev.contextd.embeddings.FakeEndpoint.numbers;
import static dev.contextd.embeddings.FakeEndpoint.vectorOf;
import static dev.contextd.embeddings.FakeEndpoint.vectors;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpenAiEmbedderTest {

  private static final String TOKEN = "secret-token-1";
  private static final String TEXT = "a text nobody may repeat";

  /** Short waits, and otherwise as small as the tests allow. */
  static EndpointLimits limits(Duration requestTimeout) {
    return new EndpointLimits(
        Duration.ofSeconds(5),
        requestTimeout,
        3,
        Duration.ofMillis(1),
        Duration.ofMillis(2),
        32,
        2,
        10_000,
        100_000,
        20);
  }

  static OpenAiEmbedder embedder(String url, EndpointLimits limits) {
    Clock clock = Clock.fixed(Instant.parse("2026-01-22T10:00:00Z"), ZoneOffset.UTC);
    return new OpenAiEmbedder(
        new EmbeddingSettings.Endpoint(URI.create(url), "m", Optional.of(TOKEN), limits),
        clock,
        new Random(1));
  }

  private static OpenAiEmbedder embedder(FakeEndpoint endpoint) {
    return embedder(endpoint.url(), limits(Duration.ofSeconds(30)));
  }

  private static StoreException failure(OpenAiEmbedder embedder, String... texts) {
    return assertThatExceptionOfType(StoreException.class)
        .isThrownBy(() -> embedder.embed(List.of(texts)))
        .actual();
  }

  @Test
  void theRequestIsOpenAis() throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint::vectors);
        OpenAiEmbedder embedder =
            embedder(endpoint.url() + "/v1/", limits(Duration.ofSeconds(9)))) {
      assertThat(embedder.embed(List.of("one", "two")))
          .extracting(EmbeddedText::vector)
          .containsExactly(vectorOf("one"), vectorOf("two"));

      FakeEndpoint.Request request = endpoint.requests().getFirst();
      assertThat(request.path()).isEqualTo("/v1/embeddings");
      assertThat(request.headers().get("Authorization")).containsExactly("Bearer " + TOKEN);
      assertThat(request.headers().get("Content-type")).containsExactly("application/json");
      assertThat(request.body().path("model").asText()).isEqualTo("m");
      assertThat(request.body().path("encoding_format").asText()).isEqualTo("float");
      assertThat(request.inputs()).containsExactly("one", "two");
    }
  }

  @Test
  void vectorsAreMatchedByIndex() throws Exception {
    FakeEndpoint.Behaviour reversed =
        r ->
            data(
                List.of(
                    item(2, numbers("three")), item(0, numbers("one")), item(1, numbers("two"))));
    try (FakeEndpoint endpoint = new FakeEndpoint(reversed);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(embedder.embed(List.of("one", "two", "three")))
          .extracting(EmbeddedText::vector)
          .containsExactly(vectorOf("one"), vectorOf("two"), vectorOf("three"));
    }
  }

  @Test
  void manyTextsGoInBoundedCallsAndComeBackInOrder() throws Exception {
    List<String> texts = IntStream.range(0, 1_000).mapToObj(i -> "text " + i).toList();
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint::vectors);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(embedder.embed(texts))
          .extracting(EmbeddedText::vector)
          .containsExactlyElementsOf(texts.stream().map(FakeEndpoint::vectorOf).toList());
      assertThat(endpoint.requests()).hasSize(32).allMatch(r -> r.inputs().size() <= 32);
      assertThat(endpoint.mostUnderWay()).isBetween(1, 2);
    }
  }

  @Test
  void noTextsNeedNoCall() throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint::vectors);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(embedder.embed(List.of())).isEmpty();
      assertThat(endpoint.requests()).isEmpty();
    }
  }

  @Test
  void theDimensionIsAskedForOnce() throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint::vectors);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(embedder.model()).isEqualTo("m");
      assertThat(embedder.knownDimension()).isEmpty();
      assertThat(embedder.dimension()).isEqualTo(3);
      assertThat(embedder.knownDimension()).hasValue(3);
      assertThat(embedder.dimension()).isEqualTo(3);
      assertThat(endpoint.requests()).hasSize(1);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 500, 502, 503})
  void whatMayPassIsTriedAgain(int status) throws Exception {
    AtomicInteger calls = new AtomicInteger();
    FakeEndpoint.Behaviour twice =
        r -> calls.incrementAndGet() < 3 ? Answer.of(status, "{}") : vectors(r);
    try (FakeEndpoint endpoint = new FakeEndpoint(twice);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(embedder.embed(List.of("one")).getFirst().vector()).isEqualTo(vectorOf("one"));
      assertThat(endpoint.requests()).hasSize(3);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"3600", "Thu, 22 Jan 2026 12:00:00 GMT", "-1", "soon", ""})
  void retryAfterIsHonouredUpToTheBound(String retryAfter) throws Exception {
    AtomicInteger calls = new AtomicInteger();
    FakeEndpoint.Behaviour once =
        r ->
            calls.incrementAndGet() == 1
                ? Answer.of(429, "{}").with("Retry-After", retryAfter)
                : vectors(r);
    try (FakeEndpoint endpoint = new FakeEndpoint(once);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(embedder.embed(List.of("one"))).hasSize(1);
    }
  }

  @Test
  void triesAreBounded() throws Exception {
    FakeEndpoint.Behaviour down =
        r -> Answer.of(503, "{\"error\":{\"type\":\"overloaded_error\"}}");
    try (FakeEndpoint endpoint = new FakeEndpoint(down);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      StoreException failure = failure(embedder, TEXT);
      assertThat(failure.code()).isEqualTo(ErrorCode.EMBEDDING_FAILED);
      assertThat(failure)
          .hasMessageContaining(endpoint.url() + " (model m)")
          .hasMessageContaining("expected status 200, found 503 (overloaded_error), after 3 tries");
      assertThat(endpoint.requests()).hasSize(3);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 403, 404, 418})
  void refusalsAreNotTriedAgainAndRepeatNothing(int status) throws Exception {
    String echo =
        "{\"detail\":\"%s\",\"error\":{\"message\":\"%s %s\",\"code\":\"%s\"}}"
            .formatted(TEXT, TEXT, TOKEN, TOKEN);
    try (FakeEndpoint endpoint = new FakeEndpoint(r -> Answer.of(status, echo));
        OpenAiEmbedder embedder = embedder(endpoint)) {
      StoreException failure = failure(embedder, TEXT);
      assertThat(failure.code()).isEqualTo(ErrorCode.EMBEDDING_FAILED);
      assertThat(failure).hasMessageContaining("found " + status).hasMessageContaining("; check ");
      assertThat(failure.getMessage()).doesNotContain(TEXT).doesNotContain(TOKEN);
      assertThat(endpoint.requests()).hasSize(1);
    }
  }

  @Test
  void redirectsAreNotFollowed() throws Exception {
    try (FakeEndpoint other = new FakeEndpoint(FakeEndpoint::vectors);
        FakeEndpoint endpoint =
            new FakeEndpoint(r -> Answer.of(307, "").with("Location", other.url()));
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(failure(embedder, "one")).hasMessageContaining("redirects are not followed");
      assertThat(other.requests()).isEmpty();
    }
  }

  @Test
  void anEndpointThatIsNotThereIsNamed() throws Exception {
    String url;
    try (FakeEndpoint gone = new FakeEndpoint(FakeEndpoint::vectors)) {
      url = gone.url();
    }
    try (OpenAiEmbedder embedder = embedder(url, limits(Duration.ofSeconds(30)))) {
      assertThat(failure(embedder, "one"))
          .hasMessageContaining(url)
          .hasMessageContaining("no connection")
          .hasMessageContaining("after 3 tries");
    }
  }

  @Test
  void silenceEndsInATimeout() throws Exception {
    FakeEndpoint[] self = new FakeEndpoint[1];
    FakeEndpoint.Behaviour silent =
        r -> {
          self[0].neverAnswer();
          return vectors(r);
        };
    try (FakeEndpoint endpoint = new FakeEndpoint(silent);
        OpenAiEmbedder embedder = embedder(endpoint.url(), limits(Duration.ofMillis(50)))) {
      self[0] = endpoint;
      assertThat(failure(embedder, "one"))
          .hasMessageContaining("no whole answer within PT0.05S, after 3 tries");
    }
  }

  @Test
  void anAnswerThatStopsHalfwayEndsInATimeout() throws Exception {
    FakeEndpoint.Behaviour half = r -> new Answer(200, Map.of(), "{\"data\":[", 1_000);
    try (FakeEndpoint endpoint = new FakeEndpoint(half);
        OpenAiEmbedder embedder = embedder(endpoint.url(), limits(Duration.ofMillis(50)))) {
      assertThat(failure(embedder, "one")).hasMessageContaining("no whole answer within");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "garbage",
        "[]",
        "{}",
        "{\"data\":{}}",
        "{\"data\":[]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":2,\"embedding\":[1]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":-1,\"embedding\":[1]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"embedding\":[1]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[1,2]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[0,0]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[NaN]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[\"NaN\"]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[null]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[1e39]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[1e999]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":\"AACAPw==\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[1]}]} x",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[1]}],\"data\":[]}",
      })
  void anAnswerThatCannotBeTrustedIsRefused(String body) throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(r -> Answer.of(200, body));
        OpenAiEmbedder embedder = embedder(endpoint)) {
      StoreException failure = failure(embedder, "one", "two");
      assertThat(failure.code()).isEqualTo(ErrorCode.EMBEDDING_FAILED);
      assertThat(failure).hasMessageContaining("found");
      assertThat(endpoint.requests()).hasSize(1);
    }
  }

  @Test
  void aChangeOfDimensionIsRefused() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    FakeEndpoint.Behaviour changing =
        r -> data(List.of(item(0, calls.incrementAndGet() == 1 ? "[1,2]" : "[1,2,3]")));
    try (FakeEndpoint endpoint = new FakeEndpoint(changing);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(embedder.embed(List.of("one"))).hasSize(1);
      assertThat(failure(embedder, "one"))
          .hasMessageContaining("expected vectors of 2 dimensions as before, found 3");
      assertThat(embedder.dimension()).isEqualTo(2);
    }
  }

  @Test
  void anAnswerThatIsTooLargeIsNotRead() throws Exception {
    FakeEndpoint.Behaviour large = r -> Answer.of(200, " ".repeat(100_001));
    try (FakeEndpoint endpoint = new FakeEndpoint(large);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(failure(embedder, "one")).hasMessageContaining("at most 100,000 bytes");
      assertThat(endpoint.requests()).hasSize(1);
    }
  }

  @Test
  void oneFailedCallFailsAll() throws Exception {
    FakeEndpoint.Behaviour picky =
        r -> r.inputs().contains("text 40") ? Answer.of(400, "{}") : vectors(r);
    try (FakeEndpoint endpoint = new FakeEndpoint(picky);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      String[] texts = IntStream.range(0, 100).mapToObj(i -> "text " + i).toArray(String[]::new);
      assertThat(failure(embedder, texts)).hasMessageContaining("found 400");
    }
  }

  @Test
  void blankAndTooManyTextsAreRefusedBeforeAnyCall() throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint::vectors);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      StoreException blank = failure(embedder, "one", " \n\t");
      assertThat(blank.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
      assertThat(blank).hasMessageContaining("index 1");
      String[] many = IntStream.range(0, 1_001).mapToObj(i -> "text " + i).toArray(String[]::new);
      assertThat(failure(embedder, many).code()).isEqualTo(ErrorCode.TOO_LARGE);
      assertThat(endpoint.requests()).isEmpty();
    }
  }

  @Test
  void anInterruptedCallEndsAndKeepsTheFlag() throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint::vectors);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      Thread.currentThread().interrupt();
      assertThat(failure(embedder, "one").code()).isEqualTo(ErrorCode.EMBEDDING_FAILED);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 200})
  void closingEndsTheCallUnderWay(int texts) throws Exception {
    FakeEndpoint[] self = new FakeEndpoint[1];
    CountDownLatch asked = new CountDownLatch(1);
    FakeEndpoint.Behaviour silent =
        r -> {
          asked.countDown();
          self[0].neverAnswer();
          return vectors(r);
        };
    try (FakeEndpoint endpoint = new FakeEndpoint(silent);
        ExecutorService caller = Executors.newFixedThreadPool(1)) {
      self[0] = endpoint;
      OpenAiEmbedder embedder = embedder(endpoint);
      Future<StoreException> call =
          caller.submit(
              () -> failure(embedder, Collections.nCopies(texts, "a").toArray(String[]::new)));
      asked.await();
      embedder.close();
      assertThat(call.get().code()).isEqualTo(ErrorCode.CLOSED);
    }
  }

  @Test
  void aClosedEmbedderSaysSo() throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint::vectors)) {
      OpenAiEmbedder embedder = embedder(endpoint);
      embedder.close();
      embedder.close();
      assertThat(failure(embedder, "one").code()).isEqualTo(ErrorCode.CLOSED);
    }
  }
}
