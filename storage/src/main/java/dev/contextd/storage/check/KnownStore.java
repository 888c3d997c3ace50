package dev.contextd.storage.check;

import java.util.List;
import java.util.Optional;

/** What we ourselves know of a store, folder by folder. */
public interface KnownStore {
  /** A folder nobody has written to before. */
  KnownStore NOTHING =
      new KnownStore() {
        @Override
        public Optional<KnownFolder> folder(String name) {
          return Optional.empty();
        }

        @Override
        public boolean isDeleted(String name) {
          return false;
        }

        @Override
        public List<Damage> damage() {
          return List.of();
        }
      };

  Optional<KnownFolder> folder(String name);

  /** Whether {@link #folder} is there, which may be much cheaper to tell. */
  default boolean knows(String name) {
    return folder(name).isPresent();
  }

  /** Whether the folder is that of a collection that was deleted and only waits for the trash. */
  boolean isDeleted(String name);

  /** Names to try where a folder has lost its own; empty where it is to stay unserved. */
  default Optional<CandidateNames> candidates() {
    return Optional.empty();
  }

  /** Damage to what is ours: journal, packs, manifest. */
  List<Damage> damage();
}
