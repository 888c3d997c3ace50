package dev.contextd.server.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.qdrant.QdrantOptions;
import dev.contextd.testkit.Fixtures;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every key, its default, its sources and their order, and what stops the start. */
class SettingsTest {
  private static final QdrantOptions QDRANT_DEFAULTS =
      new QdrantOptions(
          "localhost",
          6334,
          false,
          Optional.empty(),
          Optional.empty(),
          Duration.ofSeconds(30),
          64 << 20,
          384);

  @TempDir Path home;

  private Settings load(String yaml, Map<String, String> environment) throws Exception {
    Path file = home.resolve("config.yaml");
    Files.writeString(file, yaml);
    return load(flags(Optional.of(file.toString())), environment);
  }

  private Settings load(Settings.Flags flags, Map<String, String> environment) throws Exception {
    Map<String, String> all = new HashMap<>(environment);
    all.put("HOME", home.toString());
    return Settings.load(flags, all);
  }

  private static Settings.Flags flags(Optional<String> config) {
    return new Settings.Flags(Optional.empty(), Optional.empty(), false, Optional.empty(), config);
  }

  @Test
  void defaultsWithoutAnySource() throws Exception {
    Settings settings = load(flags(Optional.empty()), Map.of());
    assertThat(settings)
        .isEqualTo(
            new Settings(
                "localhost",
                9090,
                true,
                Duration.ofSeconds(10),
                Optional.empty(),
                home.resolve(".config/contextd/vectorstore"),
                false,
                false,
                true,
                Duration.ofDays(30),
                "fastembed",
                "http://localhost:8080",
                "BAAI/bge-small-en-v1.5",
                Optional.empty(),
                new Settings.Health(
                    Duration.ofSeconds(15),
                    false,
                    false,
                    Duration.ofMinutes(5),
                    Duration.ofDays(7),
                    20_000_000,
                    Optional.empty()),
                new Settings.Backup(Optional.empty(), Duration.ZERO, 7, Optional.empty()),
                new Settings.Remote(QDRANT_DEFAULTS, Optional.empty()),
                false,
                "info",
                List.of(),
                Optional.empty()));
  }

  @Test
  void contextdsOwnConfigurationWorksUnchanged() throws Exception {
    Path file = Fixtures.path("contextd/config.yaml");
    Settings settings = load(flags(Optional.of(file.toString())), Map.of());
    assertThat(settings.httpPort()).isEqualTo(9191);
    assertThat(settings.vectorstorePath()).isEqualTo(home.resolve(".config/contextd/vectorstore"));
    assertThat(settings.passedOver())
        .contains(
            "observability",
            "consolidation_scheduler",
            "production",
            "vectorstore.chromem.vector_size",
            "embeddings.cache_dir",
            "fallback.enabled");
  }

  @Test
  void bothSpellingsOfTheSchedulersSectionArePassedOver() throws Exception {
    Settings settings =
        load("consolidation_scheduler:\n  a: 1\nconsolidationscheduler: {b: [1, 2]}\n", Map.of());
    assertThat(settings.passedOver())
        .containsExactly("consolidation_scheduler", "consolidationscheduler");
  }

  @ParameterizedTest
  @CsvSource({
    "CONTEXTD_VECTORSTORE_CHROMEM_PATH, /data/a",
    "VECTORSTORE_PATH, /data/a",
  })
  void environmentBeatsTheFile(String name, String value) throws Exception {
    Settings settings =
        load("vectorstore:\n  chromem:\n    path: /data/file\n", Map.of(name, value));
    assertThat(settings.vectorstorePath()).isEqualTo(Path.of(value));
  }

