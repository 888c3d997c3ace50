package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.StoreOptions;
import dev.contextd.storage.disk.Disk;
import dev.contextd.testkit.PathFaults;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A store that must not be written is served, says why, and not a byte of it changes. */
class ReadOnlyTest {
  private static final String NOTES = "/api/v1/collections/notes";
  private static final String ADMIN = "/api/v1/admin";
  private static final int LATER = 1_000;

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private void fill() throws Exception {
    try (RunningServer server = RunningServer.over(root.path())) {
      String body = "{\"documents\":[{\"id\":\"a\",\"embedding\":[1,0]}]}";
      assertThat(server.post(NOTES + "/documents", body).status()).isEqualTo(201);
    }
  }

  @Test
  void everyCallThatWritesSaysWhyNotAndWhatHelps() throws Exception {
    fill();
    Disk unwritable = new PathFaults(_ -> false, _ -> true);
    try (RunningServer server =
        RunningServer.over(
            root.path(), StoreOptions.defaults().withDisk(unwritable), Optional.empty(), false)) {
      requireReadOnly(server, "Read-only file system");
      assertThat(server.get(ADMIN + "/trash").status()).isEqualTo(200);
      assertThat(server.send("POST", ADMIN + "/scrub", null).status()).isEqualTo(200);
    }
  }

  @Test
  void whatALaterVersionWroteIsNotTouched() throws Exception {
    fill();
    ofVersion(LATER, root.path().resolve(".contextd/manifest"));
    ofVersion(LATER, root.path().resolve(".contextd/manifest.copy"));
    Map<String, ByteBuffer> before = content();
    try (RunningServer server = RunningServer.over(root.path())) {
      requireReadOnly(server, "its manifest has version " + LATER + ", written by a later program");
    }
    assertThat(content()).isEqualTo(before);
  }

  private static void requireReadOnly(RunningServer server, String why) {
    assertThat(server.get(NOTES + "/documents/a").status()).isEqualTo(200);
    assertThat(server.get("/api/v1/status").json().get("read_only").asText()).contains(why);
    String document = "{\"documents\":[{\"id\":\"b\",\"embedding\":[1,0]}]}";
    for (RunningServer.Answer refused :
        List.of(
            server.post(NOTES + "/documents", document),
            server.delete(NOTES + "/documents/a"),
            server.post(ADMIN + "/purge", "{\"older_than\":\"0s\"}"),
            server.post(ADMIN + "/trash/restore", "{\"entry\":\"x\"}"),
            server.send("POST", ADMIN + "/checkpoint", null))) {
      assertThat(refused.status()).isEqualTo(503);
      assertThat(refused.code()).isEqualTo("read_only");
      assertThat(refused.json().get("detail").asText()).contains(why);
      assertThat(refused.json().get("next").asText()).contains("restart").contains("version");
    }
  }

  /** Gives a file of ours another version, with a checksum that is right. */
  private static void ofVersion(int version, Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(Long.BYTES, version);
    int body = bytes.limit() - Integer.BYTES;
    CRC32C crc = new CRC32C();
    crc.update(bytes.array(), 0, body);
    bytes.putInt(body, (int) crc.getValue());
    Files.write(file, bytes.array());
  }

  /** Every file but the lock's note, which names the owner. */
  private Map<String, ByteBuffer> content() throws IOException {
    Map<String, ByteBuffer> content = new TreeMap<>();
    try (var files = Files.walk(root.path())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.endsWith("owner.json")) {
          content.put(file.toString(), ByteBuffer.wrap(Files.readAllBytes(file)));
        }
      }
    }
    return content;
  }
}
