package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.engine.Given.doc;
import static dev.contextd.engine.Given.ids;
import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.StoreRoot;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pages: in the order of the ids' unsigned UTF-8 bytes, nothing twice, nothing left out. */
class PagesTest {
  /** Neighbours in UTF-16 that UTF-8 orders otherwise, prefixes, and bytes beyond 127. */
  private static final List<String> LETTERS =
      List.of("a", "z", "\0", "\u007f", "\u0080", "\u07ff", "\ud7ff", "\ue000", "\uffff")
          .reversed();

  private static final List<String> PAIRS = List.of("\ud800\udc00", "\udbff\udfff", "\ud83d\udea8");

  @RegisterExtension final StoreRoot root = new StoreRoot();

  @Test
  void pagesGoByUnsignedBytes() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    Set<String> ids = new TreeSet<>();
    ids.addAll(LETTERS);
    ids.addAll(PAIRS);
    while (ids.size() < 500) {
      StringBuilder id = new StringBuilder();
      for (int n = random.nextInt(1, 6); n > 0; n--) {
        List<String> from = random.nextBoolean() ? LETTERS : PAIRS;
        id.append(from.get(random.nextInt(from.size())));
      }
      ids.add(id.toString());
    }
    List<String> expected = new ArrayList<>(ids);
    expected.sort((a, b) -> Arrays.compareUnsigned(utf8(a), utf8(b)));
    try (VectorStore store = Given.open(root.path())) {
      store.getOrCreate("notes", Scope.ALL).upsert(ids.stream().map(id -> doc(id, 1, 0)).toList());
      assertThat(read(collection(store, "notes"), 7)).as("seed %d", seed).isEqualTo(expected);
    }
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = collection(store, "notes");
      assertThat(read(notes, 1)).as("seed %d", seed).isEqualTo(expected);
      assertThat(read(notes, 1_000)).as("seed %d", seed).isEqualTo(expected);
      assertThat(notes.page(Optional.of("\uffff\uffff"), 10).next()).isPresent();
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void theLastPageSaysSo() throws Exception {
    try (VectorStore store = Given.open(root.path())) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      assertThat(notes.page(Optional.empty(), 1)).isEqualTo(new Page(List.of(), Optional.empty()));
      notes.upsert(List.of(doc("a", 1, 0), doc("b", 1, 0), doc("d", 1, 0)));
      assertThat(notes.page(Optional.empty(), 3).next()).isEmpty();
      assertThat(notes.page(Optional.empty(), 2).next()).hasValue("b");
      assertThat(ids(notes.page(Optional.of("b"), 2).documents())).containsExactly("d");
      assertThat(ids(notes.page(Optional.of("c"), 2).documents())).containsExactly("d");
      assertThat(notes.page(Optional.of("d"), 2).documents()).isEmpty();
    }
  }

  @Test
  void aDocumentNotWrittenMeanwhileIsNeitherRepeatedNorSkipped() throws Exception {
    List<String> still = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      still.add("still-%03d".formatted(i));
    }
    try (VectorStore store = Given.open(root.path());
        ExecutorService threads = Executors.newSingleThreadExecutor()) {
      VectorCollection notes = store.getOrCreate("notes", Scope.ALL);
      notes.upsert(still.stream().map(id -> doc(id, 1, 0)).toList());
      AtomicBoolean done = new AtomicBoolean();
      Future<?> writer = threads.submit(() -> writeBetween(notes, done));
      try {
        for (int round = 0; round < 30; round++) {
          assertThat(read(notes, 9))
              .isSortedAccordingTo(String::compareTo)
              .doesNotHaveDuplicates()
              .containsAll(still);
        }
      } finally {
        done.set(true);
      }
      writer.get();
    }
  }

  private static void writeBetween(VectorCollection notes, AtomicBoolean done) {
    for (int i = 0; !done.get(); i = (i + 37) % 200) {
      List<String> moving = List.of("still-%03d.5".formatted(i), "a-%d".formatted(i));
      notes.upsert(moving.stream().map(id -> doc(id, 1, 0)).toList());
      if (i % 3 == 0) {
        notes.delete(moving);
      }
    }
  }

  private static List<String> read(VectorCollection notes, int limit) {
    List<String> found = new ArrayList<>();
    Optional<String> after = Optional.empty();
    do {
      Page page = notes.page(after, limit);
      assertThat(page.documents()).hasSizeLessThanOrEqualTo(limit);
      found.addAll(ids(page.documents()));
      after = page.next();
    } while (after.isPresent());
    return found;
  }
}
