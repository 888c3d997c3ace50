package dev.contextd.engine;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The part of a store a caller may see: documents that carry all of {@code stamps} as metadata.
 *
 * <p>Within a scope every new document is stamped, every read, count and deletion is confined, and
 * the {@code reserved} fields cannot be named in metadata or filters.
 */
public record Scope(Map<String, String> stamps, Set<String> reserved) {
  /** Everything. */
  public static final Scope ALL = new Scope(Map.of(), Set.of());

  public Scope {
    stamps = Map.copyOf(stamps);
    reserved = Set.copyOf(reserved);
  }

  public boolean isAll() {
    return stamps.isEmpty();
  }

  /** Whether a document with these metadata is in it. */
  public boolean contains(Map<String, String> metadata) {
    return metadata.entrySet().containsAll(stamps.entrySet());
  }

  /** The scope as a filter; matches everything where the scope is everything. */
  public Filter filter() {
    return new Filter.And(
        new TreeMap<>(stamps)
            .entrySet().stream()
                .<Filter>map(stamp -> new Filter.Equal(stamp.getKey(), stamp.getValue()))
                .toList());
  }

  /** A condition within the scope. */
  public Filter confine(Filter where) {
    return new Filter.And(List.of(filter(), where));
  }

  /**
   * Refuses to delete a collection for one of those who share it.
   *
   * @throws StoreException {@link ErrorCode#FORBIDDEN} where this is not everything
   */
  public void requireAll() {
    if (!isAll()) {
      throw new StoreException(
          ErrorCode.FORBIDDEN,
          "a collection is shared between tenants and cannot be deleted by one of them");
    }
  }

  /**
   * Refuses fields that the scope sets itself.
   *
   * @throws StoreException {@link ErrorCode#FORBIDDEN} where the caller names one
   */
  public void refuseReserved(Iterable<String> fields, String where) {
    for (String field : fields) {
      if (reserved.contains(field)) {
        throw new StoreException(
            ErrorCode.FORBIDDEN,
            where
                + " names \""
                + field
                + "\", which is set from the caller's tenant; leave it out");
      }
    }
  }
}
