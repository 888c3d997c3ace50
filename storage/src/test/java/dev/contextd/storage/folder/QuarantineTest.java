package dev.contextd.storage.folder;

import static dev.contextd.storage.folder.Folders.sha256;
import static dev.contextd.storage.folder.Folders.store;
import static dev.contextd.storage.folder.Folders.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.LIST;

import dev.contextd.storage.FixtureData;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.LocalDisk;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged things keep every byte, get a note, and never meet one another. */
class QuarantineTest {
  private static final String MEMORIES = "e9f85bf6";
  private static final String DOCUMENT = "11ad2331.gob";

  @TempDir Path root;

  @BeforeEach
  void copyTheFixture() throws Exception {
    FixtureData.copy("plain", root);
  }

  private Quarantine quarantine() {
    return store(root).quarantine();
  }

  private Map<?, ?> note(String entry) throws IOException {
    Object note =
        FixtureData.json(Files.readAllBytes(root.resolve(".quarantine/" + entry + ".json")));
    return note == null ? Map.of() : (Map<?, ?>) note;
  }

  @Test
  void aFolderMovesWholeWithANoteOfEveryFile() throws Exception {
    Map<String, String> before = Folders.digests(root.resolve(MEMORIES));
    assertThat(quarantine().move(MEMORIES, "", "metadata_missing", "It is gone \"quoted\" 多."))
        .isEqualTo(MEMORIES);
    assertThat(root.resolve(MEMORIES)).doesNotExist();
    assertThat(Folders.digests(root.resolve(".quarantine/" + MEMORIES))).isEqualTo(before);
    Map<?, ?> note = note(MEMORIES);
    assertThat(note.get("version")).isEqualTo(1f);
    assertThat(note.get("what")).isEqualTo("collection");
    assertThat(note.get("when")).isEqualTo("2026-11-23T23:11:25.123Z");
    assertThat(note.get("why")).isEqualTo("It is gone \"quoted\" 多.");
    assertThat(note.get("kind")).isEqualTo("metadata_missing");
    assertThat(note.get("folder")).isEqualTo(MEMORIES);
    assertThat(note.get("file")).isEqualTo("");
    assertThat(note.get("reviewed")).isEqualTo(false);
    assertThat(note.get("files"))
        .asInstanceOf(LIST)
        .hasSize(before.size())
        .allSatisfy(file -> {
          Map<?, ?> sum = (Map<?, ?>) file;
          assertThat(sum.get("sha256")).isEqualTo(before.get(String.valueOf(sum.get("path"))));
        });
  }

  @Test
  void aDocumentsFileMovesIntoAFolderOfItsOwn() throws Exception {
    byte[] content = Files.readAllBytes(root.resolve(MEMORIES).resolve(DOCUMENT));
    String entry = quarantine().move(MEMORIES, DOCUMENT, "document_unreadable", "why");
    assertThat(entry).isEqualTo("e9f85bf6.11ad2331");
    assertThat(root.resolve(MEMORIES).resolve(DOCUMENT)).doesNotExist();
    assertThat(root.resolve(".quarantine").resolve(entry).resolve(DOCUMENT))
        .hasBinaryContent(content);
    Map<?, ?> note = note(entry);
    assertThat(note.get("what")).isEqualTo("document");
    assertThat(note.get("file")).isEqualTo(DOCUMENT);
    assertThat(note.get("files"))
        .isEqualTo(
            List.of(
                Map.of(
                    "path", DOCUMENT, "bytes", (float) content.length, "sha256", sha256(content))));
  }

  @Test
  void asManyNamesakesAsComeAreKeptApart() throws Exception {
    Path file = root.resolve(MEMORIES).resolve(DOCUMENT);
    for (int n = 1; n <= 3; n++) {
      Files.writeString(file, "version " + n);
      String expected = "e9f85bf6.11ad2331" + (n == 1 ? "" : "." + n);
      assertThat(quarantine().move(MEMORIES, DOCUMENT, "kind", "why " + n)).isEqualTo(expected);
      assertThat(root.resolve(".quarantine").resolve(expected).resolve(DOCUMENT))
          .hasContent("version " + n);
      assertThat(note(expected).get("why")).isEqualTo("why " + n);
    }
    assertThat(quarantine().move(MEMORIES, "", "kind", "why")).isEqualTo(MEMORIES);
    Files.createDirectory(root.resolve(MEMORIES));
    Files.writeString(root.resolve(MEMORIES).resolve(DOCUMENT), "a namesake's");
    assertThat(quarantine().move(MEMORIES, "", "kind", "why")).isEqualTo(MEMORIES + ".2");
    assertThat(quarantine().list()).hasSize(5);
  }

