package dev.contextd.engine;

import static dev.contextd.engine.Given.collection;
import static dev.contextd.engine.Given.contents;
import static dev.contextd.engine.Given.doc;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.engine.VectorStore.ExportOptions;
import dev.contextd.engine.VectorStore.Imported;
import dev.contextd.storage.chromem.Compression;
import dev.contextd.storage.chromem.ExportFormat;
import dev.contextd.storage.chromem.ExportFormat.ExportedCollection;
import dev.contextd.storage.chromem.StoredCollection;
import dev.contextd.storage.chromem.StoredDocument;
import dev.contextd.testkit.Fixtures;
import dev.contextd.testkit.StoreRoot;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A whole store to one file and back: plain, compressed, encrypted. */
class ExportTest {
  private static final byte[] KEY =
      "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

  @RegisterExtension final StoreRoot root = new StoreRoot();

  static Stream<ExportOptions> forms() {
    return Stream.of(
        new ExportOptions(false, Optional.empty()),
        new ExportOptions(true, Optional.empty()),
        new ExportOptions(false, Optional.of(KEY)),
        new ExportOptions(true, Optional.of(KEY)));
  }

  @ParameterizedTest
  @MethodSource("forms")
  void aStoreComesBackAsItWas(ExportOptions form) throws Exception {
    Path file = root.beside("export");
    root.copyOf("chromem-go/plain");
    Map<String, Map<String, String>> before;
    try (VectorStore store = Given.open(root.path())) {
      store
          .getOrCreate("twins", Scope.ALL)
          .upsert(List.of(doc("doc-17633", 1), doc("doc-29150", 1)));
      before = contents(store);
      store.exportTo(file, form);
      assertThatThrownBy(() -> store.exportTo(file, form)).hasMessageContaining("exists");
    }
    try (VectorStore store = Given.open(root.beside("second"))) {
      Imported imported = store.importFrom(file, form.key());
      assertThat(imported).isEqualTo(new Imported(4, 48, List.of()));
      assertThat(contents(store)).isEqualTo(before);
      assertThat(store.importFrom(file, form.key())).isEqualTo(imported);
      assertThat(contents(store)).isEqualTo(before);
    }
    assertThat(StoreRoot.check(root.beside("second")).damage()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"export.gob, false", "export.gob.gz, false", "export.gob.gz.enc, true"})
  void anExportOfChromemGoIsImported(String name, boolean encrypted) throws Exception {
    Path file = Fixtures.path("chromem-go/" + name);
    Map<String, Map<String, String>> expected;
    root.copyOf("chromem-go/plain");
    try (VectorStore store = Given.open(root.path())) {
      expected = contents(store);
    }
    try (VectorStore store = Given.open(root.beside("second"))) {
      Imported imported = store.importFrom(file, encrypted ? Optional.of(KEY) : Optional.empty());
      assertThat(imported).isEqualTo(new Imported(3, 46, List.of()));
      assertThat(contents(store)).isEqualTo(expected);
    }
  }

  @Test
  void aWrongKeyAndAWrongFileAreSaidToBeThat() throws Exception {
    Path file = root.beside("export");
    try (VectorStore store = Given.open(root.path())) {
      store.getOrCreate("notes", Scope.ALL).upsert(List.of(doc("a", 1)));
      store.exportTo(file, new ExportOptions(false, Optional.of(KEY)));
      byte[] wrong = KEY.clone();
      wrong[0]++;
      refused(() -> store.importFrom(file, Optional.of(wrong)), "is no export");
      refused(() -> store.importFrom(file, Optional.empty()), "is no export");
      refused(() -> store.importFrom(file, Optional.of(new byte[16])), "has 32 bytes, found 16");
      Path text = Files.writeString(root.beside("text"), "not an export");
      refused(() -> store.importFrom(text, Optional.empty()), "is no export");
      Path document = root.path().resolve(collection(store, "notes").info().folder());
      refused(
          () -> store.importFrom(document.resolve("00000000.gob"), Optional.empty()),
          "is no export");
      assertThat(store.collections(Scope.ALL)).hasSize(1);
    }
  }

  private static void refused(Runnable call, String message) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT))
        .hasMessageContaining(message);
  }

  private Path export(String name, List<StoredDocument> documents) throws Exception {
    ExportedCollection collection =
        new ExportedCollection(new StoredCollection(name, Map.of()), documents);
    return Files.write(
        root.beside("export of " + name),
        ExportFormat.encode(List.of(collection), Compression.PLAIN, null, new SecureRandom()));
  }

  private static StoredDocument stored(String id, float... vector) {
    return new StoredDocument(id, null, vector, "content of " + id);
  }

  @Test
  void badDocumentsAreRefusedOneByOne() throws Exception {
    List<StoredDocument> documents = new ArrayList<>();
    for (int i = 0; i < 2_500; i++) {
      documents.add(stored("good-" + i, i, 1));
    }
    documents.add(3, stored("zero", 0, 0));
    documents.add(999, stored("nan", Float.NaN, 1));
    documents.add(1_000, stored("vectorless"));
    documents.add(1_001, stored("odd", 1, 0, 0));
    documents.add(stored("x".repeat(513), 1, 1));
    documents.add(new StoredDocument("dollar", Map.of("$k", "v"), new float[] {1, 1}, "content"));
    Path file = export("notes", documents);
    try (VectorStore store = Given.open(root.path())) {
      Imported imported = store.importFrom(file, Optional.empty());
      assertThat(imported.documents()).isEqualTo(2_500);
      assertThat(imported.refused())
          .hasSize(6)
          .anySatisfy(refusal -> assertThat(refusal).startsWith("zero: "))
          .anySatisfy(refusal -> assertThat(refusal).startsWith("nan: "))
          .anySatisfy(refusal -> assertThat(refusal).startsWith("vectorless: "))
          .anySatisfy(refusal -> assertThat(refusal).startsWith("odd: ").contains("dimension 3"))
          .anySatisfy(refusal -> assertThat(refusal).startsWith("xxx"))
          .anySatisfy(refusal -> assertThat(refusal).startsWith("dollar: "));
      assertThat(collection(store, "notes").count()).isEqualTo(2_500);
    }
  }

  /** The first document decided the dimension of all, so one odd vector cost 1,999 good ones. */
  @Test
  void aFirstDocumentOfAnotherDimensionCostsOnlyItself() throws Exception {
    List<StoredDocument> documents = new ArrayList<>();
    documents.add(stored("odd", 1, 0, 0));
    for (int i = 0; i < 1_999; i++) {
      documents.add(stored("good-" + i, i, 1));
    }
    Path file = export("notes", documents);
    try (VectorStore store = Given.open(root.path())) {
      Imported imported = store.importFrom(file, Optional.empty());
      assertThat(imported.documents()).isEqualTo(1_999);
      assertThat(imported.refused()).singleElement().asString().startsWith("odd: ");
      assertThat(collection(store, "notes").info().dimension()).hasValue(2);
    }
  }
}
