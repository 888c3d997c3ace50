package dev.contextd.cli;

import dev.contextd.engine.StoreOwner;
import dev.contextd.server.LocalService;
import dev.contextd.server.StartException;
import dev.contextd.server.settings.Settings;
import dev.contextd.server.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The store that a command works on: through the daemon that has it open, or in this process where
 * none has.
 *
 * @param how which of the two it is, in a few words
 * @param opened what opening it came to, a line each; empty where a daemon has it open
 * @param isOnlyLookedAt whether no byte of it can change
 */
record Target(
    Calls calls,
    String how,
    List<String> opened,
    Optional<LocalService> local,
    boolean isOnlyLookedAt)
    implements AutoCloseable {

  /**
   * Finds the store and whoever has it open.
   *
   * @param isChanging whether the command changes anything: else a store that no daemon has open is
   *     only looked at
   */
  static Target open(Ctxd options, boolean isChanging) {
    Settings settings = settings(options);
    if (options.url != null) {
      return new Target(
          new Calls(options.url.replaceAll("/+$", ""), settings.token()),
          "daemon at " + options.url,
          List.of(),
          Optional.empty(),
          false);
    }
    Path root = settings.vectorstorePath();
    Optional<StoreOwner> owner = owner(root);
    if (owner.isPresent()) {
      return ofDaemon(root, owner.get(), settings.token());
    }
    if (!Files.isDirectory(root)) {
      throw new CliException(
          "there is no store in %s; --path names another folder".formatted(root));
    }
    try {
      LocalService service =
          LocalService.open(
              settings, isChanging ? LocalService.Access.CHANGE : LocalService.Access.LOOK);
      return new Target(
          new Calls(service.address(), Optional.of(service.token())),
          "no daemon runs: %s is %s"
              .formatted(root, isChanging ? "opened by this command" : "looked at, not changed"),
          isChanging ? service.opened().subList(1, service.opened().size()) : List.of(),
          Optional.of(service),
          !isChanging);
    } catch (StartException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    }
  }

  /** The store's folder, where nothing is there yet. */
  static Optional<Path> missing(Ctxd options) {
    Path root = settings(options).vectorstorePath();
    return options.url == null && !Files.exists(root) ? Optional.of(root) : Optional.empty();
  }

  /**
   * A fresh store in a folder that is not there yet, with the backups of the store that the options
   * name.
   */
  static Target into(Ctxd options, Path folder) {
    Settings settings = settings(options);
    try (Stream<Path> files = Files.exists(folder) ? Files.list(folder) : Stream.of()) {
      if (files.findAny().isPresent()) {
        throw new CliException(folder + " is not empty; choose another folder");
      }
      LocalService service = LocalService.open(settings, folder, LocalService.Access.CHANGE);
      return new Target(
          new Calls(service.address(), Optional.of(service.token())),
          "a fresh store in " + folder,
          List.of(),
          Optional.of(service),
          false);
    } catch (StartException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new CliException(folder + " cannot be looked into: " + e);
    }
  }

  private static Target ofDaemon(Path root, StoreOwner owner, Optional<String> token) {
    if (owner.address().isEmpty()) {
      throw new CliException(
          "the store %s is open in process %s, which listens nowhere; stop it first"
              .formatted(root, owner.pid()));
    }
    return new Target(
        new Calls(owner.address(), token),
        "daemon at %s, process %s".formatted(owner.address(), owner.pid()),
        List.of(),
        Optional.empty(),
        false);
  }

  private static Optional<StoreOwner> owner(Path root) {
    try {
      return StoreOwner.of(root);
    } catch (IOException e) {
      return Optional.empty(); // A folder that cannot be written is looked at without its lock.
    }
  }

  private static Settings settings(Ctxd options) {
    Settings.Flags flags =
        new Settings.Flags(
            Optional.empty(),
            Optional.empty(),
            true,
            Optional.ofNullable(options.path),
            Optional.ofNullable(options.config));
    try {
      return Settings.load(flags, Map.copyOf(System.getenv()));
    } catch (SettingsException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public void close() {
    local.ifPresent(LocalService::close);
    local
        .flatMap(LocalService::closeFailure)
        .ifPresent(why -> {
          throw new CliException(
              "what was done is in the journal, which could not be emptied: " + why);
        });
  }
}
