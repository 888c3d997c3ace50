package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "health",
    description = "Says whether everything of the store is served, and what is not.",
    footer = {"", "Example:", "  ctxd health"})
final class HealthCommand implements Callable<Integer> {
  private static final String METADATA = "/api/v1/health/metadata?fresh=true";

  /** What is said whoever asks; the rest would tell of this command, which writes nothing. */
  private static final List<String> ABOUT_STORE = List.of("brake", "error");

  @ParentCommand private Ctxd ctxd = new Ctxd();

  @Override
  public Integer call() {
    return ctxd.look(target -> print(ctxd, target));
  }

  /** Prints a report of health; returns the exit code that it means. */
  static int print(Ctxd ctxd, Target target) {
    JsonNode health = target.calls().health(METADATA);
    boolean isHealthy = health.path("status").asText().equals("healthy");
    if (!ctxd.isPrintedAsJson(health)) {
      Screen screen = ctxd.screen;
      screen.line(
          "%s: %d healthy, %d corrupt, %d empty of %d collections"
              .formatted(
                  isHealthy ? screen.good("healthy") : screen.bad("degraded"),
                  health.path("healthy_count").asInt(),
                  health.path("corrupt_count").asInt(),
                  health.path("empty").size(),
                  health.path("total").asInt()));
      List<List<String>> rows = new ArrayList<>();
      health
          .path("details")
          .properties()
          .forEach(detail -> rows.add(List.of(detail.getKey(), detail.getValue().asText())));
      if (!rows.isEmpty()) {
        screen.table(List.of("FOLDER", "WHAT IS WRONG"), rows);
      }
      for (String field : List.of("brake", "read_only", "error", "next")) {
        String text = health.path(field).asText("");
        boolean isOfLooking = target.isOnlyLookedAt() && !ABOUT_STORE.contains(field);
        if (!text.isEmpty() && !health.path(field).isNull() && !isOfLooking) {
          screen.line(field.replace('_', '-') + ": " + text);
        }
      }
    }
    return isHealthy ? Ctxd.FINE : Ctxd.DAMAGE;
  }
}
