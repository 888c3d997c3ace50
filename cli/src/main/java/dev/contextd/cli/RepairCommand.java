package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "repair",
    description = {
      "Repairs what can be: files are written again from what is served, and what can be read in"
          + " quarantine is served again.",
      "Before anything is done the plan is shown, and asked about."
    },
    footer = {"", "Example:", "  ctxd repair --dry-run"})
final class RepairCommand implements Callable<Integer> {
  private static final String REPAIR = "/api/v1/admin/repair";

  @ParentCommand private Ctxd ctxd = new Ctxd();

  @Option(names = "--dry-run", description = "Show what would be done, and do nothing.")
  private boolean dryRun;

  @Option(
      names = "--embed",
      description = {
        "Also make vectors that cannot be searched anew from the stored content, with the configured"
            + " model."
      })
  private boolean embed;

  @Option(names = "--yes", description = "Do not ask.")
  private boolean yes;

  @Override
  public Integer call() {
    return dryRun
        ? ctxd.look(target -> print(target.calls().post(REPAIR, body(true))))
        : ctxd.change("repairs what the plan says", this::repair);
  }

  private Map<String, Object> body(boolean isDry) {
    return Map.of("dry_run", isDry, "embed", embed);
  }

  private int repair(Target target) {
    if (!yes) {
      JsonNode plan = target.calls().post(REPAIR, body(true));
      boolean isAnything = false;
      for (JsonNode step : plan.path("steps")) {
        isAnything |= !step.path("kind").asText().equals("operator");
      }
      if (!isAnything) {
        return print(plan);
      }
      if (!ctxd.json) {
        table(plan.path("steps"));
      }
      Screen.confirm("Do this?", false);
    }
    return print(target.calls().post(REPAIR, body(false)));
  }

  private int print(JsonNode answer) {
    if (!ctxd.isPrintedAsJson(answer)) {
      table(answer.path("steps"));
    }
    return answer.path("open").asInt() == 0 ? Ctxd.FINE : Ctxd.DAMAGE;
  }

  private void table(JsonNode steps) {
    if (steps.isEmpty()) {
      ctxd.screen.line("nothing is to be repaired");
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    List<List<String>> notes = new ArrayList<>();
    for (JsonNode step : steps) {
      String file = step.path("file").asText();
      rows.add(
          List.of(
              step.path("kind").asText(),
              step.path("folder").asText() + (file.isEmpty() ? "" : "/" + file),
              step.path("source").asText(),
              step.path("lossless").asBoolean() ? "yes" : "no"));
      notes.add(List.of(step.path("why").asText(), result(step)));
    }
    ctxd.screen.table(List.of("STEP", "WHERE", "FROM", "LOSSLESS"), rows, notes);
  }

  private static String result(JsonNode step) {
    if (!step.path("failure").isNull()) {
      return "failed: " + step.path("failure").asText();
    }
    return step.path("result").isNull() ? step.path("next").asText() : step.path("result").asText();
  }
}
