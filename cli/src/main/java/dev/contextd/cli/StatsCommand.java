package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "stats",
    description = "Tells how much is stored and how far writing to files is behind.",
    footer = {"", "Example:", "  ctxd stats"})
final class StatsCommand implements Callable<Integer> {
  @ParentCommand private Ctxd ctxd = new Ctxd();

  @Override
  public Integer call() {
    return ctxd.look(target -> {
      JsonNode status = target.calls().get("/api/v1/status");
      if (!ctxd.isPrintedAsJson(status)) {
        print(status, target.isOnlyLookedAt());
      }
      return Ctxd.FINE;
    });
  }

  private void print(JsonNode status, boolean isOnlyLookedAt) {
    List<List<String>> rows = new ArrayList<>();
    long documents = 0;
    for (JsonNode one : status.path("collections")) {
      documents += one.path("count").asLong();
      rows.add(List.of(one.path("name").asText(), one.path("count").asText("?")));
    }
    Screen screen = ctxd.screen;
    screen.table(List.of("COLLECTION", "DOCUMENTS"), rows);
    JsonNode durability = status.path("durability");
    if (!status.path("uncounted").asText("").isEmpty()) {
      screen.line("not counted: " + status.path("uncounted").asText());
    } else if (status.path("counted").asText().equals("remote")) {
      screen.line("counted on the remote store");
    }
    screen.line("%d collections, %d documents".formatted(rows.size(), documents));
    screen.line("version: " + status.path("version").asText());
    screen.line("in quarantine: " + status.path("in_quarantine").asText("0"));
    screen.line(
        "journal, not yet in files: %d bytes".formatted(durability.path("pending_bytes").asLong()));
    for (String field : List.of("last_checkpoint", "failure")) {
      if (!durability.path(field).isNull() && !durability.path(field).isMissingNode()) {
        screen.line(field.replace('_', ' ') + ": " + durability.path(field).asText());
      }
    }
    if (!isOnlyLookedAt && !status.path("read_only").asText("").isEmpty()) {
      screen.line("read-only: " + status.path("read_only").asText());
    }
  }
}
