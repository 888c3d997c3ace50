package dev.contextd.storage.checkpoint;

import static dev.contextd.storage.checkpoint.Opened.NOTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Links that somebody puts in place of folders of ours while the store is open. */
class LinkInPlaceTest {
  @TempDir Path temp;

  @BeforeEach
  void createTheRoot() throws IOException {
    Files.createDirectory(root());
    Files.createDirectory(elsewhere());
  }

  private Path root() {
    return temp.resolve("store");
  }

  private Path own(String name) {
    return root().resolve(".contextd").resolve(name);
  }

  private Path elsewhere() {
    return temp.resolve("elsewhere");
  }

  /** Moves a folder away and puts a link to an empty one in its place. */
  private void replace(String name) throws IOException {
    if (Files.exists(own(name))) {
      Files.move(own(name), temp.resolve("real-" + name));
    }
    Files.createSymbolicLink(own(name), elsewhere());
  }

  private void putBack(String name) throws IOException {
    Files.delete(own(name));
    Files.move(temp.resolve("real-" + name), own(name));
  }

  @Test
  void oneInPlaceOfTheTrashIsMovedAsideAndNothingFollowsIt() throws Exception {
    try (Opened store = Opened.of(root()).create(NOTES).put("a", "1", "b", "2").checkpoint()) {
      replace("trash");
      store.remove("a").checkpoint();
      assertThat(elsewhere()).isEmptyDirectory();
      assertThat(store.trash().values()).containsExactly("1");
      assertThat(own("trash.stray")).isSymbolicLink();
    }
  }

  @Test
  void whatALinkInPlaceOfTheTrashLeadsToIsNeitherListedNorPurged() throws Exception {
    Path precious = Files.createDirectory(elsewhere().resolve("20200101T000000.000Z-e9f85bf6"));
    Files.writeString(precious.resolve("file"), "precious");
    try (Opened store = Opened.of(root()).create(NOTES)) {
      replace("trash");
      String entry = String.valueOf(precious.getFileName());
      assertThat(store.keeper().trash().list()).isEmpty();
      assertThatThrownBy(() -> store.keeper().trash().files(entry)).hasMessageContaining(entry);
      assertThatThrownBy(() -> store.keeper().trash().remove(entry)).hasMessageContaining(entry);
      store.purgePacks();
      assertThat(precious.resolve("file")).hasContent("precious");
    }
  }

  @Test
  void oneInPlaceOfTheJournalOrThePacksIsRefusedUntilItIsGone() throws Exception {
    try (Opened store = Opened.of(root()).create(NOTES).put("a", "1").checkpoint()) {
      String segment = Opened.names(own("journal")).getFirst();
      replace("journal");
      store.put("b", "2").checkpoint(); // The segment that was open needs no name.
      assertThatThrownBy(() -> store.put("c", "3")).hasMessageContaining("not a link");
      putBack("journal");
      Files.delete(own("journal").resolve(segment)); // It was covered while it was away.
      store.put("c", "3");
      replace("packs");
      assertThatThrownBy(store::checkpoint).hasMessageContaining("not a link");
      putBack("packs");
      assertThat(elsewhere()).isEmptyDirectory();
      assertThat(store.checkpoint().notes()).isEqualTo(Map.of("a", "1", "b", "2", "c", "3"));
    }
    assertThat(List.of(own("journal"), own("packs"))).allMatch(Files::isDirectory);
  }
}
