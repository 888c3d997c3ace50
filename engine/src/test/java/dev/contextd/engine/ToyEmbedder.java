package dev.contextd.engine;

import dev.contextd.engine.search.Vectors;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The embedder with which the fixtures of chromem-go were written, found by solving their vectors:
 * byte {@code c} at index {@code i} adds {@code c % 13 + 1} to place {@code (c + 7 i) % 8}; then
 * the vector is made unit length.
 *
 * <p>Reads at most {@link #MAX_BYTES} of a text, and fails for a text that contains {@link
 * #POISON}.
 */
final class ToyEmbedder implements Embedder {
  static final int DIMENSION = 8;
  static final int MAX_BYTES = 100;
  static final String POISON = "poison";

  private final String model;
  final AtomicInteger calls = new AtomicInteger();

  ToyEmbedder(String model) {
    this.model = model;
  }

  static float[] vector(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    float[] sums = new float[DIMENSION];
    for (int i = 0; i < Math.min(bytes.length, MAX_BYTES); i++) {
      int c = bytes[i] & 0xff;
      sums[(c + 7 * i) % DIMENSION] += c % 13 + 1;
    }
    return Vectors.scaled(sums, Vectors.norm(sums));
  }

  @Override
  public String model() {
    return model;
  }

  @Override
  public int dimension() {
    return DIMENSION;
  }

  @Override
  public OptionalInt knownDimension() {
    return OptionalInt.of(DIMENSION);
  }

  @Override
  public List<EmbeddedText> embed(List<String> texts) {
    calls.incrementAndGet();
    if (texts.stream().anyMatch(text -> text.contains(POISON))) {
      throw new StoreException(ErrorCode.EMBEDDING_FAILED, "the toy model choked");
    }
    return texts.stream()
        .map(text ->
            new EmbeddedText(
                vector(text), text.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES))
        .toList();
  }

  @Override
  public void close() {}
}