  @Test
  void everyEnvironmentNameIsObeyed() throws Exception {
    Settings settings =
        load(
            flags(Optional.empty()),
            Map.of(
                "SERVER_HTTP_PORT", "9999",
                "EMBEDDINGS_PROVIDER", "tei",
                "EMBEDDING_BASE_URL", "http://tei:80",
                "EMBEDDINGS_MODEL", "m",
                "LOG_LEVEL", "debug",
                "VECTORSTORE_PROVIDER", "chromem",
                "CONTEXTD_VECTORSTORE_PROVIDER", "chromem",
                "QDRANT_HOST", "q",
                "QDRANT_PORT", "6334",
                "CONTEXTD_TOKEN", "0123456789abcdef"));
    assertThat(settings.httpPort()).isEqualTo(9999);
    assertThat(settings.embeddingsProvider()).isEqualTo("tei");
    assertThat(settings.embeddingsBaseUrl()).isEqualTo("http://tei:80");
    assertThat(settings.embeddingsModel()).isEqualTo("m");
    assertThat(settings.logLevel()).isEqualTo("debug");
    assertThat(settings.token()).contains("0123456789abcdef");
    Settings older = load(flags(Optional.empty()), Map.of("EMBEDDING_PROVIDER", "none"));
    assertThat(older.embeddingsProvider()).isEqualTo("none");
  }

  @Test
  void theTrashIsKeptAsLongAsTheFileOrTheEnvironmentSays() throws Exception {
    String yaml = "vectorstore:\n  trash_retention: 1h30m\n";
    assertThat(load(yaml, Map.of()).trashRetention()).isEqualTo(Duration.ofMinutes(90));
    assertThat(load(yaml, Map.of("CONTEXTD_VECTORSTORE_TRASH_RETENTION", "0s")).trashRetention())
        .isEqualTo(Duration.ZERO);
  }

  @Test
  void aQdrantServerIsDescribedInItsOwnSection() throws Exception {
    Settings defaults = load("vectorstore: {provider: qdrant}\n", Map.of());
    assertThat(defaults.remote()).contains(new Settings.Remote(QDRANT_DEFAULTS, Optional.empty()));
    Path key = Files.writeString(home.resolve("key"), "a-key-of-qdrant\n");
    Settings all =
        load(
            """
            vectorstore:
              provider: qdrant
              fallback:
                enabled: true
                local_path: ~/local
                sync_on_connect: false
                health_check_interval: 5s
              remote:
                max_waiting_bytes: 2000000
                max_waiting_age: 1h
            qdrant:
              host: q
              port: 1234
              tls: true
              ca_file: ~/ca.pem
              api_key_file: %s
              timeout: 3s
              max_message_bytes: 1000000
              vector_size: 8
            """
                .formatted(key),
            Map.of());
    assertThat(all.remote())
        .contains(
            new Settings.Remote(
                new QdrantOptions(
                    "q",
                    1234,
                    true,
                    Optional.of(home.resolve("ca.pem")),
                    Optional.of("a-key-of-qdrant"),
                    Duration.ofSeconds(3),
                    1_000_000,
                    8),
                Optional.of(
                    new Settings.Fallback(
                        false,
                        true,
                        "local",
                        Duration.ofSeconds(5),
                        2_000_000,
                        Duration.ofHours(1),
                        Duration.ofDays(7)))));
    assertThat(all.vectorstorePath()).isEqualTo(home.resolve("local"));
    assertThat(all.toString()).doesNotContain("a-key-of-qdrant");
  }

  /** The fallback's folder is the store's only where there is something to fall back from. */
  @Test
  void withoutQdrantItsSectionsChangeNothing() throws Exception {
    Settings settings =
        load(
            "vectorstore: {fallback: {enabled: true, local_path: /elsewhere}}\nqdrant: {host: q}\n",
            Map.of("QDRANT_API_KEY", "a-key-of-qdrant"));
    assertThat(settings.remote()).isEmpty();
    assertThat(settings.vectorstorePath()).isEqualTo(home.resolve(".config/contextd/vectorstore"));
    assertThat(settings.toString()).doesNotContain("a-key-of-qdrant");
  }

  @Test
  void theKeyOfQdrantIsNeverPrinted() throws Exception {
    Map<String, String> environment = Map.of("QDRANT_API_KEY", "a-key-of-qdrant");
    Settings settings = load("vectorstore: {provider: qdrant}\n", environment);
    assertThat(settings.remote().flatMap(remote -> remote.server().apiKey()))
        .contains("a-key-of-qdrant");
    assertThat(settings.toString()).doesNotContain("a-key-of-qdrant");
    assertThatThrownBy(() -> load("", Map.of("QDRANT_API_KEY", "a-key-of\nqdrant")))
        .hasMessageContaining("QDRANT_API_KEY: expected text without control characters")
        .message()
        .doesNotContain("a-key-of");
    Path key = Files.writeString(home.resolve("key"), "another");
    String both = "vectorstore: {provider: qdrant}\nqdrant: {api_key_file: " + key + "}\n";
    assertThatThrownBy(() -> load(both, environment))
        .hasMessageContaining("are both set; unset one")
        .message()
        .doesNotContain("a-key-of-qdrant");
  }

