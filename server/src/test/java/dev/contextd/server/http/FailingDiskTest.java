package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.StoreOptions;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.ForwardingDisk;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A disk that takes no more of the journal: writes are refused, reads go on, and it passes. */
class FailingDiskTest {
  private static final String NOTES = "/api/v1/collections/notes";

  @RegisterExtension final StoreRoot root = new StoreRoot();

  /** The real disk, whose journal fails with a reason while there is one. */
  private static final class FailingJournal extends ForwardingDisk {
    private final Disk disk = new LocalDisk();
    private volatile Optional<String> reason = Optional.empty();

    @Override
    protected Disk next() {
      return disk;
    }

    void requireSound(Path file) throws IOException {
      if (reason.isPresent()) {
        throw new FileSystemException(file.toString(), null, reason.get());
      }
    }

    @Override
    public Appender appender(Path file) throws IOException {
      requireSound(file);
      Appender real = disk.appender(file);
      return new Appender() {
        @Override
        public void append(ByteBuffer bytes) throws IOException {
          requireSound(file);
          real.append(bytes);
        }

        @Override
        public void sync() throws IOException {
          requireSound(file);
          real.sync();
        }

        @Override
        public long size() {
          return real.size();
        }

        @Override
        public void close() throws IOException {
          real.close();
        }
      };
    }
  }

  private static RunningServer.Answer put(RunningServer server, String id) {
    return server.post(
        NOTES + "/documents",
        "{\"documents\":[{\"id\":\"" + id + "\",\"embedding\":[1,0],\"content\":\"c\"}]}");
  }

  @ParameterizedTest
  @CsvSource({
    "No space left on device, 507, storage_full",
    "Input/output error, 503, storage_failed",
    "Too many open files, 503, storage_failed",
    "Permission denied, 503, storage_failed",
  })
  void aWriteIsRefusedReadsGoOnAndAfterwardsTheSameWriteSucceeds(
      String reason, int status, String code) throws Exception {
    FailingJournal disk = new FailingJournal();
    try (RunningServer server =
        RunningServer.over(
            root.path(), StoreOptions.defaults().withDisk(disk), Optional.empty(), false)) {
      assertThat(put(server, "a").status()).isEqualTo(201);
      disk.reason = Optional.of(reason);
      for (String path : new String[] {NOTES, "/api/v1/collections/unheard-of"}) {
        RunningServer.Answer refused =
            server.post(
                path + "/documents", "{\"documents\":[{\"id\":\"b\",\"embedding\":[1,0]}]}");
        assertThat(refused.status()).isEqualTo(status);
        assertThat(refused.code()).isEqualTo(code);
        assertThat(refused.json().get("next").asText()).isNotEmpty();
      }
      assertThat(server.delete(NOTES + "/documents/a").status()).isEqualTo(status);
      assertThat(server.get(NOTES).json().get("count").asInt()).isEqualTo(1);
      assertThat(server.get(NOTES + "/documents/a").status()).isEqualTo(200);
      assertThat(server.get(NOTES + "/documents/b").status()).isEqualTo(404);
      assertThat(server.post(NOTES + "/query", "{\"embedding\":[1,0]}").json().get("results"))
          .hasSize(1);
      assertThat(server.get("/api/v1/collections").json().get("collections")).hasSize(1);
      disk.reason = Optional.empty();
      assertThat(put(server, "b").status()).isEqualTo(201);
      assertThat(server.get(NOTES).json().get("count").asInt()).isEqualTo(2);
    }
    try (RunningServer again = RunningServer.over(root.path())) {
      assertThat(again.get(NOTES).json().get("count").asInt()).isEqualTo(2);
    }
  }

  @Test
  void aRefusedWriteDoesNotReturnWithTheNextStart() throws Exception {
    FailingJournal disk = new FailingJournal();
    try (RunningServer server =
        RunningServer.over(
            root.path(), StoreOptions.defaults().withDisk(disk), Optional.empty(), false)) {
      assertThat(put(server, "a").status()).isEqualTo(201);
      disk.reason = Optional.of("Input/output error");
      assertThat(put(server, "b").status()).isEqualTo(503);
      disk.reason = Optional.empty();
      assertThat(put(server, "c").status()).isEqualTo(201);
    }
    try (RunningServer again = RunningServer.over(root.path())) {
      assertThat(again.get(NOTES + "/documents/b").status()).isEqualTo(404);
      assertThat(again.get(NOTES).json().get("count").asInt()).isEqualTo(2);
    }
  }
}
