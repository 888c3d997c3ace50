package dev.contextd.server;

import dev.contextd.server.settings.Settings;
import dev.contextd.server.settings.SettingsException;
import java.util.List;

/** The program {@code contextd}. */
public final class Main {
  private static final int EXIT_FINE = 0;

  /** Wrong usage or a wrong setting. */
  private static final int EXIT_USAGE = 2;

  private Main() {}

  public static void main(String[] args) {
    System.exit(run(List.of(args)));
  }

  private static int run(List<String> words) {
    try {
      Arguments arguments = Arguments.parse(words);
      if (arguments.has(Arguments.Flag.HELP)) {
        System.out.print(Arguments.help());
        return EXIT_FINE;
      }
      if (arguments.has(Arguments.Flag.VERSION)) {
        System.out.println("contextd " + Version.CURRENT);
        return EXIT_FINE;
      }
      Settings settings = Settings.load(arguments.flags(), System.getenv());
      Logging.setLevel(settings.logLevel());
      return Daemon.run(settings);
    } catch (Arguments.UsageException | SettingsException e) {
      System.err.println("contextd: " + e.getMessage());
      return EXIT_USAGE;
    }
  }
}
