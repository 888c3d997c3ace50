package dev.contextd.storage.check;

import static dev.contextd.storage.check.Checked.MEMORIES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.FixtureData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What lies about in a store and hides nothing. */
class LeftoverTest {
  @TempDir Path root;

  @BeforeEach
  void copyTheFixture() throws Exception {
    Checked.fixture(root);
  }

  private void requireLeftover(String folder, String file, String word) throws Exception {
    Checked checked = Checked.of(root);
    Damage.Leftover damage = checked.only(Damage.Leftover.class);
    assertThat(damage.folder()).isEqualTo(folder);
    assertThat(damage.file()).isEqualTo(file);
    assertThat(damage.what()).contains(word);
    checked.requireRepair(damage, Damage.Loss.NOTHING, Repair.LeaveInPlace.class);
    checked.requireOthersWhole("");
    assertThat(checked.report().files()).isEqualTo(49);
  }

  @Test
  void theTempFileOfAWrite() throws Exception {
    byte[] half = {1, 2, 3};
    Files.write(root.resolve(MEMORIES).resolve("11ad2331.gob.0.tmp"), half);
    requireLeftover(MEMORIES, "11ad2331.gob.0.tmp", "temp file");
  }

  @Test
  void aStrayFileInACollection() throws Exception {
    Files.writeString(root.resolve(MEMORIES).resolve("notes.txt"), "x");
    requireLeftover(MEMORIES, "notes.txt", "stray file");
  }

  @Test
  void aFolderNamedLikeADocument() throws Exception {
    Files.createDirectory(root.resolve(MEMORIES).resolve("x.gob"));
    requireLeftover(MEMORIES, "x.gob", "folder");
  }

  @Test
  void aFolderNamedLikeMetadataHidesNoMissingMetadata() throws Exception {
    Path metadata = root.resolve(MEMORIES).resolve("00000000.gob");
    Files.delete(metadata);
    Files.createDirectory(metadata);
    Checked checked = Checked.of(root);
    assertThat(checked.report().damage())
        .extracting(found -> (Object) found.getClass())
        .containsExactly(Damage.Leftover.class, Damage.MetadataMissing.class);
    checked.requireOthersWhole(MEMORIES);
  }

  @Test
  void linksAndFifosThatAreNoDocuments() throws Exception {
    Path link = root.resolve(MEMORIES).resolve("link");
    Files.createSymbolicLink(link, root.resolve("nowhere"));
    requireLeftover(MEMORIES, "link", "symbolic link");
    Files.delete(link);
    Checked.makeFifo(root.resolve(MEMORIES).resolve("pipe"));
    requireLeftover(MEMORIES, "pipe", "neither");
  }

  @Test
  void aFileInTheRoot() throws Exception {
    Files.write(root.resolve("11ad2331.gob"), FixtureData.bytes("export.gob"));
    requireLeftover("11ad2331.gob", "", "beside");
  }

  @Test
  void aHiddenFolder() throws Exception {
    FixtureData.copy("plain", root.resolve(".backup"));
    requireLeftover(".backup", "", "hidden");
  }

  @Test
  void aLinkInTheRootIsNotFollowed() throws Exception {
    Files.createSymbolicLink(root.resolve("latest"), root.resolve(MEMORIES));
    requireLeftover("latest", "", "symbolic link");
  }

  @Test
  void aFifoInTheRoot() throws Exception {
    Checked.makeFifo(root.resolve("pipe"));
    requireLeftover("pipe", "", "neither");
  }

  @Test
  void aFolderOfStrayFilesAloneIsNoCollection() throws Exception {
    Files.createDirectory(root.resolve("photos"));
    Files.writeString(root.resolve("photos/cat.jpg"), "x");
    requireLeftover("photos", "cat.jpg", "stray");
    assertThat(Checked.of(root).folder("photos").health()).isEqualTo(FolderReport.Health.EMPTY);
  }

  @Test
  void whatIsOursIsNoDamage() throws Exception {
    for (String ours :
        List.of(".contextd/trash/x", ".quarantine/e9f85bf6", ".quarantine/e9f85bf6.11ad2331")) {
      FixtureData.copy("plain", root.resolve(ours));
    }
    Checked checked = Checked.of(root);
    assertThat(checked.report().damage()).isEmpty();
    assertThat(checked.report().folders()).hasSize(3);
  }

  @Test
  void aFileInPlaceOfAFolderOfOursIsReported() throws Exception {
    Files.writeString(root.resolve(".quarantine"), "x");
    requireLeftover(".quarantine", "", "beside");
  }
}
