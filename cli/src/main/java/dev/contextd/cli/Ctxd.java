package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.contextd.server.Version;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The root of all commands, and what they share. */
@Command(
    name = "ctxd",
    description = "Looks after a contextd store, with its daemon running or stopped.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Ctxd.VersionLine.class,
    sortOptions = false,
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:fine", "1:damage was found, or the work could not be done", "2:wrong usage"},
    subcommands = {
      HealthCommand.class,
      MetadataCommand.class,
      VerifyCommand.class,
      RepairCommand.class,
      BackupCommand.class,
      ExportCommand.class,
      ImportCommand.class,
      QueryCommand.class,
      StatsCommand.class,
      TrashCommand.class,
      AuditCommand.class,
      RemoteCommand.class,
      MigrateCommand.class,
      AutoComplete.GenerateCompletion.class,
    })
final class Ctxd implements Runnable {
  static final int FINE = 0;
  static final int DAMAGE = 1;

  @Option(
      names = "--path",
      paramLabel = "DIR",
      scope = ScopeType.INHERIT,
      description = "The store's folder (default as for the daemon).")
  @Nullable String path;

  @Option(
      names = "--url",
      paramLabel = "URL",
      scope = ScopeType.INHERIT,
      description =
          "A daemon elsewhere; its token is taken from the configuration, or CONTEXTD_TOKEN.")
  @Nullable String url;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "The configuration file (default ~/.config/contextd/config.yaml).")
  @Nullable String config;

  @Option(
      names = "--json",
      scope = ScopeType.INHERIT,
      description = "Print the answer as JSON, for programs.")
  boolean json;

  @Spec CommandSpec spec = CommandSpec.create();

  final Screen screen = Screen.standard();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  /** Says on standard error how the store was reached, beside the answer. */
  void tell(Target target) {
    System.err.println("(" + target.how() + ")");
    target.opened().forEach(line -> System.err.println(Screen.printable("(" + line + ")")));
  }

  /** What a command does with the API. */
  @FunctionalInterface
  interface Work {
    int on(Target target);
  }

  /** Runs a command that changes nothing. */
  int look(Work work) {
    return run(work, false);
  }

  /**
   * Runs a command that changes the store.
   *
   * @param intent what it will do, said before it is done
   */
  int change(String intent, Work work) {
    return run(
        target -> {
          System.err.println(Screen.printable("(" + intent + ")"));
          return work.on(target);
        },
        true);
  }

  /** As {@link #change}, on a fresh store where there is none yet. */
  int changeOrCreate(String intent, Work work) {
    return Target.missing(this)
        .map(folder -> into(folder, work))
        .orElseGet(() -> change(intent, work));
  }

  /** Runs a command on a fresh store in another folder. */
  int into(Path folder, Work work) {
    return run(work, Target.into(this, folder));
  }

  private int run(Work work, boolean isChanging) {
    return run(work, Target.open(this, isChanging));
  }

  private int run(Work work, Target opened) {
    try (Target target = opened) {
      tell(target);
      return work.on(target);
    }
  }

  /** Prints an answer as it came, where that was asked for. */
  boolean isPrintedAsJson(JsonNode answer) {
    if (json) {
      screen.json(answer);
    }
    return json;
  }

  static final class VersionLine implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"ctxd " + Version.CURRENT};
    }
  }
}
