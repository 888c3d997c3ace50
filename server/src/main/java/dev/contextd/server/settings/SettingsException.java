package dev.contextd.server.settings;

/** A setting that stops the start; the message is one line that names it and where it stands. */
public final class SettingsException extends Exception {
  private static final long serialVersionUID = 1L;

  public SettingsException(String message) {
    super(message);
  }
}
