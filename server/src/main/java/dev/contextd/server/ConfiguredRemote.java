package dev.contextd.server;

import dev.contextd.engine.Embedder;
import dev.contextd.engine.RemoteStore;
import dev.contextd.qdrant.QdrantOptions;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.resilience.remote.ReadFrom;
import dev.contextd.resilience.remote.RemoteOptions;
import dev.contextd.server.settings.Settings;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;

/** The remote store that the settings name. */
final class ConfiguredRemote {
  private ConfiguredRemote() {}

  /**
   * Prepares the connection; nobody is called yet.
   *
   * @throws StartException where its certificates cannot be read
   */
  static Optional<RemoteStore> of(Settings settings, Optional<Embedder> embedder)
      throws StartException {
    if (settings.remote().isEmpty()) {
      return Optional.empty();
    }
    Settings.Remote remote = settings.remote().get();
    QdrantOptions options =
        new QdrantOptions(
            remote.host(),
            remote.port(),
            remote.tls(),
            remote.caFile(),
            remote.apiKey(),
            remote.timeout(),
            remote.maxMessageBytes(),
            remote.vectorSize());
    try {
      return Optional.of(QdrantStore.open(options, embedder));
    } catch (IOException | IllegalArgumentException e) {
      throw new StartException(
          "the connection to the Qdrant server %s cannot be prepared: %s; check qdrant.ca_file"
              .formatted(options, e.getMessage()));
    }
  }

  static RemoteOptions options(Settings.Fallback fallback) {
    return RemoteOptions.defaults()
        .withCheckInterval(fallback.checkInterval())
        .withBounds(fallback.maxWaitingBytes(), fallback.maxWaitingAge())
        .withSyncOnConnect(fallback.syncOnConnect())
        .withReadFrom(ReadFrom.valueOf(fallback.read().toUpperCase(Locale.ROOT)));
  }
}
