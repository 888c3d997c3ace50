package dev.contextd.crash;

import java.nio.file.Path;

/** What a fault befell. */
sealed interface Victim {

  /** Its path below the root; of a swap the first. */
  Path path();

  /** A document's file. */
  record OneDocument(Path path, String collection, String id) implements Victim {}

  /** A collection's metadata file. */
  record Metadata(Path path, String collection) implements Victim {}

  /** The metadata files of two collections. */
  record TwoMetadata(Path path, Path other, String collection, String otherCollection)
      implements Victim {}

  /** A collection's folder. */
  record Folder(Path path, String collection) implements Victim {}

  /** A file of ours below {@code .contextd}, or anything else that is not a collection's. */
  record Other(Path path) implements Victim {
    boolean isBelow(String folder) {
      return path.startsWith(Path.of(".contextd", folder));
    }
  }
}
