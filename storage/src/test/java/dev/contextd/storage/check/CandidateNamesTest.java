package dev.contextd.storage.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.chromem.Names;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CandidateNamesTest {
  private static final CandidateNames NAMES = CandidateNames.builtIn();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "contextd_memories",
        "contextd_default",
        "org_memories",
        "org_coding_standards",
        "memories"
      })
  void aBuiltInNameIsProvenByItsFolder(String name) {
    assertThat(NAMES.prove(Names.hash(name), Set.of()).orElseThrow().name()).isEqualTo(name);
  }

  @Test
  void theFolderOfTheIncidentIsThatOfTheMemories() {
    assertThat(NAMES.prove("e9f85bf6", Set.of()).orElseThrow().name())
        .isEqualTo("contextd_memories");
    assertThat(NAMES.prove("e9f85bf6-1", Set.of()).orElseThrow().name())
        .isEqualTo("contextd_memories");
  }

  @Test
  void aNameThatAnotherFolderHasIsNoCandidate() {
    assertThat(NAMES.prove("e9f85bf6-1", Set.of("contextd_memories"))).isEmpty();
  }

  @Test
  void aFolderOfAnotherNameIsProvenByNothing() {
    assertThat(NAMES.prove(Names.hash("notes"), Set.of())).isEmpty();
    assertThat(NAMES.prove("e9f85bf6.old", Set.of())).isEmpty();
    assertThat(NAMES.prove("contextd_memories", Set.of())).isEmpty();
  }

  @Test
  void aGivenNameIsProvenAndSaysWhereItIsFrom() {
    assertThat(NAMES.and(List.of("notes"), "somebody said so").prove(Names.hash("notes"), Set.of()))
        .contains(new ProvenName("notes", "somebody said so"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "platform_memories",
        "platform_checkout_remediations",
        "Acme Inc_sessions",
        "acme_inc_sessions",
        "acme_inc_platform_codebase",
        "checkout",
        "my notes"
      })
  void teamsTenantsProjectsAndNamesInTheDocumentsMakeCandidates(String name) {
    List<Map<String, String>> metadata =
        List.of(
            Map.of("team_id", "platform", "project_id", "checkout"),
            Map.of("tenant_id", "Acme Inc", "collection", "my notes", "lang", "go"));
    ProvenName found = NAMES.prove(Names.hash(name), Set.of(), metadata).orElseThrow();
    assertThat(found.name()).isEqualTo(name);
    assertThat(NAMES.prove(Names.hash(name), Set.of(name), metadata)).isEmpty();
  }

  @Test
  void longValuesAndOtherFieldsMakeNone() {
    String team = "t".repeat(200);
    assertThat(
            NAMES.prove(Names.hash(team + "_memories"), Set.of(), List.of(Map.of("team_id", team))))
        .isEmpty();
    assertThat(NAMES.prove(Names.hash("go_memories"), Set.of(), List.of(Map.of("lang", "go"))))
        .isEmpty();
  }
}
