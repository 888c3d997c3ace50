package dev.contextd.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.disk.Disk;
import dev.contextd.storage.disk.FileCalls;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.pack.Manifest;
import dev.contextd.testkit.PowerCalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * A kill between the two files of the manifest, and then the later one is lost: the elder one and
 * the journal tell everything, and no file's content goes that would else have stayed.
 *
 * <p>Repeat a failure with {@code -Dseed}.
 */
class LostManifestTest {
  private static final int WRITERS = 3;
  private static final int CALLS = 20;
  private static final Path OWN = PowerWorkload.ROOT.resolve(".contextd");
  private static final Path MANIFEST = OWN.resolve(Manifest.FILE);
  private static final Path COPY = OWN.resolve(Manifest.COPY);

  private final long seed = Long.getLong("seed", System.nanoTime());

  @Test
  void theElderCopyAndTheJournalTellEverything() throws Exception {
    PowerCalls disk = new PowerCalls();
    PowerWorkload workload =
        PowerWorkload.run(
            disk,
            seed,
            WRITERS,
            CALLS,
            StoreOptions.defaults(),
            (store, random) -> {
              if (random.nextInt(3) == 0) {
                store.checkpoint();
              }
            });
    int places = 0;
    for (int prefix = 0; prefix <= disk.logLength(); prefix++) {
      PowerCalls undamaged = disk.kill(prefix);
      if (isCopyBehind(undamaged)) {
        places++;
        PowerCalls damaged = disk.kill(prefix);
        losesManifest(damaged);
        assertThat(lost(workload, prefix, undamaged, damaged))
            .as("after %d operations; repeat with -Dseed=%d", prefix, seed)
            .isEmpty();
      }
    }
    System.out.printf("the later manifest was lost at %d places, -Dseed=%d%n", places, seed);
    assertThat(places).isPositive();
  }

  /** Before anything is cut that the elder one would need. */
  @Test
  void theNextCheckpointBringsTheCopyUpToDate() throws Exception {
    PowerCalls calls = new PowerCalls();
    Disk disk = new LocalDisk(calls);
    try (VectorStore store = PowerWorkload.open(calls)) {
      store.upsert("notes", List.of(NewDocument.of("a", "text", new float[] {1, 0})), Scope.ALL);
    }
    disk.replaceDurably(List.of(new Disk.Image(COPY, new byte[] {1})));
    try (VectorStore store = PowerWorkload.open(calls)) {
      store.checkpoint();
      assertThat(disk.read(COPY)).isEqualTo(disk.read(MANIFEST));
    }
  }

  private static boolean isCopyBehind(PowerCalls calls) throws IOException {
    Disk disk = new LocalDisk(calls);
    return disk.exists(COPY) && !Arrays.equals(disk.read(MANIFEST), disk.read(COPY));
  }

  private static void losesManifest(PowerCalls calls) throws IOException {
    calls.remove(MANIFEST);
    try (FileCalls.OpenFile file = calls.create(MANIFEST)) {
      file.append(ByteBuffer.wrap("garbage".getBytes(StandardCharsets.US_ASCII)));
    }
  }

  /** Contents of gob files that an opening keeps, and one without the later manifest does not. */
  private static List<String> lost(
      PowerWorkload workload, int prefix, PowerCalls undamaged, PowerCalls damaged)
      throws IOException {
    Map<String, Integer> before = gobContents(damaged);
    openAndClose(workload, prefix, undamaged);
    openAndClose(workload, prefix, damaged);
    Map<String, Integer> kept = gobContents(undamaged);
    Map<String, Integer> left = gobContents(damaged);
    List<String> lost = new ArrayList<>();
    before.forEach((content, count) -> {
      if (left.getOrDefault(content, 0) < Math.min(count, kept.getOrDefault(content, 0))) {
        lost.add(content.replaceAll("[^ -~]", "."));
      }
    });
    return lost;
  }

  private static void openAndClose(PowerWorkload workload, int prefix, PowerCalls calls)
      throws IOException {
    try (VectorStore store = PowerWorkload.open(calls)) {
      PowerCut.requireAcknowledged(workload, prefix, store);
    }
  }

  /** How often each content occurs, wherever it lies. */
  private static Map<String, Integer> gobContents(PowerCalls calls) throws IOException {
    Map<String, Integer> contents = new TreeMap<>();
    for (byte[] content : PowerGobs.below(calls, PowerWorkload.ROOT).values()) {
      contents.merge(new String(content, StandardCharsets.ISO_8859_1), 1, Integer::sum);
    }
    return contents;
  }
}
