package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "remote",
    description = "The Qdrant server that is brought up to date from the store here.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {BreakerCommand.class},
    footer = {"", "Example:", "  ctxd remote status"})
final class RemoteCommand implements Runnable {
  static final String REMOTE = "/api/v1/admin/remote";

  @ParentCommand Ctxd ctxd = new Ctxd();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  @Command(
      name = "status",
      description = {
        "Says whether the remote store answers, what it has not got yet, and since when.",
        "Without a daemon, what the store's folder tells of that.",
        "Ends with 1 where it is down, or lacks something that does not wait for it."
      },
      footer = {"", "Example:", "  ctxd remote status"})
  int status() {
    return ctxd.look(target -> {
      JsonNode status = target.calls().get(REMOTE);
      print(status);
      return isFine(status) ? Ctxd.FINE : Ctxd.DAMAGE;
    });
  }

  @Command(
      name = "sync",
      description = "Sends what waits, and returns when all that was written up to now is there.",
      footer = {"", "Example:", "  ctxd remote sync"})
  int sync(
      @Option(
              names = "--take-over",
              description =
                  "Make those collections there ours that another daemon has marked as its own. Stop"
                      + " that one first.")
          boolean takeOver) {
    return ctxd.change(
        takeOver
            ? "marks every collection there as ours, and sends what waits"
            : "sends what waits to the remote store",
        target -> {
          JsonNode status = target.calls().post(REMOTE + "/sync", Map.of("take_over", takeOver));
          print(status);
          return Ctxd.FINE;
        });
  }

  @Command(
      name = "verify",
      description = {
        "Sends what waits, then compares both stores document by document.",
        "Ends with 1 where differences are left."
      },
      footer = {"", "Example:", "  ctxd remote verify --repair"})
  int verify(
      @Option(
              names = "--repair",
              description =
                  "Make what differs there as it is here. What is replaced or deleted there is kept in"
                      + " the trash here.")
          boolean repair) {
    return ctxd.change(
        repair
            ? "makes the remote store as this one is; what is replaced there is kept in the trash here"
            : "sends what waits to the remote store, and compares",
        target -> {
          JsonNode found = target.calls().post(REMOTE + "/verify", Map.of("repair", repair));
          if (!ctxd.isPrintedAsJson(found)) {
            printComparison(found);
          }
          return found.path("same").asBoolean() ? Ctxd.FINE : Ctxd.DAMAGE;
        });
  }

  @Command(
      name = "conflicts",
      description = {
        "Lists the documents on the remote store that gave way to what is here.",
        "Each is in the trash here for its time."
      },
      footer = {"", "Example:", "  ctxd remote conflicts"})
  int conflicts() {
    return ctxd.look(target -> {
      JsonNode answer = target.calls().get(REMOTE + "/conflicts");
      if (!ctxd.isPrintedAsJson(answer)) {
        printConflicts(answer);
      }
      return Ctxd.FINE;
    });
  }

  private void printConflicts(JsonNode answer) {
    JsonNode conflicts = answer.path("conflicts");
    List<List<String>> rows = new ArrayList<>();
    List<List<String>> notes = new ArrayList<>();
    for (JsonNode one : conflicts) {
      boolean isReplaced = one.path("what").asText().equals("remote_replaced");
      rows.add(
          List.of(
              one.path("collection").asText(),
              one.path("id").asText(),
              Screen.seconds(one.path("since").asText()),
              isReplaced ? "replaced by the one here" : "deleted, it was there alone",
              Screen.seconds(one.path("until").asText())));
      notes.add(List.of(one.path("next").asText()));
    }
    if (rows.isEmpty()) {
      ctxd.screen.line("nothing gave way there that is still kept");
      return;
    }
    ctxd.screen.table(
        List.of("COLLECTION", "ID", "FOUND", "WHAT HAPPENED THERE", "KEPT UNTIL"), rows, notes);
    int more = answer.path("total").asInt() - rows.size();
    if (more > 0) {
      ctxd.screen.line(more + " more; ctxd trash list names the entry of each");
    }
  }

  @Command(
      name = "pause",
      description = "Sends nothing until it is resumed, or the daemon starts again; writes wait.",
      footer = {"", "Example:", "  ctxd remote pause"})
  int pause() {
    return act("/pause", "stops the shipping until ctxd remote resume");
  }

  @Command(
      name = "resume",
      description = "Sends again after a pause.",
      footer = {"", "Example:", "  ctxd remote resume"})
  int resume() {
    return act("/resume", "lets the shipping go on");
  }

  /** Posts what needs a daemon, and prints how things stand then. */
  int act(String path, String intent) {
    return ctxd.look(target -> { // The store itself does not change, and is opened by nobody here.
      requireDaemon(target);
      System.err.println("(" + intent + ")");
      print(target.calls().post(REMOTE + path, Map.of()));
      return Ctxd.FINE;
    });
  }

  private static void requireDaemon(Target target) {
    if (target.local().isPresent()) {
      throw new CliException(
          "no daemon runs, so nothing is sent by itself; ctxd remote sync and ctxd remote verify work"
              + " without one");
    }
  }

  private static boolean isFine(JsonNode status) {
    return !status.path("state").asText().equals("down")
        && status.path("gap").isNull()
        && status.path("refused").asLong() == 0;
  }

