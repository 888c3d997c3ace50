package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "verify",
    aliases = "scrub",
    description = {
      "Reads every byte of both copies of everything and holds it against its checksum.",
      "What fails is written again from the other copy; the damaged bytes are kept."
    },
    footer = {"", "Example:", "  ctxd verify"})
final class VerifyCommand implements Callable<Integer> {
  @ParentCommand private Ctxd ctxd = new Ctxd();

  @Override
  public Integer call() {
    return ctxd.change(
        "reads everything, and writes again what fails its checksum; the damaged bytes are kept",
        target -> {
          JsonNode answer;
          try (Progress progress = Progress.start(target.calls(), Progress.Source.SCRUB)) {
            answer = target.calls().post("/api/v1/admin/scrub", Map.of());
            progress.end();
          }
          if (!ctxd.isPrintedAsJson(answer)) {
            print(answer);
          }
          boolean isMended = answer.path("mended").asInt() == answer.path("damage").size();
          return isMended ? Ctxd.FINE : Ctxd.DAMAGE;
        });
  }

  private void print(JsonNode answer) {
    JsonNode damage = answer.path("damage");
    if (damage.isEmpty()) {
      ctxd.screen.line(ctxd.screen.good("everything is as it was written"));
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    for (JsonNode one : damage) {
      rows.add(
          List.of(
              one.path("folder").asText(),
              one.path("file").asText(),
              one.path("kind").asText(),
              one.path("sentence").asText()));
    }
    ctxd.screen.table(List.of("FOLDER", "FILE", "KIND", "WHAT IS WRONG"), rows);
    ctxd.screen.line(
        "%d damaged, %d of them written again from the other copy"
            .formatted(damage.size(), answer.path("mended").asInt()));
    String brake = answer.path("brake").asText("");
    if (!brake.isEmpty() && !answer.path("brake").isNull()) {
      ctxd.screen.line("brake: " + brake);
    }
  }
}
