package dev.contextd.engine;

/** The numbers that bound every call, in one place. */
public final class Limits {
  /** The longest id of a new document, in bytes of UTF-8. */
  public static final int MAX_ID_BYTES = 512;

  /** The longest name of a new collection, in bytes of UTF-8. */
  public static final int MAX_NAME_BYTES = 255;

  /** The most documents one write may carry. */
  public static final int MAX_BATCH_DOCUMENTS = 1_000;

  /** The most ids one get or delete may name. */
  public static final int MAX_IDS = 10_000;

  /** The most documents one page may hold. */
  public static final int MAX_PAGE_DOCUMENTS = 1_000;

  /** The most results one query may ask for. */
  public static final int MAX_QUERY_RESULTS = 10_000;

  /** How deep a filter may nest, in levels. */
  public static final int MAX_FILTER_DEPTH = 16;

  /** The most values in one {@code $in} or {@code $nin}. */
  public static final int MAX_FILTER_VALUES = 1_000;

  /** The most conditions in one filter. */
  public static final int MAX_FILTER_CONDITIONS = 10_000;

  /** The longest vector, in dimensions. */
  public static final int MAX_DIMENSION = 65_536;

  private Limits() {}
}
