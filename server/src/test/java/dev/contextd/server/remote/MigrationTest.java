package dev.contextd.server.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.engine.NewDocument;
import dev.contextd.engine.Scope;
import dev.contextd.engine.StoreOptions;
import dev.contextd.engine.VectorStore;
import dev.contextd.qdrant.QdrantStore;
import dev.contextd.qdrant.testkit.FakeQdrant;
import dev.contextd.qdrant.testkit.Point;
import dev.contextd.resilience.remote.Migration;
import dev.contextd.resilience.remote.Migration.Progress;
import dev.contextd.testkit.StoreRoot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class MigrationTest {
  @RegisterExtension final StoreRoot root = new StoreRoot();

  private static void fill(VectorStore store) {
    store.create("empty", Map.of("kind", "none"));
    for (String name : List.of("notes", "diary")) {
      List<NewDocument> documents = new ArrayList<>();
      for (int i = 0; i < 700; i++) {
        documents.add(
            NewDocument.of(name + "/" + i, "text " + i, new float[] {i, 1, 2})
                .withMetadata(i % 2 == 0 ? Map.of() : Map.of("n", Integer.toString(i))));
      }
      store.upsert(name, documents, Scope.ALL);
    }
  }

  private VectorStore open(java.nio.file.Path path) throws Exception {
    return VectorStore.open(path, StoreOptions.defaults());
  }

  @Test
  void thereAndBackNothingIsChanged() throws Exception {
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore remote = Side.remote(server.port())) {
      List<Progress> told = new ArrayList<>();
      try (VectorStore store = open(root.path())) {
        fill(store);
        Migration.Result there = Migration.run(store, remote, told::add);
        assertThat(there.isComplete()).isTrue();
        assertThat(there.documents()).isEqualTo(1_400).isEqualTo(there.copied());
        assertThat(there.sumFrom()).isNotEqualTo("0".repeat(64));
        assertThat(Side.contents(remote)).isEqualTo(Side.contents(store));
        assertThat(told.getLast()).isEqualTo(new Progress("comparing", 1_400, 1_400));
        assertThat(told).contains(new Progress("copying", 500, 1_400));
        try (VectorStore back = open(root.beside("back"))) {
          assertThat(Migration.run(remote, back, _ -> {}).isComplete()).isTrue();
          assertThat(Side.contents(back)).isEqualTo(Side.contents(store));
          assertThat(back.collection("empty", Scope.ALL).orElseThrow().info().metadata())
              .isEqualTo(Map.of("kind", "none"));
        }
      }
      assertThat(StoreRoot.check(root.beside("back")).damage()).isEmpty();
    }
  }

  @Test
  void oneThatWasCutShortGoesOn() throws Exception {
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore remote = Side.remote(server.port());
        VectorStore store = open(root.path())) {
      fill(store);
      assertThatThrownBy(() ->
              Migration.run(
                  store,
                  remote,
                  progress -> {
                    if (progress.done() > 600) {
                      throw new IllegalStateException("cut");
                    }
                  }))
          .hasMessage("cut");
      Migration.Result rest = Migration.run(store, remote, _ -> {});
      assertThat(rest.isComplete()).isTrue();
      assertThat(rest.copied()).isPositive().isLessThan(1_400);
      assertThat(Migration.run(store, remote, _ -> {}).copied()).isZero();
    }
  }

  @Test
  void whatIsThereBesidesIsToldAndStays() throws Exception {
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore remote = Side.remote(server.port());
        VectorStore store = open(root.path())) {
      fill(store);
      remote.upsert(
          "notes", List.of(NewDocument.of("other", "", new float[] {1, 1, 1})), Scope.ALL);
      Migration.Result done = Migration.run(store, remote, _ -> {});
      assertThat(done.isComplete()).isTrue();
      assertThat(done.extra()).isOne();
      assertThat(remote.collection("notes", Scope.ALL).orElseThrow().get("other")).isPresent();
    }
  }

  /** A vector that is none, which Qdrant holds and nobody can search. */
  @Test
  void whatTheOtherSideCannotHoldCostsItselfAlone() throws Exception {
    try (FakeQdrant server = FakeQdrant.open();
        QdrantStore remote = Side.remote(server.port());
        VectorStore store = open(root.path())) {
      remote.upsert(
          "notes",
          List.of(
              NewDocument.of("a", "", new float[] {1, 1, 1}),
              NewDocument.of("b", "", new float[] {1, 2, 1})),
          Scope.ALL);
      String uuid = "045e8d12-e66b-5381-862d-a6c10b149cdb";
      server.put("notes", new Point(uuid, Map.of(), new float[] {Float.NaN, 1, 1}));
      Migration.Result done = Migration.run(remote, store, _ -> {});
      assertThat(done.isComplete()).isFalse();
      assertThat(done.copied()).isEqualTo(2);
      assertThat(done.different()).isOne();
      assertThat(done.examples()).anyMatch(line -> line.contains(uuid) && line.contains("finite"));
    }
  }
}
