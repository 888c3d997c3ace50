package dev.contextd.engine;

import java.util.List;
import java.util.OptionalInt;

/**
 * A model that turns text into vectors. Implementations are safe for many threads and may load the
 * model on first use.
 */
public interface Embedder extends AutoCloseable {

  /** The model's name as it is recorded for a collection, for example {@code bge-small-en-v1.5}. */
  String model();

  /**
   * The length of this model's vectors. May load the model or ask the endpoint the first time.
   *
   * @throws StoreException {@link ErrorCode#EMBEDDING_FAILED} where the model cannot be asked
   */
  int dimension();

  /** The length of this model's vectors where it is known without asking anyone. */
  default OptionalInt knownDimension() {
    return OptionalInt.empty();
  }

  /**
   * Embeds each text, in order.
   *
   * @param texts not blank, at most 1,000
   * @return as many vectors as texts, all of {@link #dimension()}
   * @throws StoreException {@link ErrorCode#INVALID_ARGUMENT} for a blank text, naming its index;
   *     {@link ErrorCode#EMBEDDING_FAILED} where the provider fails
   */
  List<EmbeddedText> embed(List<String> texts);

  @Override
  void close();
}
