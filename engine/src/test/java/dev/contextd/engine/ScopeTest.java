package dev.contextd.engine;

import static dev.contextd.engine.Given.doc;
import static dev.contextd.engine.Given.hits;
import static dev.contextd.engine.Given.ids;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.contextd.testkit.StoreRoot;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tenants in one collection: each sees, counts, finds and deletes its own, and no more. */
class ScopeTest {
  private static final Set<String> RESERVED = Set.of("tenant_id", "team_id", "project_id");
  private static final Scope ACME = scope(Map.of("tenant_id", "acme"));
  private static final Scope TEAM = scope(Map.of("tenant_id", "acme", "team_id", "red"));
  private static final Scope OTHER = scope(Map.of("tenant_id", "other"));

  @RegisterExtension final StoreRoot root = new StoreRoot();
  private VectorStore store;
  private VectorCollection everything;
  private VectorCollection acme;
  private VectorCollection team;
  private VectorCollection other;

  private static Scope scope(Map<String, String> stamps) {
    return new Scope(stamps, RESERVED);
  }

  @BeforeEach
  void threeTenants() throws Exception {
    store = Given.open(root.path());
    everything = store.getOrCreate("notes", Scope.ALL);
    acme = store.getOrCreate("notes", ACME);
    team = store.getOrCreate("notes", TEAM);
    other = store.getOrCreate("notes", OTHER);
    everything.upsert(List.of(doc("nobody's", 1, 0)));
    acme.upsert(List.of(doc("a1", 1, 0), doc("a2", Map.of("k", "1"))));
    team.upsert(List.of(doc("t1", 1, 0)));
    other.upsert(List.of(doc("o1", 1, 0), doc("o2", Map.of("k", "1"))));
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void documentsAreStamped() {
    assertThat(everything.get("a1").orElseThrow().metadata())
        .containsOnly(Map.entry("tenant_id", "acme"));
    assertThat(everything.get("t1").orElseThrow().metadata())
        .containsOnly(Map.entry("tenant_id", "acme"), Map.entry("team_id", "red"));
    assertThat(everything.get("a2").orElseThrow().metadata()).containsEntry("k", "1");
  }

  @Test
  void countsPagesAndGetsAreFiltered() {
    assertThat(everything.count()).isEqualTo(6);
    assertThat(acme.count()).isEqualTo(3);
    assertThat(team.count()).isEqualTo(1);
    assertThat(other.info().count()).isEqualTo(2);
    assertThat(store.collections(ACME)).extracting(CollectionInfo::count).containsExactly(3L);
    assertThat(ids(acme.page(Optional.empty(), 2).documents())).containsExactly("a1", "a2");
    assertThat(acme.page(Optional.empty(), 2).next()).hasValue("a2");
    assertThat(ids(acme.page(Optional.of("a2"), 2).documents())).containsExactly("t1");
    assertThat(acme.page(Optional.of("a2"), 2).next()).isEmpty();
    assertThat(ids(other.get(List.of("a1", "o2", "nobody's")))).containsExactly("o2");
    assertThat(team.get("a1")).isEmpty();
  }

  @Test
  void queriesAreFiltered() {
    Query query = Query.nearest(new float[] {1, 0}, 10);
    assertThat(hits(everything.query(query))).hasSize(6);
    QueryResult result = acme.query(query);
    assertThat(hits(result)).containsExactly("a1", "a2", "t1");
    assertThat(result.coverage().searched()).isEqualTo(3);
    Filter k = new Filter.Equal("k", "1");
    assertThat(hits(acme.query(query.where(k)))).containsExactly("a2");
    assertThat(hits(other.query(query.where(new Filter.Not(k))))).containsExactly("o1");
    assertThat(hits(other.query(query.where(new Filter.Or(List.of(k, new Filter.Not(k)))))))
        .containsExactly("o1", "o2");
    assertThat(hits(other.query(query.whereDocument(new TextFilter.Contains("of a"))))).isEmpty();
  }

  @Test
  void deletesAreFiltered() {
    assertThat(other.delete(List.of("a1", "t1", "nobody's", "o1"))).isEqualTo(1);
    assertThat(other.deleteWhere(new Filter.Exists("k", true))).isEqualTo(1);
    assertThat(acme.count()).isEqualTo(3);
    assertThat(acme.deleteWhere(new Filter.And(List.of()))).isEqualTo(3);
    assertThat(ids(everything.page(Optional.empty(), 10).documents())).containsExactly("nobody's");
  }

  @Test
  void anIdThatAnotherTenantOwnsIsTakenAndNothingMoreIsSaid() {
    for (VectorCollection stranger : List.of(other, team)) {
      assertThatThrownBy(() -> stranger.upsert(List.of(doc("mine", 1, 0), doc("a1", 0, 1))))
          .isInstanceOfSatisfying(
              StoreException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.DOCUMENT_CONFLICT))
          .hasMessage("the id \"a1\" is taken; choose another");
      assertThat(stranger.get("mine")).isEmpty();
    }
    assertThat(acme.get("a1").orElseThrow().embedding()).containsExactly(1, 0);
    acme.upsert(List.of(doc("a1", 0, 1)));
    acme.upsert(List.of(doc("t1", 0, 1)));
    assertThat(team.count()).as("the team's document was replaced by the tenant's").isZero();
  }

  @Test
  void reservedFieldsCannotBeNamed() {
    Query query = Query.nearest(new float[] {1, 0}, 10);
    for (String field : RESERVED) {
      Filter hidden =
          new Filter.Not(
              new Filter.Or(List.of(new Filter.And(List.of(new Filter.Exists(field, true))))));
      forbidden(() -> acme.query(query.where(hidden)), "where names \"" + field + "\"");
      forbidden(() -> acme.deleteWhere(hidden), "where names \"" + field + "\"");
      forbidden(
          () -> acme.upsert(List.of(doc("x", Map.of(field, "acme")))),
          "metadata names \"" + field + "\"");
    }
    assertThat(everything.count()).isEqualTo(6);
    everything.upsert(List.of(doc("x", Map.of("tenant_id", "acme"))));
    assertThat(acme.get("x")).isPresent();
  }

  @Test
  void aCollectionCannotBeDeletedByATenant() {
    forbidden(() -> store.delete("notes", ACME), "shared between tenants");
    assertThat(everything.count()).isEqualTo(6);
  }

  private static void forbidden(Runnable call, String message) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.FORBIDDEN))
        .hasMessageContaining(message);
  }
}
