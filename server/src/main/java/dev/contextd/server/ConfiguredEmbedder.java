package dev.contextd.server;

import dev.contextd.embeddings.Embedders;
import dev.contextd.embeddings.EmbeddingSettings;
import dev.contextd.embeddings.LocalOnnxEmbedder;
import dev.contextd.engine.Embedder;
import dev.contextd.engine.StoreException;
import dev.contextd.server.settings.Settings;
import java.util.Optional;

/** The embedder that the settings name. */
final class ConfiguredEmbedder {
  private ConfiguredEmbedder() {}

  static Optional<Embedder> of(Settings settings) throws StartException {
    try {
      return switch (settings.embeddingsProvider()) {
        case "none" -> Optional.empty();
        case "fastembed" -> {
          if (!settings.embeddingsModel().equals(LocalOnnxEmbedder.MODEL)) {
            throw new StartException(
                "embeddings.model: the local provider has "
                    + LocalOnnxEmbedder.MODEL
                    + " only, found "
                    + settings.embeddingsModel()
                    + "; use that, or another embeddings.provider");
          }
          yield Optional.of(Embedders.create(EmbeddingSettings.LocalModel.onAllCores()));
        }
        default ->
            Optional.of(
                Embedders.create(
                    EmbeddingSettings.Endpoint.of(
                        settings.embeddingsBaseUrl(),
                        settings.embeddingsModel(),
                        settings.embeddingsToken())));
      };
    } catch (StoreException e) {
      throw new StartException("embeddings: " + e.getMessage());
    }
  }
}
