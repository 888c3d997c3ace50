package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "metadata",
    description = "The collections, their health, and those that lost their metadata.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {QuarantineCommand.class},
    footer = {"", "Example:", "  ctxd metadata list"})
final class MetadataCommand implements Runnable {
  @ParentCommand Ctxd ctxd = new Ctxd();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  @Command(
      name = "health",
      description = "Says which collections are healthy, corrupt or empty.",
      footer = {"", "Example:", "  ctxd metadata health --json"})
  int health() {
    return ctxd.look(target -> HealthCommand.print(ctxd, target));
  }

  @Command(
      name = "list",
      description = "Lists the collections that are served.",
      footer = {"", "Example:", "  ctxd metadata list"})
  int list() {
    return ctxd.look(target -> {
      JsonNode answer = target.calls().get("/api/v1/collections");
      if (!ctxd.isPrintedAsJson(answer)) {
        List<List<String>> rows = new ArrayList<>();
        for (JsonNode one : answer.path("collections")) {
          rows.add(
              List.of(
                  one.path("name").asText(),
                  one.path("count").asText(),
                  one.path("dimension").isNull() ? "-" : one.path("dimension").asText(),
                  one.path("health").asText(),
                  one.path("metadata_unknown").asBoolean()
                      ? "unknown"
                      : one.path("metadata").toString()));
        }
        ctxd.screen.table(List.of("NAME", "DOCUMENTS", "DIMENSION", "HEALTH", "METADATA"), rows);
      }
      return Ctxd.FINE;
    });
  }

  @Command(
      name = "recover",
      description = {
        "Brings back a collection that lost its metadata: out of quarantine where it lies there,"
            + " under its name, which the folder's own must prove.",
        "Without --set the metadata that the collection itself has is accepted as it is served."
      },
      footer = {"", "Example:", "  ctxd metadata recover contextd_memories"})
  int recover(
      @Parameters(paramLabel = "NAME", description = "The collection's name.") String name,
      @Option(
              names = "--set",
              paramLabel = "KEY=VALUE",
              description = "What the collection's own metadata is to be; may be repeated.")
          @Nullable Map<String, String> metadata) {
    return ctxd.change(
        "serves \"" + name + "\" again, and settles what its own metadata is",
        target -> {
          Map<String, Object> body = new HashMap<>(Map.of("name", name));
          if (metadata != null) {
            body.put("metadata", metadata);
          }
          JsonNode answer = target.calls().post("/api/v1/admin/metadata/recover", body);
          if (!ctxd.isPrintedAsJson(answer)) {
            ctxd.screen.line(answer.path("done").asText());
          }
          return Ctxd.FINE;
        });
  }
}
