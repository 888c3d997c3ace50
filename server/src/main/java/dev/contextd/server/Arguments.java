package dev.contextd.server;

import dev.contextd.server.settings.Settings;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The daemon's command line: a handful of flags, each with two dashes or, as in Go, with one, and a
 * value behind {@code =} or as the next word.
 */
record Arguments(Map<Flag, String> values) {

  /** A flag, its value's name where it takes one, and what it does. */
  enum Flag {
    HTTP_HOST(
        "http-host", "HOST", "Listen on this host (localhost). Others than loopback need a token."),
    HTTP_PORT("http-port", "PORT", "Listen on this port (9090); 0 takes a free one."),
    NO_HTTP("no-http", "", "Open the store and serve no HTTP."),
    VECTORSTORE_PATH(
        "vectorstore-path",
        "FOLDER",
        "The store's folder (~/.config/contextd/vectorstore); created when missing."),
    CONFIG("config", "FILE", "The configuration file (~/.config/contextd/config.yaml)."),
    VERSION("version", "", "Print the version and exit."),
    HELP("help", "", "Print this help and exit.");

    private final String word;
    private final String value;
    private final String description;

    Flag(String word, String value, String description) {
      this.word = word;
      this.value = value;
      this.description = description;
    }

    private boolean takesValue() {
      return !value.isEmpty();
    }
  }

  /** Wrong usage; the message is one line. */
  static final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
      super(message + "; contextd --help tells the flags");
    }
  }

  static Arguments parse(List<String> words) throws UsageException {
    Map<Flag, String> values = new EnumMap<>(Flag.class);
    for (Iterator<String> rest = words.iterator(); rest.hasNext(); ) {
      String word = rest.next();
      int equals = word.indexOf('=');
      Flag flag = flag(equals < 0 ? word : word.substring(0, equals));
      String value = "";
      if (flag.takesValue()) {
        if (equals < 0 && !rest.hasNext()) {
          throw new UsageException("--" + flag.word + " needs a value: " + flag.value);
        }
        value = equals < 0 ? rest.next() : word.substring(equals + 1);
      } else if (equals >= 0) {
        throw new UsageException("--" + flag.word + " takes no value");
      }
      if (values.put(flag, value) != null) {
        throw new UsageException("--" + flag.word + " is given twice");
      }
    }
    return new Arguments(values);
  }

  private static Flag flag(String word) throws UsageException {
    if (word.equals("-h")) {
      return Flag.HELP;
    }
    for (Flag flag : Flag.values()) {
      if (word.equals("--" + flag.word) || word.equals("-" + flag.word)) {
        return flag;
      }
    }
    throw new UsageException("unknown argument \"" + word + "\"");
  }

  boolean has(Flag flag) {
    return values.containsKey(flag);
  }

  Settings.Flags flags() {
    return new Settings.Flags(
        value(Flag.HTTP_HOST),
        value(Flag.HTTP_PORT),
        has(Flag.NO_HTTP),
        value(Flag.VECTORSTORE_PATH),
        value(Flag.CONFIG));
  }

  private Optional<String> value(Flag flag) {
    return Optional.ofNullable(values.get(flag));
  }

  static String help() {
    StringBuilder help = new StringBuilder();
    help.append("Usage: contextd [FLAG]...\n\n");
    help.append(
        "Serves a contextd or chromem-go vector store over HTTP. Damaged files are moved to\n");
    help.append(
        ".quarantine/ in the store's folder and never deleted; everything else is served.\n\n");
    for (Flag flag : Flag.values()) {
      help.append("  %-26s %s%n".formatted("--" + flag.word + " " + flag.value, flag.description));
    }
    return help.append(
            """

            Settings come from these flags, then the environment, then config.yaml, then defaults.
            Environment: VECTORSTORE_PATH, EMBEDDING_PROVIDER, EMBEDDING_BASE_URL, EMBEDDINGS_MODEL,
            SERVER_HTTP_PORT, CONTEXTD_TOKEN, LOG_LEVEL (debug, info, warn, error).
            Exit codes: 0 fine, 1 the work could not be done, 2 wrong usage or a wrong setting.
            """)
        .toString();
  }
}
