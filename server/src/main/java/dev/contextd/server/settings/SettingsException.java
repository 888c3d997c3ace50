package dev.contextd.server.settings;

/**
 * A setting that stops the start; the message is one line that names it and where it stands,
 * whatever was found there.
 */
public final class SettingsException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What stands first says where, and what stands last what to do. */
  private static final int MAX_FIRST = 600;

  private static final int MAX_LAST = 300;

  public SettingsException(String message) {
    super(shortened(inOneLine(message)));
  }

  private static String inOneLine(String text) {
    StringBuilder line = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> line.append("\\n");
        case '\r' -> line.append("\\r");
        case '\t' -> line.append("\\t");
        default -> {
          if (Character.isISOControl(c)) {
            line.append("\\u%04x".formatted((int) c));
          } else {
            line.append(c);
          }
        }
      }
    }
    return line.toString();
  }

  private static String shortened(String line) {
    return line.length() <= MAX_FIRST + MAX_LAST
        ? line
        : line.substring(0, MAX_FIRST) + " ... " + line.substring(line.length() - MAX_LAST);
  }
}
