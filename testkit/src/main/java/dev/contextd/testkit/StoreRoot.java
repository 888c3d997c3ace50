package dev.contextd.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.storage.check.CheckReport;
import dev.contextd.storage.check.Damage;
import dev.contextd.storage.check.StoreCheck;
import dev.contextd.storage.disk.LocalDisk;
import dev.contextd.storage.parallel.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A store's root folder for one test: fresh before it, checked after it, then removed.
 *
 * <p>The check is the one that ships. A test that leaves damage on purpose says which with {@link
 * #expect}; any other damage, and any expected damage that is not there, fails the test.
 */
public final class StoreRoot implements BeforeEachCallback, AfterEachCallback {
  private final List<Predicate<Damage>> expected = new ArrayList<>();
  private Optional<Path> folder = Optional.empty();

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    folder = Optional.of(Files.createTempDirectory("contextd-test-"));
    expected.clear();
  }

  /** The root; it exists and is empty at first. */
  public Path path() {
    return folder.orElseThrow().resolve("vectorstore");
  }

  /** A folder beside the root, removed with it. */
  public Path beside(String name) {
    return folder.orElseThrow().resolve(name);
  }

  public Path copyOf(String fixture) throws IOException {
    Fixtures.copy(fixture, path());
    return path();
  }

  /** The test leaves damage of this kind on purpose. */
  public void expect(Class<? extends Damage> kind) {
    expected.add(kind::isInstance);
  }

  public static CheckReport check(Path root) throws IOException {
    return new StoreCheck(new LocalDisk(), Workers.common()).check(root);
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    Path parent = folder.orElseThrow();
    try {
      if (context.getExecutionException().isEmpty() && Files.isDirectory(path())) {
        List<Damage> found = check(path()).damage();
        assertThat(found)
            .as("the check at the end of the test")
            .allMatch(damage -> expected.stream().anyMatch(kind -> kind.test(damage)));
        for (Predicate<Damage> kind : expected) {
          assertThat(found).as("damage the test expected").anyMatch(kind);
        }
      }
    } finally {
      removeTree(parent);
    }
  }

  private static void removeTree(Path folder) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