  private void print(JsonNode status) {
    if (ctxd.isPrintedAsJson(status)) {
      return;
    }
    Screen screen = ctxd.screen;
    String mode = status.path("mode").asText();
    String state = mode.equals("stopped") ? "not asked" : status.path("state").asText();
    screen.line(
        "%s: %s"
            .formatted(isFine(status) ? screen.good(state) : screen.bad(state), address(status)));
    List<List<String>> rows = new ArrayList<>();
    switch (mode) {
      case "direct" -> rows.add(List.of("shipping", "none: it is called for every document"));
      case "stopped" -> {
        rows.add(List.of("shipping", "none while no daemon runs"));
        addWaiting(status, rows);
      }
      default -> {
        rows.add(List.of("shipping", status.path("paused").asBoolean() ? "paused" : "on"));
        rows.add(List.of("breaker", status.path("breaker").asText().replace('_', ' ')));
        addWaiting(status, rows);
        rows.add(List.of("last sync", Screen.seconds(text(status, "last_sync"))));
        rows.add(
            List.of(
                "since the start",
                "%d shipped, %d refused, %d calls failed"
                    .formatted(
                        status.path("shipped").asLong(),
                        status.path("refused").asLong(),
                        status.path("failures").asLong())));
      }
    }
    rows.add(List.of("last error", text(status, "last_error")));
    rows.add(List.of("gap", text(status, "gap")));
    if (!text(status, "note").isEmpty()) {
      rows.add(List.of("note", text(status, "note")));
    }
    screen.table(List.of("WHAT", "HOW"), rows);
    next(status).forEach(screen::line);
  }

  private static void addWaiting(JsonNode status, List<List<String>> rows) {
    rows.add(List.of("waiting", waiting(status)));
    rows.add(List.of("acknowledged", acknowledged(status)));
    rows.add(List.of("owner there", text(status, "owner")));
  }

  private static String acknowledged(JsonNode status) {
    return status.path("acknowledged").isNull()
        ? "not known"
        : "every write up to %d".formatted(status.path("acknowledged").asLong());
  }

  private static String address(JsonNode status) {
    return status.path("address").asText();
  }

  private static String waiting(JsonNode status) {
    String bytes = "%d bytes".formatted(status.path("waiting_bytes").asLong());
    if (!status.path("waiting_writes").isNull()) {
      bytes += ", %d writes".formatted(status.path("waiting_writes").asLong());
    }
    String oldest = text(status, "oldest");
    return oldest.isEmpty()
        ? bytes
        : "%s, the oldest since %s (%d s)"
            .formatted(bytes, Screen.seconds(oldest), status.path("oldest_age_seconds").asLong());
  }

  /** What is null is empty, which a table shows as nothing. */
  private static String text(JsonNode status, String field) {
    return status.path(field).isNull() ? "" : status.path(field).asText();
  }

  /** What its reader is to do, a line each. */
  private static List<String> next(JsonNode status) {
    List<String> next = new ArrayList<>();
    boolean isDirect = status.path("mode").asText().equals("direct");
    if (status.path("state").asText().equals("down")) {
      next.add(
          isDirect
              ? "next: see that it runs; until then every call fails"
              : "next: see that it runs; writes go on here, and are sent when it is back");
    }
    if (status.path("mode").asText().equals("stopped")
        && status.path("waiting_bytes").asLong() > 0) {
      next.add("next: ctxd remote sync sends it without a daemon");
    }
    if (status.path("paused").asBoolean()) {
      next.add("next: ctxd remote resume lets the shipping go on");
    }
    if (!status.path("gap").isNull()) {
      next.add("next: ctxd remote verify --repair finds what is missing there, and sends it");
    }
    if (status.path("refused").asLong() > 0) {
      next.add("next: the daemon's log names what the remote store can never hold, and why");
    }
    return next;
  }

  private void printComparison(JsonNode found) {
    Screen screen = ctxd.screen;
    boolean isSame = found.path("same").asBoolean();
    screen.line(isSame ? screen.good("both hold the same") : screen.bad("the two stores differ"));
    screen.table(
        List.of(
            "COMPARED",
            "MISSING THERE",
            "DIFFERENT",
            "THERE ALONE",
            "SENT AGAIN",
            "DELETED THERE",
            "OTHER METADATA"),
        List.of(
            List.of(
                found.path("compared").asText(),
                found.path("missing").asText(),
                found.path("different").asText(),
                found.path("extra").asText(),
                found.path("shipped").asText(),
                found.path("removed").asText(),
                found.path("other_metadata").asText())));
    found.path("examples").forEach(one -> screen.line("  " + one.asText()));
    if (!text(found, "since").isEmpty()) {
      screen.line(
          "documents lie there alone: nothing that was written before %s can be known here"
              .formatted(Screen.seconds(text(found, "since"))));
    }
    if (!isSame) {
      screen.line(
          "next: ctxd remote verify --repair makes it there as it is here; what is replaced there is"
              + " kept in the trash here");
    } else if (found.path("different").asLong() + found.path("removed").asLong() > 0) {
      screen.line("next: ctxd remote conflicts lists what was replaced or deleted there");
    }
  }
}
