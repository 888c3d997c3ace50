package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
    name = "migrate",
    description = {
      "Copies everything to a Qdrant server, or from it, and compares both sides at the end.",
      "What is there already is not copied again, so one that was cut short goes on. Nothing is"
          + " deleted. The server is that of qdrant.host, whatever vectorstore.provider is."
    },
    footer = {"", "Example:", "  ctxd migrate --to qdrant"})
final class MigrateCommand implements Callable<Integer> {
  private static final String MIGRATE = "/api/v1/admin/migrate";

  @ParentCommand private Ctxd ctxd = new Ctxd();

  @ArgGroup(multiplicity = "1")
  private Way way = new Way();

  /** One of the two. */
  private static final class Way {
    @Option(names = "--to", paramLabel = "qdrant", description = "From the store here.")
    private @Nullable String to;

    @Option(names = "--from", paramLabel = "qdrant", description = "To the store here.")
    private @Nullable String from;
  }

  @Override
  public Integer call() {
    String to = way.to;
    String from = way.from;
    Map<String, String> body = to == null ? Map.of("from", String.valueOf(from)) : Map.of("to", to);
    Ctxd.Work work =
        target -> {
          JsonNode done;
          try (Progress progress = Progress.start(target.calls(), Progress.Source.MIGRATION)) {
            done = target.calls().post(MIGRATE, body);
            progress.end();
          }
          if (!ctxd.isPrintedAsJson(done)) {
            print(done);
          }
          return done.path("complete").asBoolean() ? Ctxd.FINE : Ctxd.DAMAGE;
        };
    return to == null
        ? ctxd.changeOrCreate(
            "adds what the Qdrant server holds; documents of the same ids are replaced here", work)
        : ctxd.change(
            "writes what is here to the Qdrant server; points of the same ids are replaced there",
            work);
  }

  private void print(JsonNode done) {
    Screen screen = ctxd.screen;
    screen.line(
        done.path("complete").asBoolean()
            ? screen.good("both sides hold the same documents")
            : screen.bad("the two sides differ; run it again"));
    screen.table(
        List.of("COLLECTIONS", "DOCUMENTS", "COPIED", "DIFFERENT", "THERE ALONE"),
        List.of(
            List.of(
                done.path("collections").asText(),
                done.path("documents").asText(),
                done.path("copied").asText(),
                done.path("different").asText(),
                done.path("extra").asText())));
    screen.line("checksum: " + done.path("sum_from").asText());
    if (!done.path("sum_from").equals(done.path("sum_to"))) {
      screen.line("there:    " + done.path("sum_to").asText());
    }
    done.path("examples").forEach(one -> screen.line("  " + one.asText()));
  }
}