  @Test
  void aNoteWithoutItsEntryIsNotWrittenOver() throws Exception {
    Files.createDirectories(root.resolve(".quarantine"));
    Files.writeString(root.resolve(".quarantine/e9f85bf6.json"), "precious");
    assertThat(quarantine().move(MEMORIES, "", "kind", "why")).isEqualTo("e9f85bf6.2");
    assertThat(root.resolve(".quarantine/e9f85bf6.json")).hasContent("precious");
  }

  @Test
  void theListTellsWhatTheNotesSay() throws Exception {
    quarantine().move(MEMORIES, DOCUMENT, "kind", "one document");
    quarantine().move(MEMORIES, "", "kind", "the rest");
    String when = "2026-11-23T23:11:25.123Z";
    assertThat(quarantine().list())
        .containsExactly(
            new QuarantineEntry(
                MEMORIES,
                MEMORIES,
                "",
                "the rest",
                when,
                "kind",
                OptionalInt.of(5),
                false,
                false,
                "folder:" + sha256sum(root.resolve(".quarantine").resolve(MEMORIES))),
            new QuarantineEntry(
                "e9f85bf6.11ad2331",
                MEMORIES,
                DOCUMENT,
                "one document",
                when,
                "kind",
                OptionalInt.of(1),
                false,
                false,
                "file:"
                    + sha256(
                        Files.readAllBytes(
                            root.resolve(".quarantine/e9f85bf6.11ad2331").resolve(DOCUMENT)))));
  }

