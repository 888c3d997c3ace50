package dev.contextd.engine;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A store on another machine, which may be away: every call then fails with {@link
 * ErrorCode#REMOTE_UNAVAILABLE} within its timeout.
 */
public interface RemoteStore extends DocumentStore {

  /** Where it is, for people: never with a secret. */
  String address();

  /**
   * Asks whether it answers.
   *
   * @throws StoreException {@link ErrorCode#REMOTE_UNAVAILABLE} or {@link ErrorCode#REMOTE_FAILED}
   */
  void ping();

  /**
   * Why it cannot hold one of these documents, or a collection of that name; empty where it can.
   * Asks nobody.
   */
  Optional<String> refusal(String collection, List<NewDocument> documents);

  /** A collection's metadata; empty where it is not there. */
  Optional<Map<String, String>> metadata(String collection);

  /** Gives a collection other metadata; does nothing where it is not there. */
  void describe(String collection, Map<String, String> metadata);

  /**
   * As {@link #collection(String, Scope)}; documents of some ids are left out of all that is read.
   *
   * @param hidden those ids
   */
  Optional<RemoteCollection> collection(String name, Scope scope, Set<String> hidden);

  /** The order of ids in which pages of a collection come. Asks nobody. */
  Comparator<String> pageOrder(String collection);

  /** Notes which model made a collection's vectors, where it is there and none is noted yet. */
  void noteModel(String collection, String model);

  /** Who owns a collection; empty where nobody has claimed it, or it is not there. */
  Optional<String> owner(String collection);

  /** Marks a collection as owned; does nothing where it is not there. */
  void claim(String collection, String owner);
}
