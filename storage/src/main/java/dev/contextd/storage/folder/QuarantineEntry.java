package dev.contextd.storage.folder;

import java.util.OptionalInt;

/**
 * A thing in quarantine.
 *
 * @param name of the entry, a folder below {@code .quarantine/}
 * @param folder the collection's folder it was found in
 * @param file the document's file; empty where the whole folder was moved
 * @param why the damage in one sentence; empty where the note is missing
 * @param when it was moved, RFC 3339; empty where the note is missing
 * @param kind of damage, a stable word; empty where the note is missing
 * @param documents how many documents it may hold; empty where it cannot be listed
 * @param reviewed whether an operator has seen it
 * @param mended whether it was written again from another copy, so that nothing is unserved
 * @param checksum see {@link Checksum}; empty where the note is missing, or from before there were
 *     any
 */
public record QuarantineEntry(
    String name,
    String folder,
    String file,
    String why,
    String when,
    String kind,
    OptionalInt documents,
    boolean reviewed,
    boolean mended,
    String checksum) {

  public boolean isCollection() {
    return file.isEmpty();
  }
}
