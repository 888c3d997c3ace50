package dev.contextd.server;

import dev.contextd.engine.Embedder;
import dev.contextd.engine.StoreOptions;
import dev.contextd.server.settings.Settings;
import dev.contextd.storage.checkpoint.KeeperOptions;
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
                    .withOutbox(settings.remote().flatMap(Settings.Remote::fallback).isPresent()));
    return embedder.map(options::withEmbedder).orElse(options);
  }
}
