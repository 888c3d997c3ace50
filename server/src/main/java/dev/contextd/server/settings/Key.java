package dev.contextd.server.settings;

import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Every key of {@code config.yaml} that contextd's own programs know in the sections a store uses,
 * with the environment variables that set it, what it may be, and its default.
 */
enum Key {
  SERVER_HTTP_HOST("server.http_host", text(), "localhost"),
  SERVER_HTTP_PORT("server.http_port", number(0, 65_535), "9090", "SERVER_HTTP_PORT"),
  SERVER_SHUTDOWN_TIMEOUT("server.shutdown_timeout", duration("1s", "10m"), "10s"),
  SERVER_TOKEN_FILE("server.token_file", text(), ""),

  VECTORSTORE_PROVIDER(
      "vectorstore.provider",
      oneOf("chromem", "qdrant"),
      "chromem",
      "CONTEXTD_VECTORSTORE_PROVIDER",
      "VECTORSTORE_PROVIDER"),
  VECTORSTORE_PATH(
      "vectorstore.chromem.path",
      folder(),
      "~/.config/contextd/vectorstore",
      "CONTEXTD_VECTORSTORE_CHROMEM_PATH",
      "VECTORSTORE_PATH"),
  VECTORSTORE_COMPRESS("vectorstore.chromem.compress", flag(), "false"),
  VECTORSTORE_ISOLATION("vectorstore.isolation", oneOf("none", "payload"), "none"),
  VECTORSTORE_RECOVERY("vectorstore.recovery", oneOf("auto", "quarantine"), "auto"),
  VECTORSTORE_TRASH_RETENTION(
      "vectorstore.trash_retention",
      duration("0s", "87600h"),
      "720h",
      "CONTEXTD_VECTORSTORE_TRASH_RETENTION"),
  BACKUP_PATH("backup.path", text(), "", "CONTEXTD_BACKUP_PATH"),
  BACKUP_INTERVAL("backup.interval", duration("0s", "8760h"), "0s"),
  BACKUP_KEEP("backup.keep", number(1, 10_000), "7"),
  BACKUP_KEY_FILE("backup.key_file", text(), ""),
  VECTORSTORE_DEFAULT_COLLECTION("vectorstore.chromem.default_collection", text(), Key.Unused.HERE),
  VECTORSTORE_VECTOR_SIZE("vectorstore.chromem.vector_size", number(1, 65_536), Key.Unused.HERE),

  FALLBACK_ENABLED("vectorstore.fallback.enabled", flag(), "false"),
  FALLBACK_LOCAL_PATH("vectorstore.fallback.local_path", text(), ""),
  FALLBACK_SYNC("vectorstore.fallback.sync_on_connect", flag(), "true"),
  FALLBACK_INTERVAL("vectorstore.fallback.health_check_interval", duration("1s", "24h"), "30s"),
  FALLBACK_WAL_PATH("vectorstore.fallback.wal_path", text(), Key.Unused.HERE),
  FALLBACK_WAL_RETENTION("vectorstore.fallback.wal_retention_days", number(0, 36_500), "7"),
  OLD_FALLBACK_ENABLED("fallback.enabled", flag(), Key.Unused.HERE),

  REMOTE_READ("vectorstore.remote.read", optional(oneOf("local", "remote", "merged")), ""),
  REMOTE_MIRROR("vectorstore.remote.mirror", flag(), "true"),
  REMOTE_MAX_WAITING_BYTES(
      "vectorstore.remote.max_waiting_bytes", number(1_000_000, Integer.MAX_VALUE), "1073741824"),
  REMOTE_MAX_WAITING_AGE("vectorstore.remote.max_waiting_age", duration("1m", "8760h"), "168h"),

  QDRANT_HOST("qdrant.host", host(), "localhost", "QDRANT_HOST"),
  QDRANT_PORT("qdrant.port", number(1, 65_535), "6334", "QDRANT_PORT"),
  QDRANT_TLS("qdrant.tls", flag(), "false"),
  QDRANT_CA_FILE("qdrant.ca_file", text(), ""),
  QDRANT_API_KEY_FILE("qdrant.api_key_file", text(), ""),
  QDRANT_TIMEOUT("qdrant.timeout", duration("1s", "10m"), "30s"),
  QDRANT_MAX_MESSAGE_BYTES(
      "qdrant.max_message_bytes", number(1_000_000, 1_000_000_000), "67108864"),
  QDRANT_HTTP_PORT("qdrant.http_port", number(1, 65_535), Key.Unused.HERE),
  QDRANT_COLLECTION("qdrant.collection_name", text(), Key.Unused.HERE),
  QDRANT_VECTOR_SIZE("qdrant.vector_size", number(1, 65_536), "384"),
  QDRANT_DATA_PATH("qdrant.data_path", text(), Key.Unused.HERE),

