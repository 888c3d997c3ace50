package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "audit",
    description = "Shows what was done to the store: quarantines, repairs, restores, deletions.",
    footer = {"", "Example:", "  ctxd audit --limit 20"})
final class AuditCommand implements Callable<Integer> {
  @ParentCommand private Ctxd ctxd = new Ctxd();

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "100",
      description = "How many of the latest lines (${DEFAULT-VALUE}).")
  private int limit;

  @Override
  public Integer call() {
    return ctxd.look(target -> {
      JsonNode answer = target.calls().get("/api/v1/admin/audit?limit=" + limit);
      if (!ctxd.isPrintedAsJson(answer)) {
        List<List<String>> rows = new ArrayList<>();
        List<List<String>> notes = new ArrayList<>();
        for (JsonNode one : answer.path("entries")) {
          String file = one.path("file").asText("");
          String folder = one.path("folder").asText("");
          rows.add(
              List.of(
                  Screen.seconds(one.path("when").asText()),
                  who(one.path("who").asText()),
                  one.path("what").asText(),
                  file.isEmpty() ? folder : folder + "/" + file));
          String kept = one.path("kept").asText("");
          notes.add(
              kept.isEmpty()
                  ? List.of(one.path("why").asText())
                  : List.of(one.path("why").asText(), "kept as .quarantine/" + kept));
        }
        ctxd.screen.table(List.of("WHEN", "WHO", "WHAT", "WHERE"), rows, notes);
      }
      return Ctxd.FINE;
    });
  }

  /** Through which process somebody acted stands in the JSON; a terminal has no room for it. */
  private static String who(String who) {
    return who.split(", through ", 2)[0];
  }
}
