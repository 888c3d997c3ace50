package dev.contextd.storage.check;

/** The one thing to do about a kind of damage; carrying it out is a separate, explicit step. */
public sealed interface Repair {

  /** Move the collection's whole folder out of the way, keeping every byte. */
  record QuarantineCollection() implements Repair {}

  /** Move the one file out of the way, keeping every byte. */
  record QuarantineFile() implements Repair {}

  /** Write the file again from what we hold, moving what lies there to quarantine first. */
  record Rewrite() implements Repair {}

  /** Leave it where it is; {@code advice} is what its owner may do. */
  record LeaveInPlace(String advice) implements Repair {}
}
