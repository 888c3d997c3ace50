package dev.contextd.server;

import dev.contextd.server.settings.Settings;
import dev.contextd.server.settings.SettingsException;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program {@code contextd}. */
@Command(
    name = "contextd",
    description = {
      "Serves a contextd or chromem-go vector store over HTTP.",
      "",
      "Damaged files are moved to .quarantine/ in the store's folder and never deleted; everything"
          + " else is served."
    },
    sortOptions = false,
    mixinStandardHelpOptions = false,
    versionProvider = Main.VersionProvider.class,
    footerHeading =
        "%nSettings come from these flags, then the environment, then config.yaml, then defaults.%n",
    footer = {
      "Environment: VECTORSTORE_PATH, EMBEDDING_PROVIDER, EMBEDDING_BASE_URL, EMBEDDINGS_MODEL,",
      "SERVER_HTTP_PORT, CONTEXTD_TOKEN, LOG_LEVEL (debug, info, warn, error).",
      "Exit codes: 0 fine, 1 the work could not be done, 2 wrong usage or a wrong setting."
    })
public final class Main implements Callable<Integer> {
  /** Wrong usage or a wrong setting. */
  static final int EXIT_USAGE = 2;

  @Option(
      names = {"--http-host", "-http-host"},
      paramLabel = "HOST",
      description = "Listen on this host (localhost). Others than loopback need a token.")
  private @Nullable String httpHost;

  @Option(
      names = {"--http-port", "-http-port"},
      paramLabel = "PORT",
      description = "Listen on this port (9090); 0 takes a free one.")
  private @Nullable String httpPort;

  @Option(
      names = {"--no-http", "-no-http"},
      description = "Open the store and serve no HTTP.")
  private boolean noHttp;

  @Option(
      names = {"--vectorstore-path", "-vectorstore-path"},
      paramLabel = "FOLDER",
      description = "The store's folder (~/.config/contextd/vectorstore); created when missing.")
  private @Nullable String vectorstorePath;

  @Option(
      names = {"--config", "-config"},
      paramLabel = "FILE",
      description = "The configuration file (~/.config/contextd/config.yaml).")
  private @Nullable String config;

  @Option(
      names = {"--version", "-version"},
      versionHelp = true,
      description = "Print the version and exit.")
  @SuppressWarnings("UnusedVariable") // picocli sets it and acts on it
  private boolean version;

  @Option(
      names = {"-h", "--help", "-help"},
      usageHelp = true,
      description = "Print this help and exit.")
  @SuppressWarnings("UnusedVariable") // picocli sets it and acts on it
  private boolean help;

  /** Tells picocli the version. */
  static final class VersionProvider implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"contextd " + Version.CURRENT};
    }
  }

  public static void main(String[] args) {
    CommandLine line = new CommandLine(new Main());
    line.setParameterExceptionHandler((e, _) -> {
      System.err.println("contextd: " + e.getMessage() + "; contextd --help tells the flags");
      return EXIT_USAGE;
    });
    System.exit(line.execute(args));
  }

  @Override
  public Integer call() {
    try {
      Settings.Flags flags =
          new Settings.Flags(
              Optional.ofNullable(httpHost),
              Optional.ofNullable(httpPort),
              noHttp,
              Optional.ofNullable(vectorstorePath),
              Optional.ofNullable(config));
      Settings settings = Settings.load(flags, System.getenv());
      Logging.setLevel(settings.logLevel());
      return Daemon.run(settings);
    } catch (SettingsException e) {
      System.err.println("contextd: " + e.getMessage());
      return EXIT_USAGE;
    }
  }
}
