package dev.contextd.embeddings;

import dev.contextd.engine.Embedder;

/** The way from settings to an embedder. */
public final class Embedders {

  private Embedders() {}

  /**
   * Creates the embedder that the settings name. Nothing is loaded and no endpoint is asked yet:
   * that happens at the first use.
   */
  public static Embedder create(EmbeddingSettings settings) {
    return switch (settings) {
      case EmbeddingSettings.LocalModel local -> new LocalOnnxEmbedder(local.parallelism());
      case EmbeddingSettings.Endpoint endpoint -> new OpenAiEmbedder(endpoint);
    };
  }
}
