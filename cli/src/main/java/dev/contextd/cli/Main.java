package dev.contextd.cli;

import dev.contextd.server.Logging;
import picocli.AutoComplete;
import picocli.CommandLine;

/** The program {@code ctxd}. */
public final class Main {
  private static final String USAGE_HINT = "; ctxd --help tells the commands";

  private Main() {}

  public static void main(String[] args) {
    System.exit(run(args));
  }

  static int run(String... args) {
    Logging.setLevel("error");
    CommandLine commands = new CommandLine(new Ctxd());
    commands.getSubcommands().values().stream()
        .filter(command -> command.getCommand() instanceof AutoComplete.GenerateCompletion)
        .forEach(command ->
            command
                .getCommandSpec()
                .usageMessage()
                .description("Prints what makes bash and zsh complete commands.")
                .footer("%nExample:%n  source <(ctxd generate-completion)"));
    commands.setExecutionExceptionHandler((failure, _, _) -> {
      if (failure instanceof CliException) {
        System.err.println(Screen.printable("ctxd: " + failure.getMessage()));
      } else {
        System.err.println("ctxd: this is a bug: " + failure);
        failure.printStackTrace();
      }
      return Ctxd.DAMAGE;
    });
    commands.setParameterExceptionHandler((wrong, _) -> {
      System.err.println(Screen.printable("ctxd: " + wrong.getMessage() + USAGE_HINT));
      return CommandLine.ExitCode.USAGE;
    });
    return commands.execute(args);
  }
}
