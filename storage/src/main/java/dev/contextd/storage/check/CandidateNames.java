package dev.contextd.storage.check;

import dev.contextd.storage.chromem.Names;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Names that a collection may have had whose folder lost its metadata. A candidate costs nothing: a
 * folder is named after the hash of its collection's name, so that a wrong one is refused, but for
 * one in 2^32.
 *
 * <p>contextd names its collections {@code contextd_<kind>}, {@code org_<kind>}, {@code
 * <team>_<kind>} and {@code <team>_<project>_<kind>} (its {@code internal/tenant/router.go}, and
 * {@code default_collection} of its configuration). Teams, projects and tenants stand in the
 * metadata of its documents.
 */
public final class CandidateNames {
  private static final List<String> KINDS =
      List.of(
          "memories",
          "checkpoints",
          "remediations",
          "policies",
          "skills",
          "agents",
          "sessions",
          "codebase",
          "coding_standards",
          "repo_standards",
          "anti_patterns",
          "feedback",
          "default");

  /** Metadata in which contextd and its users tell whose a document is. */
  private static final List<String> OWNERS =
      List.of(
          "tenant_id",
          "team_id",
          "project_id",
          "org_id",
          "tenant",
          "team",
          "project",
          "org",
          "repository");

  /** Metadata in which programs repeat the collection's name itself. */
  private static final List<String> WHOLE = List.of("collection", "collection_name");

  private static final int MAX_OWNERS = 64;
  private static final int MAX_OWNER_CHARACTERS = 128;

  private static final String BUILT_IN = "it is one of contextd's own names";
  private static final String IN_DOCUMENTS = "made of the metadata of its documents";

  private final Map<String, String> sources;

  private CandidateNames(Map<String, String> sources) {
    this.sources = sources;
  }

  /** The names that contextd uses without teams and projects. */
  public static CandidateNames builtIn() {
    Map<String, String> names = new LinkedHashMap<>();
    for (String kind : KINDS) {
      names.put("contextd_" + kind, BUILT_IN);
      names.put("org_" + kind, BUILT_IN);
      names.put(kind, BUILT_IN);
    }
    return new CandidateNames(names);
  }

  /**
   * These names, and others before them.
   *
   * @param source where they were found, as a part of a sentence
   */
  public CandidateNames and(Collection<String> names, String source) {
    Map<String, String> all = new LinkedHashMap<>();
    names.forEach(name -> all.put(name, source));
    sources.forEach(all::putIfAbsent);
    return new CandidateNames(all);
  }

  /**
   * The candidate that a folder's name proves.
   *
   * @param folder {@code e9f85bf6} or {@code e9f85bf6-1}
   * @param taken names that other folders have
   */
  public Optional<ProvenName> prove(String folder, Set<String> taken) {
    return sources.entrySet().stream()
        .filter(one -> isProof(folder, one.getKey(), taken))
        .findFirst()
        .map(one -> new ProvenName(one.getKey(), one.getValue()));
  }

  /**
   * A name made of what the folder's documents say that the folder's name proves.
   *
   * @param metadata of some of its documents
   */
  public Optional<ProvenName> prove(
      String folder, Set<String> taken, Collection<Map<String, String>> metadata) {
    Set<String> owners = new LinkedHashSet<>();
    Set<String> names = new LinkedHashSet<>();
    for (Map<String, String> one : metadata) {
      WHOLE.forEach(key -> add(one.get(key), names));
      OWNERS.forEach(key -> add(one.get(key), owners));
    }
    List<String> stems = new ArrayList<>();
    for (String owner : owners) {
      stems.add(owner);
      owners.forEach(other -> stems.add(owner + "_" + other));
    }
    for (String stem : stems) {
      names.add(stem);
      KINDS.forEach(kind -> names.add(stem + "_" + kind));
    }
    return names.stream()
        .filter(name -> isProof(folder, name, taken))
        .findFirst()
        .map(name -> new ProvenName(name, IN_DOCUMENTS));
  }

  /** As it stands, and as contextd writes it into names: small letters, digits, underscores. */
  private static void add(@org.jspecify.annotations.Nullable String value, Set<String> found) {
    if (value == null || value.isBlank() || value.length() > MAX_OWNER_CHARACTERS) {
      return;
    }
    String plain = value.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_]", "_");
    for (String form : List.of(value, plain)) {
      if (found.size() < MAX_OWNERS) {
        found.add(form);
      }
    }
  }

  private static boolean isProof(String folder, String name, Set<String> taken) {
    return !taken.contains(name) && Names.belongs(folder, Names.hash(name));
  }
}
