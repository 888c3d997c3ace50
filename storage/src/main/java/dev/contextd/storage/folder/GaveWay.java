package dev.contextd.storage.folder;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What happened on a remote store to a document that was another one than here. */
public enum GaveWay {
  /** The version here was written over it. */
  REMOTE_REPLACED,
  /** It was there alone, and deleted. */
  REMOTE_DELETED;

  /** As it stands in the name of an entry of the trash, and as its kind. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What an entry of this kind is of; empty where it is of another kind. */
  public static Optional<GaveWay> of(String kind) {
    return Arrays.stream(values()).filter(one -> one.word().equals(kind)).findFirst();
  }
}
