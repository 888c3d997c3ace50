package dev.contextd.storage.folder;

import static dev.contextd.storage.folder.Folders.store;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.storage.FixtureData;
import dev.contextd.storage.Seed;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.gob.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The record of a collection's model, and the small JSON files beneath it. */
class ModelRecordTest {
  private static final String GOOD =
      "{\"version\": 1, \"embedding_model\": \"BAAI/bge\", \"dimension\": 384}";

  @TempDir Path root;

  @Test
  void aRecordComesBack() throws Exception {
    StoreFolder store = store(root);
    CollectionFolder folder =
        store.create(new StoredCollection("notes", Map.of()), Compression.PLAIN, _ -> false);
    assertThat(store.model(folder)).isEmpty();
    for (ModelRecord record :
        new ModelRecord[] {new ModelRecord("BAAI/bge", 384), new ModelRecord("多 \"q\"", 1)}) {
      store.recordModel(folder, record);
      assertThat(store.model(folder)).contains(record);
    }
    Path file = root.resolve(".contextd/collections/" + folder.name() + ".json");
    assertThat(FixtureData.json(Files.readAllBytes(file)))
        .isEqualTo(Map.of("version", 1f, "embedding_model", "多 \"q\"", "dimension", 1f));
  }

  @Test
  void aRecordOfALaterProgramIsReadWhereItSaysTheSame() throws Exception {
    String more = GOOD.replace("{", "{\"new\": [{\"version\": 9}], \"x\": {\"dimension\": 1}, ");
    assertThat(read(more)).contains(new ModelRecord("BAAI/bge", 384));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "{}",
        "[]",
        "null",
        "{\"version\":",
        "{\"version\": 2, \"embedding_model\": \"m\", \"dimension\": 1}",
        "{\"embedding_model\": \"m\", \"dimension\": 1}",
        "{\"version\": 1, \"dimension\": 1}",
        "{\"version\": 1, \"embedding_model\": \"\", \"dimension\": 1}",
        "{\"version\": 1, \"embedding_model\": null, \"dimension\": 1}",
        "{\"version\": 1, \"embedding_model\": \"m\"}",
        "{\"version\": 1, \"embedding_model\": \"m\", \"dimension\": 0}",
        "{\"version\": 1, \"embedding_model\": \"m\", \"dimension\": -1}",
        "{\"version\": 1, \"embedding_model\": \"m\", \"dimension\": 1.5}",
        "{\"version\": 1, \"embedding_model\": \"m\", \"dimension\": 99999999999}",
        "{\"version\": 1, \"embedding_model\": \"m\", \"dimension\": \"many\"}"
      })
  void whatIsNotUnderstoodIsNoRecord(String json) throws Exception {
    assertThat(read(json)).isEmpty();
  }

  private java.util.Optional<ModelRecord> read(String json) throws IOException {
    Path file = Files.writeString(root.resolve("record.json"), json);
    return ModelRecord.read(new LocalDisk(), file);
  }

  @Test
  void whatIsNoFileIsNoRecord() throws Exception {
    assertThat(ModelRecord.read(new LocalDisk(), root)).isEmpty();
    assertThat(ModelRecord.read(new LocalDisk(), root.resolve("absent"))).isEmpty();
    Files.createSymbolicLink(root.resolve("link"), root.resolve("absent"));
    assertThat(ModelRecord.read(new LocalDisk(), root.resolve("link"))).isEmpty();
  }

  @Test
  void everyCutAndEveryFlipIsReadOrRefused() {
    byte[] whole = GOOD.replace("{", "{\"a\": [1, {\"b\": null}], ").getBytes(UTF_8);
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> JsonFile.scalars(cut)).isInstanceOf(FormatException.class);
    }
    for (int bit = 0; bit < whole.length * Byte.SIZE; bit++) {
      requireReadOrRefused(FixtureData.flipped(whole, bit));
    }
  }

  @Test
  void garbageIsReadOrRefused() {
    Random random = Seed.random("ModelRecordTest.garbageIsReadOrRefused");
    byte[] alphabet = "{}[]\",:0123456789.eE+-truefalsnl\\u \n\0\u00ff".getBytes(UTF_8);
    for (int i = 0; i < 20_000; i++) {
      byte[] garbage = new byte[random.nextInt(60)];
      for (int at = 0; at < garbage.length; at++) {
        garbage[at] = at == 0 ? (byte) '{' : alphabet[random.nextInt(alphabet.length)];
      }
      requireReadOrRefused(garbage);
    }
    requireReadOrRefused("{\"a\":".repeat(100_000).getBytes(UTF_8));
    requireReadOrRefused(("{\"a\":" + "[".repeat(100_000)).getBytes(UTF_8));
    requireReadOrRefused(("{\"a\":" + "9".repeat(100_000) + "}").getBytes(UTF_8));
  }

  private static void requireReadOrRefused(byte[] json) {
    try {
      assertThat(JsonFile.scalars(json)).isNotNull();
    } catch (FormatException e) {
      assertThat(e.reason()).isNotEmpty();
    }
  }
}
