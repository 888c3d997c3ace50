package dev.contextd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.Names;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.testkit.DaemonProcess;
import dev.contextd.testkit.StoreRoot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;

/** The commands on a store that no daemon has open. */
@Isolated // Standard output is the process's.
class CtxdTest {
  private static final String MEMORIES = "e9f85bf6";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private Run ctxd(String... words) {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("--path", root.path().toString(), "--config", config().toString()));
    return run(all.toArray(String[]::new));
  }

  private Path config() {
    try {
      return Files.writeString(root.beside("c.yaml"), "embeddings: {provider: none}\n");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Run run(String... words) {
    return Run.of(words);
  }

  private static Map<String, String> bytes(Path folder) throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (var files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        all.put(
            folder.relativize(file).toString(), HexFormat.of().formatHex(Files.readAllBytes(file)));
      }
    }
    return all;
  }

  @Test
  void lookingChangesNoByte() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve(MEMORIES + "/00000000.gob"));
    root.expect(dev.contextd.storage.check.Damage.MetadataMissing.class);
    Map<String, String> before = bytes(root.path());
    Run health = ctxd("health");
    assertThat(health.code()).isEqualTo(1);
    assertThat(health.out())
        .startsWith("degraded: 2 healthy, 1 corrupt, 0 empty of 3 collections\n")
        .contains(MEMORIES + "  The metadata file is missing beside 6 documents");
    assertThat(health.err()).contains("no daemon runs", "looked at, not changed");
    assertThat(ctxd("metadata", "health", "--json").json().path("corrupt_count").asInt())
        .isEqualTo(1);
    assertThat(ctxd("metadata", "list").out())
        .contains("contextd_memories", "corrupt  unknown", "contextd_checkpoints");
    assertThat(ctxd("repair", "--dry-run").out())
        .contains("operator", "ctxd metadata recover contextd_memories");
    assertThat(ctxd("metadata", "quarantine", "list").out()).contains("nothing lies in");
    assertThat(ctxd("stats").out()).contains("3 collections, 46 documents");
    assertThat(ctxd("trash", "list").code()).isZero();
    assertThat(ctxd("audit").code()).isZero();
    assertThat(bytes(root.path())).isEqualTo(before);
  }

  @Test
  void theIncidentTakesOneCommand() throws Exception {
    root.copyOf("chromem-go/plain");
    Files.delete(root.path().resolve(MEMORIES + "/00000000.gob"));
    Run recover = ctxd("metadata", "recover", "contextd_memories", "--set", "kind=memories");
    assertThat(recover.code()).isZero();
    assertThat(recover.out()).contains("Its own metadata is set.");
    assertThat(recover.err())
        .contains(
            "opened by this command", "mended e9f85bf6/", "(serves \"contextd_memories\" again");
    assertThat(ctxd("health").code()).isZero();
    assertThat(ctxd("metadata", "list").out()).contains("{\"kind\":\"memories\"}");
    assertThat(ctxd("audit").out()).contains("mended", "recovered");
    assertThat(ctxd("audit", "--json").out())
        .contains("ctxd of " + System.getProperty("user.name") + " at 127.0.0.1, through contextd")
        .contains("\"before\"", "\"metadata:");
    Run again = ctxd("metadata", "recover", "contextd_memories");
    assertThat(again.code()).isEqualTo(1);
    assertThat(again.err()).contains("ctxd: nothing of the collection");
  }

  @Test
  void whatLiesInQuarantineIsListedRestoredAndDiscarded() throws Exception {
    fill("notes");
    Files.move(root.path().resolve(".contextd"), root.beside("own"));
    Files.delete(root.path().resolve("ab5aa970/00000000.gob"));
    Path other = Files.createDirectories(root.path().resolve("00112233"));
    Files.writeString(other.resolve("00112233.gob"), "no gob");
    assertThat(ctxd("repair", "--yes").code()).isEqualTo(1);
    Run list = ctxd("metadata", "quarantine", "list");
    assertThat(list.out()).contains("ab5aa970", "missing beside 2", "ctxd metadata recover NAME");
    assertThat(ctxd("metadata", "quarantine", "restore", "ab5aa970", "--name", "other").err())
        .contains("d9298a10", "ab5aa970");
    assertThat(ctxd("metadata", "quarantine", "restore", "ab5aa970", "--name", "notes").out())
        .contains("2 documents are back in \"notes\"");
    assertThat(ctxd("metadata", "quarantine", "discard", "00112233").err()).contains("--yes");
    assertThat(ctxd("metadata", "quarantine", "discard", "00112233", "--yes").out())
        .contains("00112233 is in the trash");
    assertThat(ctxd("health").code()).isEqualTo(1);
    assertThat(ctxd("metadata", "recover", "notes").code()).isZero();
    assertThat(ctxd("health").out()).startsWith("healthy");
  }

  private void fill(String name) throws IOException {
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      store
          .getOrCreate(name, Scope.ALL)
          .upsert(
              List.of(
                  NewDocument.of("a", "first", new float[] {1, 0}),
                  NewDocument.of("b", "second", new float[] {0, 1})));
    }
  }

  @Test
  void verifyFindsAndMends() throws Exception {
    fill("notes");
    assertThat(ctxd("verify").out()).contains("everything is as it was written");
    Path file;
    try (var files = Files.list(root.path().resolve("ab5aa970"))) {
      file = files.filter(one -> !one.endsWith("00000000.gob")).findFirst().orElseThrow();
    }
    var time = Files.getLastModifiedTime(file);
    byte[] content = Files.readAllBytes(file);
    content[content.length - 5] ^= 1;
    Files.write(file, content);
    Files.setLastModifiedTime(file, time);
    Run verify = ctxd("verify");
    assertThat(verify.code()).isZero();
    assertThat(verify.out()).contains("1 damaged, 1 of them written again");
    assertThat(ctxd("verify").out()).contains("everything is as it was written");
  }

  @Test
  void exportsGoOutAndComeBack() throws Exception {
    fill("notes");
    Path key = root.beside("key");
    Files.writeString(key, "0123456789abcdef0123456789abcdef");
    Path file = root.beside("export.gob.gz.enc");
    String[] export = {"export", file.toString(), "--gzip", "--key-file", key.toString()};
    assertThat(ctxd(export).out()).contains(" bytes");
    assertThat(ctxd(export).err()).contains("exists");
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      store.delete("notes", Scope.ALL);
    }
    assertThat(ctxd("import", file.toString()).err()).contains("no export");
    assertThat(ctxd("import", file.toString(), "--key-file", key.toString()).out())
        .contains("2 documents of 1 collections");
    assertThat(ctxd("metadata", "list").out()).contains("notes  2");
    Path fixture =
        dev.contextd.testkit.Fixtures.project().resolve("fixtures/chromem-go/export.gob");
    assertThat(ctxd("import", fixture.toString()).out()).contains("46 documents of 3 collections");
    assertThat(ctxd("import", root.beside("none").toString()).err()).contains("no file");
    assertThat(ctxd("audit").out()).contains("imported");
  }

  /** With the model that lies inside the program. */
  @Test
  void aVectorIsMadeAnewOnRequest() throws Exception {
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      float[] vector = new float[384];
      vector[7] = 1;
      store.upsert("notes", List.of(NewDocument.of("a", "one", vector)), Scope.ALL);
    }
    StoredDocument odd = new StoredDocument("odd", null, new float[] {1, 0}, "a short text");
    Files.write(
        root.path().resolve(Names.hash("notes")).resolve(Names.hash("odd") + ".gob"),
        DocumentFormat.encode(odd, Compression.PLAIN));
    assertThat(ctxd("repair", "--dry-run").out()).contains("ctxd repair --embed");
    assertThat(ctxd("repair", "--embed", "--yes").out()).contains("failed: text needs");
    String model =
        Files.writeString(root.beside("m.yaml"), "embeddings: {provider: fastembed}\n").toString();
    String path = root.path().toString();
    assertThat(run("repair", "--embed", "--yes", "--path", path, "--config", model).out())
        .contains("embedded again");
    assertThat(ctxd("stats").out()).contains("1 collections, 2 documents");
    assertThat(run("query", "notes", "a short text", "--path", path, "--config", model).out())
        .contains("odd");
  }

  @Test
  void whatWasBackedUpComesBack() throws Exception {
    fill("notes");
    assertThat(ctxd("backup", "verify").err()).contains("there is no backup in");
    assertThat(ctxd("backup", "create").out()).contains("2 documents of 1 collections, read back");
    assertThat(ctxd("backup", "list").out()).contains("BACKUP", "1            2");
    assertThat(ctxd("backup", "verify").out()).contains("all of it is as it was written");
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      store.delete("notes", Scope.ALL);
    }
    assertThat(ctxd("backup", "restore").err()).contains("--yes");
    String into = root.beside("fresh").toString();
    assertThat(ctxd("backup", "restore", "--into", into).out())
        .contains("2 documents of 1 collections");
    assertThat(ctxd("backup", "restore", "--into", into).err()).contains("is not empty");
    assertThat(StoreRoot.check(Path.of(into)).damage()).isEmpty();
    try (VectorStore store = VectorStore.open(Path.of(into), StoreOptions.defaults())) {
      assertThat(store.collection("notes", Scope.ALL).orElseThrow().count()).isEqualTo(2);
    }
    assertThat(ctxd("backup", "restore", "--yes").out()).contains("2 documents of 1 collections");
    assertThat(ctxd("metadata", "list").out()).contains("notes  2");
    try (var files = Files.walk(root.beside("backups"))) {
      for (Path file : files.filter(one -> one.toString().endsWith(".gob")).toList()) {
        Files.writeString(file, "spoiled");
      }
    }
    assertThat(ctxd("backup", "verify").code()).isEqualTo(1);
    assertThat(ctxd("backup", "restore", "--yes").err()).contains("nothing was restored");
  }

  @Test
  void deletedThingsComeBack() throws Exception {
    fill("notes");
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      store.delete("notes", Scope.ALL);
    }
    String entry = ctxd("trash", "list", "--json").json().at("/entries/0/name").asText();
    assertThat(ctxd("trash", "restore", entry).out()).contains("2 documents came back");
    assertThat(ctxd("metadata", "list").out()).contains("notes  2");
    assertThat(ctxd("trash", "purge", "--older-than", "0s").code()).isEqualTo(1);
    assertThat(ctxd("trash", "purge", "--older-than", "0s", "--yes").code()).isZero();
    assertThat(ctxd("audit").out()).contains("deleted", "restored", "purged");
  }

  @Test
  void aDaemonsStoreIsReachedThroughIt() throws Exception {
    fill("notes");
    Path home = Files.createDirectories(root.beside("home"));
    List<String> command = new ArrayList<>(DaemonProcess.JAVA_FLAGS);
    command.addFirst(System.getProperty("java.home") + "/bin/java");
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            "dev.contextd.server.Main",
            "--http-port=0",
            "--config=" + config(),
            "--vectorstore-path=" + root.path()));
    Process daemon =
        new ProcessBuilder(command).redirectError(root.beside("daemon.err").toFile()).start();
    try (var out = daemon.inputReader(StandardCharsets.UTF_8)) {
      String line = out.readLine();
      while (line != null && !line.startsWith("listening on ")) {
        line = out.readLine();
      }
      assertThat(line).as(Files.readString(root.beside("daemon.err"))).isNotNull();
      Run health = ctxd("health");
      assertThat(health.code()).isZero();
      assertThat(health.err()).contains("daemon at http://localhost:", "process " + daemon.pid());
      assertThat(ctxd("verify").out()).contains("everything is as it was written");
      assertThat(ctxd("metadata", "list").out()).contains("notes  2");
      assertThat(home).isEmptyDirectory();
    } finally {
      daemon.destroy();
      daemon.waitFor();
    }
  }

  @Test
  void wrongUsageIsTwoAndEachCommandHasHelpWithAnExample() {
    assertThat(run().code()).isEqualTo(2);
    assertThat(run("nonsense").code()).isEqualTo(2);
    assertThat(run("metadata").code()).isEqualTo(2);
    assertThat(run("remote").code()).isEqualTo(2);
    assertThat(run("remote", "breaker").code()).isEqualTo(2);
    assertThat(run("query", "notes").code()).isEqualTo(2);
    assertThat(run("--version").out()).startsWith("ctxd 0.");
    for (String command :
        List.of(
            "health",
            "metadata health",
            "metadata list",
            "metadata recover",
            "metadata quarantine list",
            "metadata quarantine restore",
            "metadata quarantine discard",
            "verify",
            "repair",
            "backup create",
            "backup list",
            "backup verify",
            "backup restore",
            "export",
            "import",
            "query",
            "stats",
            "trash list",
            "trash restore",
            "trash purge",
            "audit",
            "remote status",
            "remote sync",
            "remote verify",
            "remote pause",
            "remote resume",
            "remote breaker reset")) {
      Run help = run((command + " --help").split(" "));
      assertThat(help.code()).as(command).isZero();
      assertThat(help.out()).as(command).contains("Example:\n  ctxd " + command);
    }
    assertThat(run("generate-completion").out()).contains("complete -F");
  }

  @Test
  void aStoreThatIsNotThereIsNotCreated() {
    Run health =
        run("health", "--path", root.beside("none").toString(), "--config", config().toString());
    assertThat(health.code()).isEqualTo(1);
    assertThat(health.err()).contains("there is no store in", "--path");
    assertThat(root.beside("none")).doesNotExist();
  }

  @Test
  void whatStandsInAStoreGivesATerminalNoOrders() {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    Screen screen = new Screen(new PrintStream(printed, true, StandardCharsets.UTF_8), false);
    screen.table(List.of("A", "B"), List.of(List.of("x\u001b[2J", "y\nz"), List.of("", "\u0007")));
    assertThat(printed.toString(StandardCharsets.UTF_8))
        .isEqualTo("A      B\nx\ufffd[2J  y\ufffdz\n-      \ufffd\n");
  }
}
