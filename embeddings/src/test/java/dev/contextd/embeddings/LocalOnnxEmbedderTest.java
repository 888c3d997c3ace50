package dev.contextd.embeddings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.contextd.engine.EmbeddedText;
import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.StoreException;
import dev.langchain4j.model.embedding.onnx.bgesmallenv15q.BgeSmallEnV15QuantizedEmbeddingModel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The real model, really run. */
class LocalOnnxEmbedderTest {

  private static LocalOnnxEmbedder embedder;

  @BeforeAll
  static void open() {
    embedder = new LocalOnnxEmbedder();
  }

  @AfterAll
  static void close() {
    embedder.close();
  }

  private static float[] vector(String text) {
    return embedder.embed(List.of(text)).getFirst().vector();
  }

  private static double cosine(float[] a, float[] b) {
    double product = 0;
    double squaresA = 0;
    double squaresB = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
      squaresA += (double) a[i] * a[i];
      squaresB += (double) b[i] * b[i];
    }
    return product / Math.sqrt(squaresA * squaresB);
  }

  private static StoreException failure(String... texts) {
    return assertThatExceptionOfType(StoreException.class)
        .isThrownBy(() -> embedder.embed(List.of(texts)))
        .actual();
  }

  @Test
  void vectorsAreOfUnitLengthAndAlwaysTheSame() {
    float[] vector = vector("The daemon always starts.");
    assertThat(vector).hasSize(384).hasSize(embedder.dimension());
    assertThat(Vectors.isUsable(vector)).isTrue();
    assertThat(cosine(vector, vector)).isCloseTo(1, within(1e-6));
    double squares = IntStream.range(0, 384).mapToDouble(i -> vector[i] * vector[i]).sum();
    assertThat(squares).isCloseTo(1, within(1e-5));
    assertThat(vector("The daemon always starts.")).isEqualTo(vector);
  }

  @Test
  void aTextsVectorDoesNotDependOnItsNeighbours() {
    List<EmbeddedText> together =
        embedder.embed(List.of("short", "a longer text beside it, about gardening", "short"));
    assertThat(together.get(0).vector())
        .isEqualTo(vector("short"))
        .isEqualTo(together.get(2).vector());
  }

  @Test
  void similarTextsAreNearerThanDifferentOnes() {
    float[] question = vector("How do I restore a lost database file?");
    double similar = cosine(question, vector("Recovering a missing file of the database"));
    double different = cosine(question, vector("The recipe needs two eggs and some flour"));
    assertThat(similar).isGreaterThan(different + 0.1);
  }

  @Test
  void vectorsAreThoseOfTheModelsOwnEncoder() {
    var reference = new BgeSmallEnV15QuantizedEmbeddingModel();
    for (String text :
        List.of(
            "hello world",
            "It's a don't-do-it test, isn't it? C++ & foo_bar(x);",
            "na\u00efve caf\u00e9 \u65e5\u672c\u8a9e \uD83C\uDF89 x",
            "def f(self, x):\n\treturn self.x ## comment",
            "[SEP] and [MASK] inside",
            "cat house tree ".repeat(170),
            "cat house tree ".repeat(900))) {
      float[] expected = reference.embed(text).content().vector();
      assertThat(cosine(vector(text), expected)).as(text).isGreaterThan(0.999);
    }
  }

  @Test
  void onlyTextBeyondTheLimitIsTruncated() {
    String exactly = "cat house tree ".repeat(170);
    List<EmbeddedText> embedded =
        embedder.embed(List.of(exactly, exactly + "zebra", exactly + "zebra ".repeat(5_000), "x"));
    assertThat(embedded)
        .extracting(EmbeddedText::truncated)
        .containsExactly(false, true, true, false);
    assertThat(embedded.get(1).vector()).isEqualTo(embedded.get(0).vector());
    assertThat(embedded.get(2).vector()).isEqualTo(embedded.get(0).vector());
  }

  @Test
  void manyThreadsGetWhatOneGets() throws Exception {
    List<String> texts =
        IntStream.range(0, 40).mapToObj(i -> "text " + i + " about topic " + i % 7).toList();
    List<float[]> alone = texts.stream().map(LocalOnnxEmbedderTest::vector).toList();
    try (ExecutorService callers = Executors.newFixedThreadPool(8)) {
      List<Future<List<EmbeddedText>>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        calls.add(callers.submit(() -> embedder.embed(texts)));
      }
      for (Future<List<EmbeddedText>> call : calls) {
        assertThat(call.get()).extracting(EmbeddedText::vector).containsExactlyElementsOf(alone);
      }
    }
  }

  @Test
  void manyThreadsLoadTheModelOnce() throws Exception {
    try (LocalOnnxEmbedder fresh = new LocalOnnxEmbedder(2);
        ExecutorService callers = Executors.newFixedThreadPool(8)) {
      List<Future<List<EmbeddedText>>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        calls.add(callers.submit(() -> fresh.embed(List.of("one"))));
      }
      for (Future<List<EmbeddedText>> call : calls) {
        assertThat(call.get().getFirst().vector()).isEqualTo(vector("one"));
      }
    }
  }

  @Test
  void blankTextIsRefusedWithItsIndex() {
    for (String blank : List.of("", " \n\t", "\u00a0\u3000", "\u0000\u200b", "\u0301")) {
      StoreException failure = failure("one", "two", blank);
      assertThat(failure.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
      assertThat(failure).hasMessageContaining("index 2");
    }
  }

  @Test
  void tooManyTextsAreRefused() {
    String[] many = IntStream.range(0, 1_001).mapToObj(i -> "text " + i).toArray(String[]::new);
    assertThat(failure(many).code()).isEqualTo(ErrorCode.TOO_LARGE);
  }

  @Test
  void noTextsAreNoWork() {
    try (LocalOnnxEmbedder fresh = new LocalOnnxEmbedder()) {
      assertThat(fresh.embed(List.of())).isEmpty();
    }
  }

  @Test
  void anInterruptedCallEndsAndKeepsTheFlag() {
    vector("loaded");
    Thread.currentThread().interrupt();
    assertThat(failure("one").code()).isEqualTo(ErrorCode.EMBEDDING_FAILED);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void closingUnderWorkEndsTheCallAndNotTheProcess() throws Exception {
    LocalOnnxEmbedder fresh = new LocalOnnxEmbedder();
    fresh.embed(List.of("loaded"));
    CountDownLatch begun = new CountDownLatch(1);
    try (ExecutorService callers = Executors.newFixedThreadPool(1)) {
      Future<?> call =
          callers.submit(() -> {
            begun.countDown();
            assertThatExceptionOfType(StoreException.class)
                .isThrownBy(() -> {
                  while (true) {
                    fresh.embed(List.of("one", "two", "three", "four"));
                  }
                })
                .matches(closed -> closed.code() == ErrorCode.CLOSED);
          });
      begun.await();
      fresh.close();
      call.get();
    }
    fresh.close();
    assertThatExceptionOfType(StoreException.class)
        .isThrownBy(() -> fresh.embed(List.of("one")))
        .matches(closed -> closed.code() == ErrorCode.CLOSED);
  }

  @Test
  void anEmbedderClosedBeforeItsFirstUseLoadsNothing() {
    LocalOnnxEmbedder fresh = new LocalOnnxEmbedder();
    fresh.close();
    assertThatExceptionOfType(StoreException.class)
        .isThrownBy(() -> fresh.embed(List.of("one")))
        .matches(closed -> closed.code() == ErrorCode.CLOSED);
  }

  @Test
  void loadingLeavesTheProcessesPropertiesAlone() {
    vector("loaded");
    assertThat(System.getProperty("ai.djl.offline")).isNull();
  }
}
