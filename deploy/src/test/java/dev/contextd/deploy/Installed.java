package dev.contextd.deploy;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The programs of this machine that the tests need. */
final class Installed {
  private static final String INSTALL = "apt-get install prometheus prometheus-alertmanager";

  private Installed() {}

  static Path prometheus() {
    return require("prometheus");
  }

  /** Debian calls it by another name than its authors. */
  static Path alertmanager() {
    return require("prometheus-alertmanager", "alertmanager");
  }

  /** Ends the test as not run where none of them is installed; with {@code CI=true} as failed. */
  private static Path require(String... names) {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .flatMap(folder -> Stream.of(names).map(name -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .filter(Files::isRegularFile)
        .findFirst()
        .orElseGet(() -> notRun(names[0]));
  }

  private static Path notRun(String name) {
    String message = "alerts: NOT RUN, there is no " + name + " on PATH; run: " + INSTALL;
    if ("true".equals(System.getenv("CI"))) {
      throw new AssertionError(message);
    }
    System.out.println(message);
    return Assumptions.abort(message);
  }
}
