package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
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
    name = "backup",
    description = "Backups of everything, in a folder outside of the store (backup.path).",
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  ctxd backup create"})
final class BackupCommand implements Runnable {
  private static final String BACKUPS = "/api/v1/admin/backups";

  @ParentCommand private Ctxd ctxd = new Ctxd();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  private static JsonNode watched(Target target, String path, Map<String, ?> body) {
    try (Progress progress = Progress.start(target.calls(), Progress.Source.BACKUP)) {
      JsonNode answer = target.calls().post(BACKUPS + path, body);
      progress.end();
      return answer;
    }
  }

  @Command(
      name = "create",
      description =
          "Backs up everything, and reads it back; what did not change is shared with earlier"
              + " backups.",
      footer = {"", "Example:", "  ctxd backup create"})
  int create() {
    return ctxd.change(
        "backs up everything that is served; the store does not change",
        target -> {
          JsonNode made = watched(target, "/create", Map.of());
          if (!ctxd.isPrintedAsJson(made)) {
            ctxd.screen.line(
                "%s: %d documents of %d collections, read back"
                    .formatted(
                        made.path("name").asText(),
                        made.path("documents").asLong(),
                        made.path("collections").asInt()));
          }
          return Ctxd.FINE;
        });
  }

  @Command(
      name = "list",
      description = "Lists the backups, the oldest first.",
      footer = {"", "Example:", "  ctxd backup list"})
  int list() {
    return ctxd.look(target -> {
      JsonNode answer = target.calls().get(BACKUPS);
      if (!ctxd.isPrintedAsJson(answer)) {
        List<List<String>> rows = new ArrayList<>();
        for (JsonNode one : answer.path("backups")) {
          rows.add(
              List.of(
                  one.path("name").asText(),
                  one.path("collections").asText(),
                  one.path("documents").asText(),
                  one.path("fault").isNull() ? "" : one.path("fault").asText()));
        }
        ctxd.screen.table(List.of("BACKUP", "COLLECTIONS", "DOCUMENTS", "FAULT"), rows);
        ctxd.screen.line(
            "names and metadata: "
                + (answer.path("last_names").isNull()
                    ? "not yet backed up"
                    : Screen.seconds(answer.path("last_names").asText())));
      }
      return Ctxd.FINE;
    });
  }

  @Command(
      name = "verify",
      description = "Reads all of a backup and holds it against its checksums.",
      footer = {"", "Example:", "  ctxd backup verify"})
  int verify(
      @Parameters(
              arity = "0..1",
              paramLabel = "BACKUP",
              description = "A backup, as list names it; the newest where it is left out.")
          @Nullable String name) {
    return ctxd.look(target -> {
      JsonNode run = watched(target, "/verify", name == null ? Map.of() : Map.of("name", name));
      boolean isFine = run.path("fault").isNull();
      if (!ctxd.isPrintedAsJson(run)) {
        ctxd.screen.line(
            run.path("name").asText()
                + ": "
                + (isFine
                    ? ctxd.screen.good("all of it is as it was written")
                    : ctxd.screen.bad(run.path("fault").asText())));
      }
      return isFine ? Ctxd.FINE : Ctxd.DAMAGE;
    });
  }

  @Command(
      name = "restore",
      description = {
        "Puts back what a backup holds: everything, a collection, or a document of it.",
        "What is there goes to the trash first; with a fault anywhere nothing is restored."
      },
      footer = {"", "Example:", "  ctxd backup restore --collection contextd_memories --yes"})
  int restore(
      @Parameters(
              arity = "0..1",
              paramLabel = "BACKUP",
              description = "A backup, as list names it; the newest where it is left out.")
          @Nullable String name,
      @Option(
              names = "--collection",
              paramLabel = "NAME",
              description = "The collection; all where it is left out.")
          @Nullable String collection,
      @Option(
              names = "--document",
              paramLabel = "ID",
              description = "A document of the collection; all where it is left out.")
          @Nullable String document,
      @Option(
              names = "--into",
              paramLabel = "DIR",
              description = "Write a fresh store there, and leave this one as it is.")
          @Nullable Path into,
      @Option(names = "--yes", description = "Do not ask.") boolean yes) {
    String what =
        document != null
            ? "the document \"" + document + "\""
            : collection != null ? "the collection \"" + collection + "\"" : "all collections";
    Screen.confirm(
        "Put back %s from %s? What is there goes to the trash."
            .formatted(what, name == null ? "the newest backup" : name),
        yes || into != null);
    Map<String, String> body = new HashMap<>();
    if (name != null) {
      body.put("name", name);
    }
    if (collection != null) {
      body.put("collection", collection);
    }
    if (document != null) {
      body.put("document", document);
    }
    Ctxd.Work restore =
        target -> {
          JsonNode answer = watched(target, "/restore", body);
          if (!ctxd.isPrintedAsJson(answer)) {
            ctxd.screen.line(
                "%d documents of %d collections are as they were in %s"
                    .formatted(
                        answer.path("documents").asLong(),
                        answer.path("collections").size(),
                        answer.path("name").asText()));
          }
          return Ctxd.FINE;
        };
    return into == null
        ? ctxd.change("puts back " + what + "; what is there goes to the trash first", restore)
        : ctxd.into(into, restore);
  }
}
