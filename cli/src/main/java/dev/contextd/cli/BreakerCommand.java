package dev.contextd.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "breaker",
    description = "What leaves the remote store alone for a while after calls that failed.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  ctxd remote breaker reset"})
final class BreakerCommand implements Runnable {
  @ParentCommand private RemoteCommand remote = new RemoteCommand();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  @Command(
      name = "reset",
      description = "Asks the remote store at once, whatever failed before.",
      footer = {"", "Example:", "  ctxd remote breaker reset"})
  int reset() {
    return remote.act("/breaker/reset", "asks the remote store at once");
  }
}
