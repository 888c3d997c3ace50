package dev.contextd.server;

import dev.contextd.engine.Embedder;
import dev.contextd.engine.StoreOptions;
import dev.contextd.resilience.remote.RemoteLink;
import dev.contextd.server.settings.Settings;
import dev.contextd.storage.checkpoint.KeeperOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** How the settings say that the store is opened. */
final class ConfiguredStore {
  private ConfiguredStore() {}

  static StoreOptions of(Settings settings, Optional<Embedder> embedder) {
    StoreOptions options =
        StoreOptions.defaults()
            .withCompression(settings.compress())
            .withProvenNames(settings.recoversNames())
            .withKeeper(
                KeeperOptions.defaults()
                    .withRetention(settings.trashRetention())
                    .withOutbox(settings.fallback().isPresent() && !settings.isRemoteAlone()));
    return embedder.map(options::withEmbedder).orElse(options);
  }

  /**
   * Refuses a store in which writes wait for a remote store in the way that the settings do not
   * say.
   *
   * @throws StartException naming what to do
   */
  static void requireNothingStranded(Settings settings, Path root, StoreOptions options)
      throws StartException {
    try {
      Optional<String> stranded =
          RemoteLink.strandedWrites(root, options, settings.isRemoteAlone());
      if (stranded.isPresent()) {
        throw new StartException(stranded.get());
      }
    } catch (IOException e) {
      throw new StartException(
          "what waits in %s cannot be read: %s".formatted(root, e.getMessage()));
    }
  }
}
