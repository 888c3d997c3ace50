package dev.contextd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.engine.Document;
import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorCollection;
import dev.contextd.engine.VectorStore;
import dev.contextd.testkit.StoreRoot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A store of 22 collections, backed up, then damaged in each folder, and brought back. */
@Isolated // Standard output is the process's.
class DrillTest {
  private static final int COLLECTIONS = 22;
  private static final int DOCUMENTS = 30;
  private static final int DIMENSION = 16;

  @RegisterExtension final StoreRoot root = new StoreRoot();

  /** What happens to one folder. */
  private enum Fault {
    METADATA_GONE(true),
    METADATA_CUT(true),
    METADATA_EMPTY(true),
    METADATA_GARBAGE(true),
    DOCUMENT_CUT(true),
    DOCUMENT_EMPTY(true),
    DOCUMENT_GARBAGE(true),
    BOTH_GARBAGE(true),
    /** In a folder never seen before nobody can know of it. */
    DOCUMENT_GONE(false),
    /** The same size and time: only reading every byte finds it. */
    DOCUMENT_BIT_TURNED(false),
    METADATA_BIT_TURNED(false);

    private final boolean isFoundByStrangers;

    Fault(boolean isFoundByStrangers) {
      this.isFoundByStrangers = isFoundByStrangers;
    }
  }

  private Map<String, Document> everything() throws IOException {
    Map<String, Document> all = new TreeMap<>();
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      for (var info : store.collections(Scope.ALL)) {
        all.put(info.name(), new Document("", "", new float[0], info.metadata()));
        VectorCollection collection = store.collection(info.name(), Scope.ALL).orElseThrow();
        for (Document one : collection.page(Optional.empty(), 1_000).documents()) {
          all.put(info.name() + "/" + one.id(), one);
        }
      }
    }
    return all;
  }

  private void fill(Random random) throws IOException {
    try (VectorStore store = VectorStore.open(root.path(), StoreOptions.defaults())) {
      for (int c = 0; c < COLLECTIONS; c++) {
        String name = "collection " + c;
        store.create(name, Map.of("number", "" + c));
        List<NewDocument> documents = new ArrayList<>();
        for (int i = 0; i < DOCUMENTS; i++) {
          float[] vector = new float[DIMENSION];
          for (int j = 0; j < DIMENSION; j++) {
            vector[j] = (float) random.nextGaussian();
          }
          documents.add(
              NewDocument.of("id " + i, "text " + i + " of " + name, vector)
                  .withMetadata(Map.of("k", "v" + i)));
        }
        store.collection(name, Scope.ALL).orElseThrow().upsert(documents);
      }
    }
  }

  private static List<Path> folders(Path root) throws IOException {
    try (var all = Files.list(root)) {
      return all.filter(one -> !one.getFileName().toString().startsWith(".")).sorted().toList();
    }
  }

  private static void damage(Path folder, Fault fault, Random random) throws IOException {
    Path metadata = folder.resolve("00000000.gob");
    Path document;
    try (var files = Files.list(folder)) {
      List<Path> all = files.filter(one -> !one.equals(metadata)).sorted().toList();
      document = all.get(random.nextInt(all.size()));
    }
    switch (fault) {
      case METADATA_GONE -> Files.delete(metadata);
      case METADATA_CUT -> cut(metadata);
      case METADATA_EMPTY -> Files.write(metadata, new byte[0]);
      case METADATA_GARBAGE -> Files.writeString(metadata, "garbage");
      case DOCUMENT_CUT -> cut(document);
      case DOCUMENT_EMPTY -> Files.write(document, new byte[0]);
      case DOCUMENT_GARBAGE -> Files.writeString(document, "garbage");
      case BOTH_GARBAGE -> {
        Files.writeString(metadata, "garbage");
        Files.writeString(document, "garbage");
      }
      case DOCUMENT_GONE -> Files.delete(document);
      case DOCUMENT_BIT_TURNED -> turnBit(document, random);
      case METADATA_BIT_TURNED -> turnBit(metadata, random);
    }
  }

  private static void cut(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(content, content.length / 2));
  }

  private static void turnBit(Path file, Random random) throws IOException {
    FileTime time = Files.getLastModifiedTime(file);
    byte[] content = Files.readAllBytes(file);
    content[random.nextInt(content.length)] ^= (byte) (1 << random.nextInt(8));
    Files.write(file, content);
    Files.setLastModifiedTime(file, time);
  }

  private String ctxd(String... words) throws IOException {
    Path config = Files.writeString(root.beside("c.yaml"), "embeddings: {provider: none}\n");
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("--path", root.path().toString(), "--config", config.toString()));
    PrintStream out = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      int code = Main.run(all.toArray(String[]::new));
      return code + "\n" + printed.toString(StandardCharsets.UTF_8);
    } finally {
      System.setOut(out);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyFolderComesBack(boolean isKnown) throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("everyFolderComesBack: repeat with -Dseed=" + seed);
    Random random = new Random(seed);
    fill(random);
    Map<String, Document> before = everything();
    assertThat(before).hasSize(COLLECTIONS * (DOCUMENTS + 1));
    assertThat(ctxd("backup", "create")).startsWith("0\n");
    if (!isKnown) {
      removeTree(root.path().resolve(".contextd"));
    }
    List<Fault> faults =
        Arrays.stream(Fault.values()).filter(one -> isKnown || one.isFoundByStrangers).toList();
    List<Path> folders = folders(root.path());
    for (int i = 0; i < folders.size(); i++) {
      damage(folders.get(i), faults.get(i % faults.size()), random);
    }
    ctxd("repair", "--yes");
    ctxd("verify");
    String health = ctxd("health");
    assertThat(health).as(ctxd("repair", "--dry-run")).startsWith("0\nhealthy");
    Map<String, Document> after = everything();
    assertThat(after.keySet()).isEqualTo(before.keySet());
    before.forEach((name, document) -> {
      Document same = java.util.Objects.requireNonNull(after.get(name));
      assertThat(same.content()).as(name).isEqualTo(document.content());
      assertThat(same.metadata()).as(name).isEqualTo(document.metadata());
      assertThat(same.embedding()).as(name).isEqualTo(document.embedding());
    });
  }

  private static void removeTree(Path folder) throws IOException {
    try (var walk = Files.walk(folder)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