  /** Of what the program of that name prints of all files, in order of names. */
  private static String sha256sum(Path folder) throws Exception {
    StringBuilder lines = new StringBuilder();
    for (Disk.Entry file : new LocalDisk().list(folder)) {
      lines
          .append(sha256(Files.readAllBytes(file.path())))
          .append("  ")
          .append(file.name())
          .append('\n');
    }
    return sha256(lines.toString().getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void whatIsServedAllTheSameIsToldFromWhatIsNot() throws Exception {
    quarantine().moveMended(MEMORIES, DOCUMENT, "kind", "written again from another copy");
    quarantine().move("a1ef3a3d", "", "kind", "why");
    assertThat(note("e9f85bf6.11ad2331").get("mended")).isEqualTo(true);
    assertThat(note("a1ef3a3d").get("mended")).isEqualTo(false);
    assertThat(quarantine().list())
        .extracting(QuarantineEntry::mended)
        .containsExactly(false, true);
  }

  @Test
  void anEntryCountsWithoutItsNote() throws Exception {
    quarantine().move(MEMORIES, DOCUMENT, "kind", "why");
    quarantine().move("a1ef3a3d", "", "kind", "why");
    Files.delete(root.resolve(".quarantine/e9f85bf6.11ad2331.json"));
    Files.writeString(root.resolve(".quarantine/a1ef3a3d.json"), "{\"why\": \"cut o");
    List<QuarantineEntry> entries = quarantine().list();
    assertThat(entries).extracting(QuarantineEntry::folder).containsExactly("a1ef3a3d", MEMORIES);
    assertThat(entries).extracting(QuarantineEntry::file).containsExactly("", DOCUMENT);
    assertThat(entries).extracting(QuarantineEntry::why).containsExactly("", "");
    assertThat(entries)
        .extracting(QuarantineEntry::documents)
        .containsExactly(OptionalInt.of(40), OptionalInt.of(1));
  }

  @Test
  void aNoteThatIsNoFileIsNotWaitedFor() throws Exception {
    quarantine().move(MEMORIES, "", "kind", "why");
    Path note = root.resolve(".quarantine/e9f85bf6.json");
    Files.delete(note);
    assertThat(new ProcessBuilder("mkfifo", note.toString()).inheritIO().start().waitFor())
        .isZero();
    assertThat(quarantine().list()).extracting(QuarantineEntry::name).containsExactly(MEMORIES);
  }

  @Test
  void anEntryThatWasNeverFilledIsNotListed() throws Exception {
    Files.createDirectories(root.resolve(".quarantine/e9f85bf6.11ad2331"));
    Files.writeString(root.resolve(".quarantine/stray"), "x");
    assertThat(quarantine().list()).isEmpty();
  }

  @Test
  void anEmptyQuarantineIsListed() throws Exception {
    assertThat(quarantine().list()).isEmpty();
    Files.createDirectories(root.resolve(".quarantine"));
    assertThat(quarantine().list()).isEmpty();
  }

  @Test
  void aLongNameIsShortened() throws Exception {
    String longest = "x".repeat(251) + ".gob";
    Files.writeString(root.resolve(MEMORIES).resolve(longest), "x");
    String entry = quarantine().move(MEMORIES, longest, "kind", "why");
    assertThat(entry).hasSize(17);
    assertThat(root.resolve(".quarantine").resolve(entry).resolve(longest)).hasContent("x");
    assertThat(quarantine().list())
        .singleElement()
        .satisfies(found -> {
          assertThat(found.folder()).isEqualTo(MEMORIES);
          assertThat(found.file()).isEqualTo(longest);
        });
  }

  @Test
  void aLongFolderNameIsShortened() throws Exception {
    String longest = "x".repeat(255);
    Files.move(root.resolve(MEMORIES), root.resolve(longest));
    String entry = quarantine().move(longest, "", "kind", "why");
    assertThat(root.resolve(".quarantine").resolve(entry).resolve(DOCUMENT)).isRegularFile();
    assertThat(quarantine().list()).extracting(QuarantineEntry::folder).containsExactly(longest);
  }

  @Test
  void aFolderWithFoldersLinksAndFifosMovesAsItIs() throws Exception {
    Path folder = root.resolve(MEMORIES);
    Files.createDirectories(folder.resolve("inside/deep"));
    Files.createSymbolicLink(folder.resolve("link.gob"), folder.resolve("nowhere"));
    assertThat(
            new ProcessBuilder("mkfifo", folder.resolve("fifo.gob").toString()).start().waitFor())
        .isZero();
    quarantine().move(MEMORIES, "", "kind", "why");
    Path kept = root.resolve(".quarantine").resolve(MEMORIES);
    assertThat(kept.resolve("inside/deep")).isDirectory();
    assertThat(kept.resolve("link.gob")).isSymbolicLink();
    assertThat(kept.resolve("fifo.gob")).exists();
    assertThat(String.valueOf(note(MEMORIES).get("files"))).contains("not a file");
  }

  @Test
  void whatIsNotThereCannotBeMoved() throws Exception {
    assertThatThrownBy(() -> quarantine().move(MEMORIES, "absent.gob", "kind", "why"))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> quarantine().move("absent", "", "kind", "why"))
        .isInstanceOf(IOException.class);
    assertThat(quarantine().list()).isEmpty();
  }

  @Test
  void aNameThatIsNoPathIsAnIoFailure() {
    assertThatThrownBy(() -> quarantine().move(MEMORIES, "\0.gob", "kind", "why"))
        .isInstanceOf(IOException.class);
  }

  @Test
  void aThingWhoseNoteCannotBeWrittenGoesBack() throws Exception {
    Map<String, String> before = Folders.digests(root);
    Disk noNotes = new FailingWrites(new LocalDisk());
    Quarantine quarantine = store(root, noNotes).quarantine();
    for (String file : List.of("", DOCUMENT)) {
      assertThatThrownBy(() -> quarantine.move(MEMORIES, file, "kind", "why"))
          .isInstanceOf(IOException.class)
          .hasMessage("No space left on device");
      assertThat(Folders.digests(root)).isEqualTo(before);
    }
    assertThat(quarantine.list()).isEmpty();
  }

  @Test
  void aQuarantineThatIsALinkIsRefused() throws Exception {
    Path elsewhere = Files.createDirectory(root.resolve("elsewhere"));
    Files.createSymbolicLink(root.resolve(".quarantine"), elsewhere);
    assertThatThrownBy(() -> quarantine().move(MEMORIES, "", "kind", "why"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not a link");
    assertThat(root.resolve(MEMORIES)).isDirectory();
    assertThatThrownBy(() -> quarantine().list())
        .as("what it hides is not known, which is no empty quarantine")
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not a link");
  }

  @Test
  void whatTheStoreWroteItselfMovesTheSameWay() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder =
        store.create(new StoredCollection("notes", Map.of()), Compression.GZIP, _ -> false);
    store.quarantine().move(folder.name(), write(folder, "a", "x"), "kind", "why");
    assertThat(store.quarantine().list())
        .extracting(QuarantineEntry::documents)
        .containsExactly(OptionalInt.of(1));
  }
}
