package dev.contextd.storage.disk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.disk.Disk.Image;
import dev.contextd.storage.disk.Disk.UndoFailedException;
import dev.contextd.storage.disk.FailingFileSystem.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All or nothing, whichever step of a write fails. */
class FailedWriteTest {
  private static final Map<String, String> BEFORE = Map.of("a.gob", "old a", "c.gob", "old c");
  private static final Map<String, String> AFTER =
      Map.of("a.gob", "new a", "b.gob", "new b", "c.gob", "new c", "d.gob", "new d");

  @TempDir Path folder;
  private final LocalDisk disk = new LocalDisk();
  private final List<String> steps = new ArrayList<>();

  /** Writes four files, two of them new; what fails is the {@code nth} step of the write. */
  private void write(FailingFileSystem.Watch watch) throws IOException {
    for (var file : BEFORE.entrySet()) {
      Files.writeString(folder.resolve(file.getKey()), file.getValue());
    }
    Path watched = FailingFileSystem.watched(folder, watch);
    List<Image> images = new ArrayList<>();
    for (var file : new TreeMap<>(AFTER).entrySet()) {
      images.add(new Image(watched.resolve(file.getKey()), file.getValue().getBytes(UTF_8)));
    }
    disk.replaceDurably(images);
  }

  private Map<String, String> content() throws IOException {
    Map<String, String> content = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        content.put(folder.relativize(file).toString(), Files.readString(file));
      }
    }
    return content;
  }

  private void clear() throws IOException {
    for (String name : content().keySet()) {
      Files.delete(folder.resolve(name));
    }
    steps.clear();
  }

  private int count(FailingFileSystem.Watch watch) throws IOException {
    write((operation, name) -> {
      steps.add(operation + " " + name);
      watch.before(operation, name);
    });
    int count = steps.size();
    clear();
    return count;
  }

  @Test
  void everythingIsOnDiskBeforeAnythingIsVisible() throws Exception {
    write((operation, name) -> steps.add(operation.toString()));
    assertThat(content()).isEqualTo(AFTER);
    List<String> expected = new ArrayList<>();
    for (Operation step : List.of(Operation.CREATE, Operation.SYNC, Operation.RENAME)) {
      expected.addAll(Collections.nCopies(AFTER.size(), step.toString()));
    }
    expected.add(Operation.SYNC_DIRECTORY.toString());
    assertThat(steps).isEqualTo(expected);
  }

  @Test
  void whicheverStepFailsEverythingIsAsItWas() throws Exception {
    int all = count((_, _) -> {});
    for (int n = 0; n < all; n++) {
      int failing = n;
      assertThatThrownBy(() -> write((operation, name) -> failAt(failing, operation, name)))
          .as("step %d", n)
          .isInstanceOf(IOException.class)
          .isNotInstanceOf(UndoFailedException.class)
          .hasMessage("injected");
      assertThat(content()).as(steps.toString()).isEqualTo(BEFORE);
      clear();
    }
  }

  private void failAt(int failing, Operation operation, String name) throws IOException {
    steps.add(operation + " " + name);
    if (steps.size() - 1 == failing) {
      throw new IOException("injected");
    }
  }

  @Test
  void anUndoThatFailsIsSaid() throws Exception {
    List<String> renamed = new ArrayList<>();
    assertThatThrownBy(() ->
            write((operation, name) -> {
              if (operation == Operation.RENAME) {
                renamed.add(name);
              }
              if (renamed.size() >= 3) {
                throw new IOException("injected"); // the disk has failed for good
              }
            }))
        .isInstanceOf(UndoFailedException.class)
        .hasMessageContaining("partly new")
        .hasRootCauseMessage("injected");
    assertThat(content()).containsEntry("a.gob", "new a").containsEntry("c.gob", "old c");
  }

  @Test
  void aMoveWhoseFolderCannotBeSyncedIsMovedBack() throws Exception {
    Path source = Files.writeString(folder.resolve("source"), "x");
    Files.createDirectory(folder.resolve("to"));
    for (int n = 1; n <= 2; n++) {
      int failing = n;
      steps.clear();
      Path watched =
          FailingFileSystem.watched(
              folder,
              (operation, name) -> {
                if (operation == Operation.SYNC_DIRECTORY) {
                  steps.add(name);
                  if (steps.size() == failing) {
                    throw new IOException("injected");
                  }
                }
              });
      assertThatThrownBy(() -> disk.move(watched.resolve("source"), watched.resolve("to/target")))
          .isInstanceOf(IOException.class)
          .hasMessage("injected");
      assertThat(source).hasContent("x");
      assertThat(folder.resolve("to")).isEmptyDirectory();
    }
  }

  @Test
  void aMoveThatCannotBeTakenBackIsSaid() throws Exception {
    Files.writeString(folder.resolve("source"), "x");
    Path watched =
        FailingFileSystem.watched(
            folder,
            (operation, name) -> {
              if (operation == Operation.SYNC_DIRECTORY || name.equals("source")) {
                throw new IOException("injected");
              }
            });
    assertThatThrownBy(() -> disk.move(watched.resolve("source"), watched.resolve("target")))
        .isInstanceOf(UndoFailedException.class)
        .hasMessageContaining("not durably");
    assertThat(folder.resolve("target")).hasContent("x");
  }
}
