package dev.contextd.server.settings;

import dev.contextd.qdrant.QdrantOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The daemon's settings, complete and checked.
 *
 * @param httpPort 0 for a free one
 * @param token that every call must bear; empty where none is asked for
 * @param tenantRequired whether a call without a tenant is refused
 * @param trashRetention how long what was deleted can be brought back
 * @param qdrant the server that is named, whether documents go to it or not
 * @param usesQdrant whether they do
 * @param passedOver sections and keys of the file that have no use here
 * @param source the configuration file that was read, where there was one
 */
public record Settings(
    String httpHost,
    int httpPort,
    boolean http,
    Duration shutdownTimeout,
    Optional<String> token,
    Path vectorstorePath,
    boolean compress,
    boolean tenantRequired,
    boolean recoversNames,
    Duration trashRetention,
    String embeddingsProvider,
    String embeddingsBaseUrl,
    String embeddingsModel,
    Optional<String> embeddingsToken,
    Health health,
    Backup backup,
    Remote qdrant,
    boolean usesQdrant,
    String logLevel,
    List<String> passedOver,
    Optional<Path> source) {

  private static final int MIN_TOKEN_CHARACTERS = 16;
  private static final int MAX_TOKEN_BYTES = 4_096;
  private static final String DEFAULT_FILE = "~/.config/contextd/config.yaml";

  /**
   * How the store's health is watched.
   *
   * @param maxAge how old a check may be that still answers
   * @param failOnCorruption whether damage found at the start ends it
   * @param failOnDegraded whether anything that degrades the store at the start ends it
   * @param scrubInterval zero for never
   * @param scrubRate bytes a second
   * @param webhook is told of transitions; empty for none
   */
  public record Health(
      Duration maxAge,
      boolean failOnCorruption,
      boolean failOnDegraded,
      Duration scanInterval,
      Duration scrubInterval,
      long scrubRate,
      Optional<URI> webhook) {}

  /**
   * How the store is backed up.
   *
   * @param path of the folder; empty for one beside the store's
   * @param interval zero for no backups of everything by the clock
   * @param keep how many backups of everything stay
   * @param keyFile of 32 bytes that encrypts them; empty for none
   */
  public record Backup(Optional<Path> path, Duration interval, int keep, Optional<Path> keyFile) {}

  /**
   * The Qdrant server that documents go to.
   *
   * @param fallback how the store here keeps everything for it; empty where it is called directly
   */
  public record Remote(QdrantOptions server, Optional<Fallback> fallback) {}

  /**
   * The store here in front of a remote one.
   *
   * @param mirror whether every document lies here too; else the remote store holds them alone
   * @param read which store answers reads: local, remote or merged
   * @param checkInterval of the remote store's health
   * @param maxWaitingBytes past which writes are refused
   * @param maxWaitingAge past which writes are refused
   * @param keepShipped how long what was shipped is kept, without a mirror
   */
  public record Fallback(
      boolean syncOnConnect,
      boolean mirror,
      String read,
      Duration checkInterval,
      long maxWaitingBytes,
      Duration maxWaitingAge,
      Duration keepShipped) {}

  /** Whether the remote store holds the documents alone, and what waits for it lies here. */
  public boolean isRemoteAlone() {
    return fallback().filter(found -> !found.mirror()).isPresent();
  }

  /** How the store here stands in front of a remote one; empty where it does not. */
  public Optional<Fallback> fallback() {
    return remote().flatMap(Remote::fallback);
  }

  /** What the command line said; null or empty where it was silent. */
  public record Flags(
      Optional<String> httpHost,
      Optional<String> httpPort,
      boolean noHttp,
      Optional<String> vectorstorePath,
      Optional<String> config) {}

  /**
   * Reads all sources.
   *
   * @throws SettingsException for a key that nobody knows, a value out of range, a file that cannot
   *     be read
   */
  public static Settings load(Flags flags, Map<String, String> environment)
      throws SettingsException {
    Path home = home(environment.getOrDefault("HOME", ""));
    Path file = expand(flags.config().orElse(DEFAULT_FILE), home);
    Optional<YamlFile> yaml = Optional.empty();
    if (Files.exists(file)) {
      yaml = Optional.of(YamlFile.read(file));
    } else if (flags.config().isPresent()) {
      throw new SettingsException("--config: there is no file " + file);
    }
    Values values = new Values(environment, yaml, file);
    values.flag(Key.SERVER_HTTP_HOST, "--http-host", flags.httpHost());
    values.flag(Key.SERVER_HTTP_PORT, "--http-port", flags.httpPort());
    values.flag(Key.VECTORSTORE_PATH, "--vectorstore-path", flags.vectorstorePath());
    return build(values.read(), flags, home, yaml.map(_ -> file), yaml);
  }

  private static Settings build(
      Map<Key, String> values,
      Flags flags,
      Path home,
      Optional<Path> source,
      Optional<YamlFile> yaml)
      throws SettingsException {
    Remote qdrant = qdrant(values, home);
    boolean usesQdrant = get(values, Key.VECTORSTORE_PROVIDER).equalsIgnoreCase("qdrant");
    if (usesQdrant && qdrant.fallback().isEmpty() && !isMirror(values)) {
      throw new SettingsException(
          "vectorstore.remote.mirror: false needs vectorstore.fallback.enabled: true; without a"
              + " fallback documents lie on the server alone in any case, and every call goes there");
    }
    Optional<String> token = token(values, home);
    String host = get(values, Key.SERVER_HTTP_HOST);
    if (!flags.noHttp()) {
      requireTokenBeyondLoopback(host, token);
    }
    String tokenFile = get(values, Key.EMBEDDINGS_TOKEN_FILE);
    return new Settings(
        host,
        Integer.parseInt(get(values, Key.SERVER_HTTP_PORT)),
        !flags.noHttp(),
        duration(values, Key.SERVER_SHUTDOWN_TIMEOUT),
        token,
        storePath(values, usesQdrant && qdrant.fallback().isPresent(), home),
        Boolean.parseBoolean(get(values, Key.VECTORSTORE_COMPRESS)),
        get(values, Key.VECTORSTORE_ISOLATION).equalsIgnoreCase("payload"),
        get(values, Key.VECTORSTORE_RECOVERY).equalsIgnoreCase("auto"),
        duration(values, Key.VECTORSTORE_TRASH_RETENTION),
        get(values, Key.EMBEDDINGS_PROVIDER).toLowerCase(Locale.ROOT),
        get(values, Key.EMBEDDINGS_BASE_URL),
        get(values, Key.EMBEDDINGS_MODEL),
        tokenFile.isEmpty()
            ? Optional.empty()
            : Optional.of(readToken("embeddings.token_file", expand(tokenFile, home))),
        health(values),
        backup(values, home),
        qdrant,
        usesQdrant,
        get(values, Key.LOG_LEVEL).toLowerCase(Locale.ROOT),
        yaml.map(YamlFile::passedOver).orElse(List.of()),
        source);
  }

  private static Path storePath(Map<Key, String> values, boolean isFallback, Path home)
      throws SettingsException {
    String local = get(values, Key.FALLBACK_LOCAL_PATH);
    return expand(isFallback && !local.isBlank() ? local : get(values, Key.VECTORSTORE_PATH), home);
  }

  private static Remote qdrant(Map<Key, String> values, Path home) throws SettingsException {
    String caFile = get(values, Key.QDRANT_CA_FILE);
    Optional<Fallback> fallback =
        Boolean.parseBoolean(get(values, Key.FALLBACK_ENABLED))
            ? Optional.of(
                new Fallback(
                    Boolean.parseBoolean(get(values, Key.FALLBACK_SYNC)),
                    isMirror(values),
                    read(values),
                    duration(values, Key.FALLBACK_INTERVAL),
                    Long.parseLong(get(values, Key.REMOTE_MAX_WAITING_BYTES)),
                    duration(values, Key.REMOTE_MAX_WAITING_AGE),
                    Duration.ofDays(Integer.parseInt(get(values, Key.FALLBACK_WAL_RETENTION)))))
            : Optional.empty();
    QdrantOptions server =
        new QdrantOptions(
            get(values, Key.QDRANT_HOST),
            Integer.parseInt(get(values, Key.QDRANT_PORT)),
            Boolean.parseBoolean(get(values, Key.QDRANT_TLS)),
            caFile.isEmpty() ? Optional.empty() : Optional.of(expand(caFile, home)),
            apiKey(values, home),
            duration(values, Key.QDRANT_TIMEOUT),
            Integer.parseInt(get(values, Key.QDRANT_MAX_MESSAGE_BYTES)),
            Integer.parseInt(get(values, Key.QDRANT_VECTOR_SIZE)));
    return new Remote(server, fallback);
  }

  private static boolean isMirror(Map<Key, String> values) {
    return Boolean.parseBoolean(get(values, Key.REMOTE_MIRROR));
  }

  private static String read(Map<Key, String> values) throws SettingsException {
    String read = get(values, Key.REMOTE_READ).toLowerCase(Locale.ROOT);
    if (isMirror(values)) {
      return read.isEmpty() ? "local" : read;
    }
    if (read.equals("local")) {
      throw new SettingsException(
          "vectorstore.remote.read: local needs vectorstore.remote.mirror: true; without a mirror"
              + " documents lie on the server alone, and merged or remote answers");
    }
    return read.isEmpty() ? "merged" : read;
  }

  private static Optional<String> apiKey(Map<Key, String> values, Path home)
      throws SettingsException {
    String file = get(values, Key.QDRANT_API_KEY_FILE);
    String direct = get(values, Key.QDRANT_API_KEY);
    if (!file.isEmpty() && !direct.isEmpty()) {
      throw new SettingsException("qdrant.api_key_file and QDRANT_API_KEY are both set; unset one");
    }
    return file.isEmpty()
        ? Optional.of(direct).filter(key -> !key.isEmpty())
        : Optional.of(readToken("qdrant.api_key_file", expand(file, home)));
  }

  private static Backup backup(Map<Key, String> values, Path home) throws SettingsException {
    String path = get(values, Key.BACKUP_PATH);
    String keyFile = get(values, Key.BACKUP_KEY_FILE);
    return new Backup(
        path.isEmpty() ? Optional.empty() : Optional.of(expand(path, home)),
        duration(values, Key.BACKUP_INTERVAL),
        Integer.parseInt(get(values, Key.BACKUP_KEEP)),
        keyFile.isEmpty() ? Optional.empty() : Optional.of(expand(keyFile, home)));
  }

  private static Health health(Map<Key, String> values) {
    String webhook = get(values, Key.HEALTH_WEBHOOK_URL);
    return new Health(
        duration(values, Key.HEALTH_MAX_AGE),
        Boolean.parseBoolean(get(values, Key.HEALTH_FAIL_ON_CORRUPTION)),
        Boolean.parseBoolean(get(values, Key.HEALTH_FAIL_ON_DEGRADED)),
        duration(values, Key.HEALTH_SCAN_INTERVAL),
        duration(values, Key.HEALTH_SCRUB_INTERVAL),
        Long.parseLong(get(values, Key.HEALTH_SCRUB_RATE)),
        webhook.isEmpty() ? Optional.empty() : Optional.of(URI.create(webhook)));
  }

  private static Duration duration(Map<Key, String> values, Key key) {
    return GoDuration.parse(get(values, key)).orElseThrow();
  }

  /** The values in the order of their sources; what is set twice in one source must agree. */
  private static final class Values {
    private final Map<String, String> environment;
    private final Optional<YamlFile> yaml;
    private final Path file;
    private final Map<Key, String> values = new EnumMap<>(Key.class);

    Values(Map<String, String> environment, Optional<YamlFile> yaml, Path file) {
      this.environment = environment;
      this.yaml = yaml;
      this.file = file;
    }

    void flag(Key key, String name, Optional<String> value) throws SettingsException {
      if (value.isPresent()) {
        values.put(key, checked(key, value.get(), name));
      }
    }

    Map<Key, String> read() throws SettingsException {
      for (Key key : Key.values()) {
        Optional<String> fromEnvironment = fromEnvironment(key);
        Optional<YamlFile.Value> fromFile = yaml.flatMap(found -> found.value(key));
        if (fromFile.isPresent()) {
          checked(
              key, fromFile.get().text(), file + ":" + fromFile.get().line() + ": " + key.path());
        }
        values.putIfAbsent(
            key,
            fromEnvironment
                .or(() -> fromFile.map(YamlFile.Value::text))
                .orElse(key.isUsed() ? key.defaultValue() : ""));
      }
      return values;
    }

    private Optional<String> fromEnvironment(Key key) throws SettingsException {
      Optional<String> found = Optional.empty();
      String first = "";
      for (String name : key.environment()) {
        String value = environment.getOrDefault(name, "");
        if (value.isEmpty()) {
          continue;
        }
        checked(key, value, name);
        if (found.isPresent() && !found.get().equals(value)) {
          throw new SettingsException(
              first + " and " + name + " mean the same setting and differ; unset one of them");
        }
        found = Optional.of(value);
        first = name;
      }
      return found;
    }

    private static String checked(Key key, String value, String where) throws SettingsException {
      Optional<String> expected = key.fault(value);
      if (expected.isPresent()) {
        String shown =
            key == Key.TOKEN || key == Key.QDRANT_API_KEY ? "something else" : "\"" + value + "\"";
        throw new SettingsException(
            "%s: expected %s, found %s".formatted(where, expected.get(), shown));
      }
      return value;
    }
  }

  /** The Qdrant server that documents go to; empty where they lie here alone. */
  public Optional<Remote> remote() {
    return usesQdrant ? Optional.of(qdrant) : Optional.empty();
  }

  /** Whether only this machine can reach the host. */
  public boolean isLoopback() {
    return isLoopback(httpHost);
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private static void requireTokenBeyondLoopback(String host, Optional<String> token)
      throws SettingsException {
    try {
      boolean loopback = InetAddress.getByName(host).isLoopbackAddress();
      if (host.isEmpty() || (!loopback && token.isEmpty())) {
        throw new SettingsException(
            "server.http_host: \""
                + host
                + "\" can be reached from other machines, which needs a token; set"
                + " server.token_file or CONTEXTD_TOKEN, or listen on localhost");
      }
    } catch (UnknownHostException e) {
      throw new SettingsException("server.http_host: no address for \"" + host + "\"");
    }
  }

  private static Optional<String> token(Map<Key, String> values, Path home)
      throws SettingsException {
    String file = get(values, Key.SERVER_TOKEN_FILE);
    String direct = get(values, Key.TOKEN);
    if (!file.isEmpty() && !direct.isEmpty()) {
      throw new SettingsException("server.token_file and CONTEXTD_TOKEN are both set; unset one");
    }
    if (file.isEmpty() && direct.isEmpty()) {
      return Optional.empty();
    }
    String token = direct.isEmpty() ? readToken("server.token_file", expand(file, home)) : direct;
    if (token.length() < MIN_TOKEN_CHARACTERS) {
      throw new SettingsException(
          "the token has fewer than "
              + MIN_TOKEN_CHARACTERS
              + " characters; make one with:"
              + " openssl rand -hex 32");
    }
    return Optional.of(token);
  }

  private static String readToken(String key, Path file) throws SettingsException {
    try {
      return SmallFile.text(file, MAX_TOKEN_BYTES)
          .orElseThrow(() -> new SettingsException(key + ": " + file + " is too large for a token"))
          .strip();
    } catch (IOException e) {
      throw new SettingsException(key + ": " + file + " cannot be read: " + e.getMessage());
    }
  }

  static Optional<Key> keyOf(String path) {
    return Arrays.stream(Key.values())
        .filter(key -> !path.isEmpty() && key.path().equals(path))
        .findFirst();
  }

  static boolean isSection(String path) {
    return Arrays.stream(Key.values()).anyMatch(key -> key.path().startsWith(path + "."));
  }

  private static String get(Map<Key, String> values, Key key) {
    return values.getOrDefault(key, "");
  }

  /** An empty HOME is as good as none; a relative one would move with the current directory. */
  private static Path home(String variable) {
    String known = variable.isBlank() ? System.getProperty("user.home", "/") : variable;
    return Path.of(known).toAbsolutePath().normalize();
  }

  private static Path expand(String path, Path home) throws SettingsException {
    try {
      if (path.equals("~")) {
        return home;
      }
      return path.startsWith("~/")
          ? home.resolve(path.substring(2))
          : Path.of(path).toAbsolutePath().normalize();
    } catch (InvalidPathException e) {
      throw new SettingsException("\"" + path + "\" is no path here: " + e.getReason());
    }
  }
}
