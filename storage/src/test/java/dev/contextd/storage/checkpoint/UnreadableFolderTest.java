package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.FOLDER;
import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.check.Damage;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.RealDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A collection's folder that is there and cannot be listed, while its packs hold everything. */
class UnreadableFolderTest {
  private static final String OTHER = "other";

  @TempDir Path temp;

  /** The machine's disk, on which one folder cannot be listed. */
  private static final class Unlistable extends RealDisk {
    @Override
    public List<Entry> list(Path directory) throws IOException {
      if (directory.endsWith(FOLDER)) {
        throw new IOException("Input/output error");
      }
      return disk.list(directory);
    }
  }

  private Path root() {
    return temp.resolve("store");
  }

  @BeforeEach
  void aStoreWithThreeDocuments() throws Exception {
    Files.createDirectory(root());
    try (Opened store = Opened.of(root()).create(NOTES).put("a", "1", "b", "2", "c", "3")) {
      assertThat(store.notes()).hasSize(3);
    }
  }

  private Opened opened() throws IOException {
    return Opened.of(root(), new Unlistable());
  }

  @Test
  void itIsServedFromItsPacksAndReportedAndNothingIsWrittenThere() throws Exception {
    Opened store = opened();
    assertThat(store.notes()).isEqualTo(Map.of("a", "1", "b", "2", "c", "3"));
    assertThat(store.only(Damage.FolderUnreadable.class).sentence()).contains("Input/output error");
    assertThat(store.keeper().readOnlyReason()).isEmpty();
    assertThatThrownBy(() -> store.memory(NOTES).kept.requireReadable())
        .hasMessageContaining(FOLDER)
        .hasMessageContaining("make it readable and restart");
    assertThat(store.keeper().scrub()).isEmpty();
    store.close();
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).hasSize(3);
      assertThat(again.damage()).isEmpty();
    }
  }

  @Test
  void theJournalKeepsItsWritesWhileOthersAreCut() throws Exception {
    Opened.of(root()).put("d", "4").put("b", "5").remove("a").keeper().abandon();
    Map<String, String> expected = Map.of("b", "5", "c", "3", "d", "4");
    List<String> files = Opened.names(root().resolve(FOLDER));
    Opened store = opened();
    assertThat(store.notes()).isEqualTo(expected);
    store.create(OTHER);
    for (int i = 0; i < 3; i++) {
      store.put(OTHER, List.of(Opened.document("o" + i, "version " + i))).checkpoint();
      assertThat(Opened.names(root().resolve(".contextd/journal")))
          .as("what others wrote is cut")
          .hasSize(1);
      try (Opened crashed = Opened.of(store.crashedTo(temp.resolve("crashed-" + i)))) {
        assertThat(crashed.notes()).isEqualTo(expected);
        assertThat(crashed.contents().get(OTHER)).hasSize(i + 1);
        assertThat(crashed.damage()).isEmpty();
      }
    }
    assertThat(Opened.names(root().resolve(FOLDER))).isEqualTo(files);
    assertThatThrownBy(() -> store.keeper().close()).hasMessageContaining("stay in the journal");
    Opened still = opened();
    assertThat(still.notes()).isEqualTo(expected);
    still.keeper().abandon();
    try (Opened again = Opened.of(root())) {
      assertThat(again.notes()).isEqualTo(expected);
      assertThat(again.contents().get(OTHER)).hasSize(3);
      assertThat(again.damage()).isEmpty();
    }
  }

  @Test
  void oneThatCannotBeLookedAtAtAllIsServedAsWell() throws Exception {
    Path folder = root().resolve(FOLDER);
    Disk dead =
        new RealDisk() {
          @Override
          public List<Entry> list(Path directory) throws IOException {
            requireAlive(directory);
            return disk.list(directory).stream()
                .map(entry ->
                    entry.path().equals(folder)
                        ? new Entry(root(), entry.name(), Kind.OTHER, 0, 0)
                        : entry)
                .toList();
          }

          @Override
          public Kind kind(Path path) throws IOException {
            requireAlive(path);
            return disk.kind(path);
          }

          @Override
          public boolean exists(Path path) throws IOException {
            requireAlive(path);
            return disk.exists(path);
          }

          private void requireAlive(Path path) throws IOException {
            if (path.startsWith(folder)) {
              throw new IOException("Transport endpoint is not connected");
            }
          }
        };
    Opened store = Opened.of(root(), dead);
    assertThat(store.notes()).hasSize(3);
    assertThat(store.damage()).containsExactly("FolderUnreadable");
    store.create(OTHER).checkpoint();
    store.close();
  }
}