  @Test
  void flagsBeatEverything() throws Exception {
    Settings settings =
        load(
            new Settings.Flags(
                Optional.of("127.0.0.1"),
                Optional.of("1"),
                false,
                Optional.of("~/store"),
                Optional.empty()),
            Map.of("SERVER_HTTP_PORT", "2", "VECTORSTORE_PATH", "/data"));
    assertThat(settings.httpPort()).isEqualTo(1);
    assertThat(settings.httpHost()).isEqualTo("127.0.0.1");
    assertThat(settings.vectorstorePath()).isEqualTo(home.resolve("store"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "vectorstore:\\n  chromem:\\n    pth: /x|config.yaml:3: nobody knows the key vectorstore.chromem.pth",
        "nonsense: 1|config.yaml:1: nobody knows the key nonsense",
        "server:\\n  http_port: 1\\n  http_port: 2|config.yaml:3: the key server.http_port stands twice",
        "server:\\n  http_port: 70000|expected a number from 0 to 65535, found \"70000\"",
        "server:\\n  http_port: eighty|expected a number",
        "server:\\n  http_port: [1]|must be a single value",
        "server:\\n  shutdown_timeout: 10|expected a duration from 1s to 10m",
        "server:\\n  shutdown_timeout: 1h|expected a duration from 1s to 10m",
        "server: 5|server must be a list of keys",
        "vectorstore:\\n  provider: redis|expected one of chromem, qdrant",
        "vectorstore:\\n  provider: qdrant\\n  remote:\\n    mirror: false|needs vectorstore.fallback.enabled: true",
        "vectorstore:\\n  fallback:\\n    enabled: true\\n  remote:\\n    mirror: false\\n    read: local|local needs vectorstore.remote.mirror: true",
        "vectorstore:\\n  remote:\\n    read: both|expected one of local, remote, merged",
        "vectorstore:\\n  provider: qdrant\\nqdrant:\\n  host: ' '|expected a host",
        "qdrant:\\n  port: 0|expected a number from 1 to 65535",
        "qdrant:\\n  tls: perhaps|expected one of true, false",
        "qdrant:\\n  timeout: 0s|expected a duration from 1s to 10m",
        "qdrant:\\n  max_message_bytes: 1000|expected a number from 1000000 to 1000000000",
        "qdrant:\\n  vector_size: 0|expected a number from 1 to 65536",
        "vectorstore:\\n  fallback:\\n    health_check_interval: 0s|expected a duration from 1s to 24h",
        "vectorstore:\\n  remote:\\n    max_waiting_bytes: 5|expected a number from 1000000",
        "vectorstore:\\n  remote:\\n    max_waiting_age: 1s|expected a duration from 1m to 8760h",
        "vectorstore:\\n  isolation: full|expected one of none, payload",
        "vectorstore:\\n  trash_retention: 30d|expected a duration from 0s to 87600h",
        "vectorstore:\\n  trash_retention: 87601h|expected a duration from 0s to 87600h",
        "vectorstore:\\n  chromem:\\n    compress: maybe|expected one of true, false",
        "vectorstore:\\n  chromem:\\n    vector_size: 0|expected a number from 1 to 65536",
        "embeddings:\\n  base_url: not a url|expected a URL",
        "server:\\n  http_host: 0.0.0.0|needs a token",
        "server: [|not valid YAML",
        "vectorstore:\\n  chromem:\\n    path: \"\"|expected a folder",
        "\"\": 1|nobody knows the key",
      })
  void whatStopsTheStartIsOneLineThatNamesIt(String yaml, String message) {
    assertThatThrownBy(() -> load(yaml.replace("\\n", "\n"), Map.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void anEmptyPathIsNotTheCurrentDirectory() {
    Settings.Flags flags =
        new Settings.Flags(
            Optional.empty(), Optional.empty(), false, Optional.of(""), Optional.empty());
    assertThatThrownBy(() -> load(flags, Map.of()))
        .hasMessageContaining("--vectorstore-path: expected a folder");
  }

  @Test
  void twoNamesOfOneSettingMustAgree() {
    assertThatThrownBy(() ->
            load(
                flags(Optional.empty()),
                Map.of("VECTORSTORE_PATH", "/a", "CONTEXTD_VECTORSTORE_CHROMEM_PATH", "/b")))
        .hasMessageContaining("VECTORSTORE_PATH")
        .hasMessageContaining("differ");
  }

  @Test
  void aHostBeyondLoopbackNeedsATokenOfSomeLength() throws Exception {
    Path token = Files.writeString(home.resolve("token"), "0123456789abcdef0123\n");
    Settings settings =
        load("server:\n  http_host: 0.0.0.0\n  token_file: " + token + "\n", Map.of());
    assertThat(settings.token()).contains("0123456789abcdef0123");
    assertThat(settings.isLoopback()).isFalse();
    assertThatThrownBy(() -> load("", Map.of("CONTEXTD_TOKEN", "short")))
        .hasMessageContaining("fewer than 16 characters");
  }

  /** A device has no size and no end. */
  @Test
  void whatHasNoEndIsRefusedAndNotReadToIt() throws Exception {
    Path endless = Path.of("/dev/zero");
    assertThatThrownBy(() -> load(flags(Optional.of(endless.toString())), Map.of()))
        .hasMessageContaining("larger than 1 MiB");
    assertThatThrownBy(() -> load("server: {token_file: " + endless + "}\n", Map.of()))
        .hasMessageContaining("too large for a token");
    assertThatThrownBy(() -> KeyFile.read(endless)).hasMessageContaining("not the 32 bytes");
    Path key = Files.write(home.resolve("key"), new byte[32]);
    assertThat(KeyFile.read(key)).hasSize(32);
    assertThatThrownBy(() -> KeyFile.read(Files.write(key, new byte[31])))
        .hasMessageContaining("not the 32 bytes");
  }

  @Test
  void whateverWasFoundTheMessageIsOneLineThatCanBeRead() {
    assertThatThrownBy(() -> load("server: {http_port: \"9\\n0\"}\n", Map.of()))
        .hasMessageEndingWith("found \"9\\n0\"");
    assertThatThrownBy(() -> load("", Map.of("LOG_LEVEL", "\u001b[31m" + "x".repeat(100_000))))
        .hasMessageContaining("LOG_LEVEL: expected")
        .hasMessageContaining("\\u001b[31mxxx")
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(1_000));
  }

  /** The store was opened below the current directory. */
  @Test
  void anEmptyHomeIsAsGoodAsNone() throws Exception {
    Path expected = Path.of(System.getProperty("user.home"), ".config/contextd/vectorstore");
    for (Map<String, String> environment : List.of(Map.<String, String>of(), Map.of("HOME", ""))) {
      assertThat(Settings.load(flags(Optional.empty()), environment).vectorstorePath())
          .isEqualTo(expected);
    }
    assertThat(Settings.load(flags(Optional.empty()), Map.of("HOME", "relative")).vectorstorePath())
        .isAbsolute();
  }

  @Test
  void aConfigurationFileThatIsAskedForMustExist() {
    assertThatThrownBy(() -> load(flags(Optional.of("/does/not/exist.yaml")), Map.of()))
        .hasMessageContaining("there is no file");
  }

  @ParameterizedTest
  @CsvSource({
    "10s, PT10S",
    "1m30s, PT1M30S",
    "1.5h, PT1H30M",
    "250ms, PT0.25S",
    "720h, PT720H",
    "0, PT0S"
  })
  void durationsAreGos(String text, String expected) {
    assertThat(GoDuration.parse(text)).contains(Duration.parse(expected));
  }

  @ParameterizedTest
  @CsvSource({"10", "s", "-1s", "1d", "'10s '", "1 s", "999999999999h", "''"})
  void whatGoRefusesIsNoDuration(String text) {
    assertThat(GoDuration.parse(text)).isEmpty();
  }
}
