package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.chromem.DocumentFormat;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.storage.gob.FormatException;
import dev.contextd.testkit.PowerCalls;
import dev.contextd.testkit.Survivors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * A process is killed, or loses its power, anywhere between a deletion and the store's end: the
 * trash has it all.
 */
class KilledDeletionTest {
  private static final Path TRASH = PowerWorkload.ROOT.resolve(".contextd/trash");

  /** How often power is lost after each operation. */
  private static final int POWER_CUTS = 10;

  private final long seed = Long.getLong("seed", System.nanoTime());

  /** What an opening brings back from the journal is encoded as memory encodes it. */
  @Test
  void aDeletedCollectionIsKeptByteForByte() throws Exception {
    PowerCalls calls = new PowerCalls();
    int before;
    try (VectorStore store = PowerWorkload.open(calls)) {
      store.upsert(
          "notes",
          List.of(
              NewDocument.of("a", "without metadata", new float[] {1, 0}),
              NewDocument.of("b", "with some", new float[] {0, 1}).withMetadata(Map.of("k", "v"))),
          Scope.ALL);
      before = calls.logLength();
      store.delete("notes", Scope.ALL);
    }
    Map<String, String> kept = inTrash(calls);
    assertThat(kept).hasSize(2);
    for (int prefix = before; prefix <= calls.logLength(); prefix++) {
      PowerCalls killed = calls.kill(prefix);
      if (isDeleted(killed)) {
        assertThat(inTrash(killed)).as("killed after %d operations", prefix).isEqualTo(kept);
      }
    }
  }

  /** As a restore does it: what gives way is deleted first, and brought back with the next one. */
  @Test
  void everyVersionThatWasDeletedIsKeptThoughTheDocumentIsThereAgain() throws Exception {
    PowerCalls calls = new PowerCalls();
    NavigableMap<Integer, String> deleted = new TreeMap<>();
    try (VectorStore store = PowerWorkload.open(calls)) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(NewDocument.of("a", "version 0", new float[] {1, 0})));
      store.checkpoint();
      for (int version = 0; version < 3; version++) {
        notes.delete(List.of("a"));
        deleted.put(calls.logLength(), "a: version " + version);
        String next = "version " + (version + 1);
        notes.upsert(List.of(NewDocument.of("a", next, new float[] {1, 0})));
      }
    }
    Random random = new Random(seed);
    for (int prefix = deleted.firstKey(); prefix <= calls.logLength(); prefix++) {
      Collection<String> expected = deleted.headMap(prefix, true).values();
      requireKept(calls.kill(prefix), expected, "killed after " + prefix);
      for (int i = 0; i < POWER_CUTS; i++) {
        requireKept(calls.crash(prefix, random), expected, "without power after " + prefix);
      }
    }
  }

  private void requireKept(PowerCalls found, Collection<String> expected, String when)
      throws Exception {
    PowerWorkload.open(found).close();
    assertThat(inTrash(found).keySet())
        .as("%s operations; repeat with -Dseed=%d", when, seed)
        .containsAll(expected);
  }

  /** What only the journal had is durable before the folder is in the trash, out of its reach. */
  @Test
  void aDeletedCollectionIsKeptThroughALossOfPower() throws Exception {
    PowerCalls calls = new PowerCalls();
    int before;
    try (VectorStore store = PowerWorkload.open(calls)) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(List.of(NewDocument.of("a", "zero", new float[] {1, 0})));
      store.checkpoint();
      notes.delete(List.of("a"));
      notes.upsert(List.of(NewDocument.of("a", "one", new float[] {1, 0})));
      notes.delete(List.of("a"));
      notes.upsert(List.of(NewDocument.of("b", "live", new float[] {1, 0})));
      before = calls.logLength();
      store.delete("notes", Scope.ALL);
    }
    Random random = new Random(seed);
    for (int prefix = before; prefix <= calls.logLength(); prefix++) {
      for (Survivors survivors : Survivors.values()) {
        PowerCalls found = calls.crash(prefix, survivors, random);
        if (isDeleted(found)) {
          assertThat(inTrash(found).keySet())
              .as("after %d operations, %s; repeat with -Dseed=%d", prefix, survivors, seed)
              .contains("a: zero", "a: one", "b: live");
        }
      }
    }
  }

  /** Opens and closes it. */
  private static boolean isDeleted(PowerCalls found) throws IOException {
    try (VectorStore store = PowerWorkload.open(found)) {
      return store.collections(Scope.ALL).isEmpty();
    }
  }

  /** The bytes of the documents in the trash by their content. */
  private static Map<String, String> inTrash(PowerCalls calls) throws IOException {
    Map<String, String> found = new TreeMap<>();
    PowerGobs.below(calls, TRASH)
        .forEach((path, bytes) -> {
          try {
            if (!path.endsWith("00000000.gob")) {
              StoredDocument document = DocumentFormat.decode(bytes).value();
              found.put(document.id() + ": " + document.content(), HexFormat.of().formatHex(bytes));
            }
          } catch (FormatException e) {
            // The kill or the loss of power came while it was being written.
          }
        });
    return found;
  }
}
