package dev.contextd.embeddings;

import static dev.contextd.embeddings.FakeEndpoint.Answer;
import static dev.contextd.embeddings.FakeEndpoint.vectorOf;
import static dev.contextd.embeddings.FakeEndpoint.vectors;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.StoreException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Texts beyond the model's limit, refused in the words of each endpoint. One character a token. */
class OpenAiEmbedderTooLongTest {

  private static final int LIMIT = 512;

  private static OpenAiEmbedder embedder(FakeEndpoint endpoint) {
    return OpenAiEmbedderTest.embedder(
        endpoint.url(), OpenAiEmbedderTest.limits(Duration.ofSeconds(30)));
  }

  /** Answers vectors, or {@code status} and {@code message} where an input is too long. */
  private static FakeEndpoint.Behaviour refusing(int status, String message) {
    return request -> {
      int longest = request.inputs().stream().mapToInt(String::length).max().orElse(0);
      return longest <= LIMIT
          ? vectors(request)
          : Answer.of(status, message.replace("LIMIT", "" + LIMIT).replace("GIVEN", "" + longest));
    };
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "413 | {\"error\":\"Input validation error: `inputs` must have less than LIMIT tokens. Given: GIVEN\",\"error_type\":\"Validation\"}",
        "413 | {\"message\":\"Input validation error: `inputs` must have less than LIMIT tokens. Given: GIVEN\",\"code\":413,\"type\":\"Validation\"}",
        "400 | {\"error\":{\"message\":\"This model's maximum context length is LIMIT tokens, however you requested GIVEN tokens (GIVEN in your prompt; 0 for the completion). Please reduce your prompt.\",\"code\":null}}",
        "400 | {\"error\":{\"message\":\"Invalid 'input[3]': maximum input length is LIMIT tokens.\",\"code\":400}}",
        "400 | {\"object\":\"error\",\"message\":\"This model's maximum context length is LIMIT tokens. However, you requested GIVEN tokens in the input.\",\"code\":400}",
        "400 | {\"error\":{\"message\":\"the input length exceeds the context length\",\"type\":\"api_error\"}}",
        "400 | {\"error\":{\"code\":400,\"message\":\"the request exceeds the available context size\",\"type\":\"exceed_context_size_error\"}}",
        "500 | {\"error\":{\"code\":500,\"message\":\"input is too large to process. increase the physical batch size\"}}",
        "413 | <html><head><title>413 Request Entity Too Large</title></head></html>",
        "422 | {\"error\":\"prompt is too long: GIVEN tokens\"}",
      })
  void aLongTextIsEmbeddedFromItsFirstPart(int status, String message) throws Exception {
    String text = "abcdefghij".repeat(300);
    try (FakeEndpoint endpoint = new FakeEndpoint(refusing(status, message));
        OpenAiEmbedder embedder = embedder(endpoint)) {
      EmbeddedText embedded = embedder.embed(List.of(text)).getFirst();
      String part = endpoint.requests().getLast().inputs().getFirst();
      assertThat(embedded.truncated()).isTrue();
      assertThat(embedded.vector()).isEqualTo(vectorOf(part));
      assertThat(text).startsWith(part);
      assertThat(part.length()).isBetween(LIMIT / 3, LIMIT);
    }
  }

  @Test
  void onlyTheLongTextsOfABatchAreTruncated() throws Exception {
    List<String> texts =
        new ArrayList<>(IntStream.range(0, 32).mapToObj(i -> "text " + i).toList());
    texts.set(0, "x".repeat(LIMIT));
    texts.set(5, "y".repeat(LIMIT + 1));
    texts.set(31, "z".repeat(9_000));
    FakeEndpoint.Behaviour tei =
        refusing(413, "{\"message\":\"must have less than LIMIT tokens. Given: GIVEN\"}");
    try (FakeEndpoint endpoint = new FakeEndpoint(tei);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      List<EmbeddedText> embedded = embedder.embed(texts);
      for (int i = 0; i < texts.size(); i++) {
        boolean tooLong = i == 5 || i == 31;
        assertThat(embedded.get(i).truncated()).as("text %d", i).isEqualTo(tooLong);
        if (!tooLong) {
          assertThat(embedded.get(i).vector()).isEqualTo(vectorOf(texts.get(i)));
        }
      }
    }
  }

  @Test
  void aBatchThatTheEndpointFindsTooLargeIsSplit() throws Exception {
    FakeEndpoint.Behaviour small =
        r ->
            r.inputs().size() <= 4
                ? vectors(r)
                : Answer.of(422, "{\"message\":\"batch size 9 > maximum allowed batch size 4\"}");
    List<String> texts = IntStream.range(0, 32).mapToObj(i -> "text " + i).toList();
    try (FakeEndpoint endpoint = new FakeEndpoint(small);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(embedder.embed(texts))
          .allMatch(embedded -> !embedded.truncated())
          .extracting(EmbeddedText::vector)
          .containsExactlyElementsOf(texts.stream().map(FakeEndpoint::vectorOf).toList());
    }
  }

  @Test
  void surrogatePairsAreNeverSplit() throws Exception {
    String text = "x" + "\uD83C\uDF89".repeat(2_000);
    FakeEndpoint.Behaviour ollama = refusing(400, "{\"error\":\"exceeds the context length\"}");
    try (FakeEndpoint endpoint = new FakeEndpoint(ollama);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThat(embedder.embed(List.of(text)).getFirst().truncated()).isTrue();
      assertThat(endpoint.requests())
          .allSatisfy(request -> {
            String part = request.inputs().getFirst();
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            assertThat(new String(bytes, StandardCharsets.UTF_8)).isEqualTo(part);
            assertThat(text).startsWith(part);
          });
    }
  }

  @Test
  void aTextBeyondAnyModelIsNotEvenSent() throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint::vectors);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      String blanks = " ".repeat(20_000);
      List<EmbeddedText> embedded =
          embedder.embed(List.of("a".repeat(10_000), "a".repeat(10_001), blanks + "b" + blanks));
      assertThat(embedded).extracting(EmbeddedText::truncated).containsExactly(false, true, false);
      assertThat(endpoint.requests().getFirst().inputs())
          .containsExactly("a".repeat(10_000), "a".repeat(10_000), "b");
    }
  }

  @Test
  void aRefusalForAnotherReasonDoesNotShorten() throws Exception {
    String other = "{\"error\":\"`inputs` cannot be empty\",\"error_type\":\"Validation\"}";
    try (FakeEndpoint endpoint = new FakeEndpoint(r -> Answer.of(413, other));
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThatExceptionOfType(StoreException.class)
          .isThrownBy(() -> embedder.embed(List.of("a", "b")))
          .withMessageContaining("found 413 (Validation)");
      assertThat(endpoint.requests()).hasSize(1);
    }
  }

  @Test
  void shorteningEnds() throws Exception {
    FakeEndpoint.Behaviour never = r -> Answer.of(400, "{\"error\":\"input is too long\"}");
    try (FakeEndpoint endpoint = new FakeEndpoint(never);
        OpenAiEmbedder embedder = embedder(endpoint)) {
      assertThatExceptionOfType(StoreException.class)
          .isThrownBy(() -> embedder.embed(List.of("a".repeat(10_000))))
          .withMessageContaining("refused as too long");
      assertThat(endpoint.requests()).hasSizeLessThanOrEqualTo(21);
    }
  }
}
