package dev.contextd.storage.journal;

/**
 * What memory cannot be rid of where it is not written, as where memory runs out amid a failure.
 */
public final class StubbornEffect implements Journal.Effect {
  @Override
  public void publish() {
    throw new AssertionError("it was not synced");
  }

  @Override
  public void discard() {
    throw new OutOfMemoryError("injected");
  }
}
