package dev.contextd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Console;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What people see: tables, colours on a terminal only, and questions. */
final class Screen {
  private static final String GAP = "  ";
  private static final String RESET = "\u001b[0m";

  private final PrintStream out;
  private final boolean isColoured;

  Screen(PrintStream out, boolean isColoured) {
    this.out = out;
    this.isColoured = isColoured;
  }

  /** Whether somebody sits at the terminal that the answer goes to. */
  static boolean isTerminal() {
    Console console = console();
    return console != null && console.isTerminal();
  }

  @SuppressWarnings("SystemConsoleNull") // It is null in JDK 25 where there is no terminal.
  private static @Nullable Console console() {
    return System.console();
  }

  static Screen standard() {
    boolean isPlain = System.getenv("NO_COLOR") != null || "dumb".equals(System.getenv("TERM"));
    return new Screen(System.out, isTerminal() && !isPlain);
  }

  void line(String text) {
    out.println(printable(text));
  }

  void json(JsonNode node) {
    out.println(node.toPrettyString());
  }

  String good(String text) {
    return coloured("\u001b[32m", text);
  }

  String bad(String text) {
    return coloured("\u001b[31m", text);
  }

  private String coloured(String code, String text) {
    return isColoured ? code + text + RESET : text;
  }

  /** What stands in a store may hold anything; a terminal must not obey it. */
  static String printable(String text) {
    StringBuilder plain = new StringBuilder(text.length());
    text.codePoints()
        .forEach(c -> {
          boolean isOurs = c == 0x1b || c == '\n';
          plain.appendCodePoint(Character.isISOControl(c) && !isOurs ? 0xfffd : c);
        });
    return plain.toString();
  }

  /** A time of RFC 3339 without the part of a second; what is none stays. */
  static String seconds(String time) {
    return time.replaceFirst("\\.\\d+Z$", "Z");
  }

  /** Columns as wide as their widest cell; the last one is as long as it is. */
  void table(List<String> head, List<List<String>> rows) {
    table(head, rows, rows.stream().map(_ -> List.<String>of()).toList());
  }

  /**
   * As {@link #table(List, List)}.
   *
   * @param notes lines below each row: what is too long for a column
   */
  void table(List<String> head, List<List<String>> rows, List<List<String>> notes) {
    List<List<String>> all = new ArrayList<>();
    all.add(head);
    rows.forEach(row -> all.add(row.stream().map(Screen::cell).toList()));
    int[] widths = new int[head.size()];
    for (List<String> row : all) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).codePointCount(0, row.get(i).length()));
      }
    }
    for (int r = 0; r < all.size(); r++) {
      List<String> row = all.get(r);
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String cell = row.get(i);
        line.append(cell);
        if (i < widths.length - 1) {
          line.append(" ".repeat(widths[i] - cell.codePointCount(0, cell.length()))).append(GAP);
        }
      }
      out.println(line.toString().stripTrailing());
      if (r > 0) {
        notes.get(r - 1).forEach(note -> out.println(GAP + cell(note)));
      }
    }
  }

  /** A cell is one line, and what it holds gives a terminal no orders. */
  private static String cell(String text) {
    StringBuilder plain = new StringBuilder(text.length());
    text.codePoints().forEach(c -> plain.appendCodePoint(Character.isISOControl(c) ? 0xfffd : c));
    return plain.isEmpty() ? "-" : plain.toString();
  }

  /**
   * Asks before something is done.
   *
   * @param yes whether the caller has said so already
   * @throws CliException where the answer is no, or nobody is there to give one
   */
  static void confirm(String question, boolean yes) {
    if (yes) {
      return;
    }
    Console console = console();
    if (console == null || !console.isTerminal()) {
      throw new CliException(question + " Nobody is there to ask: add --yes.");
    }
    String answer = console.readLine("%s [y/N] ", question);
    if (answer == null || !answer.strip().equalsIgnoreCase("y")) {
      throw new CliException("nothing was done");
    }
  }
}
