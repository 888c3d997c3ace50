package dev.contextd.storage.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.folder.AuditLog.Entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lines that are added, and logs that are turned over. */
class AuditLogTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-01-22T09:00:00Z"), ZoneOffset.UTC);

  @TempDir Path own;
  private AuditLog log;

  @BeforeEach
  void open() {
    log = new AuditLog(new LocalDisk(), own, CLOCK);
  }

  private static Entry entry(String folder) {
    return new Entry("mended", folder, "00000000.gob", "It was \"gone\".\nReally.");
  }

  @Test
  void eachEntryIsALineBehindTheOnesBefore() throws Exception {
    log.append(List.of());
    assertThat(own).isEmptyDirectory();
    log.append(List.of(entry("a"), entry("b")));
    new AuditLog(new LocalDisk(), own, CLOCK).append(List.of(entry("c")));
    List<String> lines = Files.readAllLines(own.resolve("audit.jsonl"));
    assertThat(lines)
        .hasSize(3)
        .allMatch(line -> line.startsWith("{\"when\":\"2026-01-22T09:00:00Z\",\"who\":"))
        .allMatch(line -> line.contains("\"why\":\"It was \\\"gone\\\".\\nReally.\""));
    assertThat(lines)
        .extracting(line -> line.replaceAll(".*\"folder\":\"(.)\".*", "$1"))
        .containsExactly("a", "b", "c");
  }

  @Test
  void aLongLogIsTurnedOverAndTheOldestOneGoes() throws Exception {
    for (int turn = 0; turn < AuditLog.KEPT + 2; turn++) {
      log.append(Collections.nCopies(AuditLog.MAX_BYTES / 150, entry(Integer.toString(turn))));
    }
    log.append(List.of(entry("last")));
    assertThat(Files.readString(own.resolve("audit.jsonl"))).contains("last").hasLineCount(1);
    for (int n = 1; n <= AuditLog.KEPT; n++) {
      assertThat(Files.readString(own.resolve("audit." + n + ".jsonl")))
          .contains("\"folder\":\"" + (AuditLog.KEPT + 2 - n) + "\"");
    }
    assertThat(own.resolve("audit." + (AuditLog.KEPT + 1) + ".jsonl")).doesNotExist();
  }

  @Test
  void aLinkInItsPlaceIsNotFollowed() throws Exception {
    Path elsewhere = Files.writeString(own.resolve("elsewhere"), "precious");
    Files.createSymbolicLink(own.resolve("audit.jsonl"), elsewhere);
    assertThatThrownBy(() -> log.append(List.of(entry("a")))).isInstanceOf(IOException.class);
    assertThat(elsewhere).hasContent("precious");
  }
}