  EMBEDDINGS_PROVIDER(
      "embeddings.provider",
      oneOf("fastembed", "tei", "openai", "none"),
      "fastembed",
      "EMBEDDINGS_PROVIDER",
      "EMBEDDING_PROVIDER"),
  EMBEDDINGS_BASE_URL("embeddings.base_url", url(), "http://localhost:8080", "EMBEDDING_BASE_URL"),
  EMBEDDINGS_MODEL("embeddings.model", text(), "BAAI/bge-small-en-v1.5", "EMBEDDINGS_MODEL"),
  EMBEDDINGS_TOKEN_FILE("embeddings.token_file", text(), ""),
  EMBEDDINGS_CACHE_DIR("embeddings.cache_dir", text(), Key.Unused.HERE),
  EMBEDDINGS_ONNX_VERSION("embeddings.onnx_version", text(), Key.Unused.HERE),

  HEALTH_MAX_AGE("health.max_age", duration("0s", "1h"), "15s"),
  HEALTH_FAIL_ON_CORRUPTION("health.fail_on_corruption", flag(), "false"),
  HEALTH_FAIL_ON_DEGRADED("health.fail_on_degraded", flag(), "false"),
  HEALTH_SCAN_INTERVAL("health.scan_interval", duration("1s", "24h"), "5m"),
  HEALTH_SCRUB_INTERVAL("health.scrub_interval", duration("0s", "8760h"), "168h"),
  HEALTH_SCRUB_RATE("health.scrub_rate", number(1_000, 2_000_000_000), "20000000"),
  HEALTH_WEBHOOK_URL("health.webhook_url", optional(url()), ""),

  LOG_LEVEL("", oneOf("debug", "info", "warn", "error"), "info", "LOG_LEVEL"),
  TOKEN("", text(), "", "CONTEXTD_TOKEN"),
  QDRANT_API_KEY("", text(), "", "QDRANT_API_KEY");

  /** Sections of contextd that a store has no use for; nothing in them is looked at. */
  static final List<String> PASSED_OVER =
      List.of(
          "observability",
          "prefetch",
          "checkpoint",
          "consolidation_scheduler",
          "consolidationscheduler",
          "statusline",
          "reasoningbank",
          "repository",
          "production");

  private final String path;
  private final Type type;
  private final String defaultValue;
  private final List<String> environment;

  Key(String path, Type type, String defaultValue, String... environment) {
    this.path = path;
    this.type = type;
    this.defaultValue = defaultValue;
    this.environment = List.of(environment);
  }

  /** Marks a key that is checked and then passed over. */
  private static final class Unused {
    static final String HERE = "\0unused";
  }

  /** Says what is wrong with a value; nothing where it is fine. */
  interface Type {
    Optional<String> fault(String value);
  }

  /** Its place in {@code config.yaml}; empty for what only the environment sets. */
  String path() {
    return path;
  }

  List<String> environment() {
    return environment;
  }

  String defaultValue() {
    return defaultValue;
  }

  /** Whether this version does something with it. */
  boolean isUsed() {
    return !defaultValue.equals(Unused.HERE);
  }

  Optional<String> fault(String value) {
    return type.fault(value);
  }

  private static Type text() {
    return value ->
        value.chars().anyMatch(Character::isISOControl)
            ? Optional.of("text without control characters")
            : Optional.empty();
  }

  private static Type host() {
    return value -> value.isBlank() ? Optional.of("a host") : text().fault(value);
  }

  /** An empty path would be the current directory, which nobody means. */
  private static Type folder() {
    return value -> value.isBlank() ? Optional.of("a folder") : text().fault(value);
  }

  private static Type flag() {
    return oneOf("true", "false");
  }

  private static Type oneOf(String... values) {
    return value ->
        List.of(values).contains(value.toLowerCase(Locale.ROOT))
            ? Optional.empty()
            : Optional.of("one of " + String.join(", ", values));
  }

  private static Type number(int least, int most) {
    return value -> {
      boolean fits = false;
      try {
        int number = Integer.parseInt(value);
        fits = number >= least && number <= most;
      } catch (NumberFormatException e) {
        // It is no number: the answer below says so.
      }
      return fits ? Optional.empty() : Optional.of("a number from " + least + " to " + most);
    };
  }

  private static Type duration(String least, String most) {
    return value -> {
      boolean fits =
          GoDuration.parse(value)
              .filter(found -> found.compareTo(GoDuration.parse(least).orElseThrow()) >= 0)
              .filter(found -> found.compareTo(GoDuration.parse(most).orElseThrow()) <= 0)
              .isPresent();
      return fits
          ? Optional.empty()
          : Optional.of("a duration from " + least + " to " + most + ", such as 10s or 1m30s");
    };
  }

  private static Type optional(Type type) {
    return value -> value.isEmpty() ? Optional.empty() : type.fault(value);
  }

  private static Type url() {
    return value -> {
      try {
        URI uri = URI.create(value);
        boolean fits =
            uri.getHost() != null
                && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()));
        return fits ? Optional.empty() : Optional.of("a URL such as http://localhost:8080");
      } catch (IllegalArgumentException e) {
        return Optional.of("a URL such as http://localhost:8080");
      }
    };
  }
}
