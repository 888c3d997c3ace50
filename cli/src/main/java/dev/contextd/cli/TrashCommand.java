package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "trash",
    description = "What was deleted or gave way to another version, and its way back.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  ctxd trash list"})
final class TrashCommand implements Runnable {
  private static final String TRASH = "/api/v1/admin/trash";

  @ParentCommand private Ctxd ctxd = new Ctxd();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  @Command(
      name = "list",
      description = "Lists what can be brought back.",
      footer = {"", "Example:", "  ctxd trash list"})
  int list() {
    return ctxd.look(target -> {
      JsonNode answer = target.calls().get(TRASH);
      if (!ctxd.isPrintedAsJson(answer)) {
        List<List<String>> rows = new ArrayList<>();
        for (JsonNode one : answer.path("entries")) {
          rows.add(
              List.of(
                  one.path("name").asText(),
                  one.path("kind").asText(),
                  one.path("collection").isNull() ? "?" : one.path("collection").asText(),
                  one.path("documents").asText()));
        }
        ctxd.screen.table(List.of("ENTRY", "KIND", "COLLECTION", "DOCUMENTS"), rows);
      }
      return Ctxd.FINE;
    });
  }

  @Command(
      name = "restore",
      description = "Writes the documents of an entry again; what they replace goes to the trash.",
      footer = {"", "Example:", "  ctxd trash restore 20261128T101500.123Z-e9f85bf6"})
  int restore(
      @Parameters(paramLabel = "ENTRY", description = "An entry, as trash list names it.")
          String entry) {
    return ctxd.change(
        "brings back " + entry + "; what it replaces goes to the trash",
        target -> {
          JsonNode answer = target.calls().post(TRASH + "/restore", Map.of("entry", entry));
          if (!ctxd.isPrintedAsJson(answer)) {
            ctxd.screen.line(answer.path("restored").asText() + " documents came back");
          }
          return Ctxd.FINE;
        });
  }

  @Command(
      name = "purge",
      description =
          "Removes for good what was deleted, from the trash, the packs and the journal. It cannot be"
              + " undone.",
      footer = {"", "Example:", "  ctxd trash purge --older-than 720h --yes"})
  int purge(
      @Option(
              names = "--older-than",
              paramLabel = "DURATION",
              required = true,
              description = "Such as 720h; 0s keeps nothing.")
          String olderThan,
      @Option(names = "--yes", description = "Do not ask.") boolean yes) {
    Screen.confirm("Remove for good what was deleted at least %s ago?".formatted(olderThan), yes);
    return ctxd.change(
        "removes for good what was deleted at least " + olderThan + " ago",
        target -> {
          JsonNode answer =
              target.calls().post("/api/v1/admin/purge", Map.of("older_than", olderThan));
          if (!ctxd.isPrintedAsJson(answer)) {
            ctxd.screen.line(answer.path("purged").asText() + " entries are gone for good");
          }
          return Ctxd.FINE;
        });
  }
}
