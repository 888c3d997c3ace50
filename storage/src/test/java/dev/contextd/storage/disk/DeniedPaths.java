package dev.contextd.storage.disk;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Predicate;

/** The machine's disk, on which the system permits some operations on some paths to nobody. */
public final class DeniedPaths {
  private DeniedPaths() {}

  /**
   * A disk that denies them.
   *
   * @param operations names of the methods of {@link FileCalls}, judged by their first path
   */
  public static Disk of(Predicate<Path> paths, Set<String> operations) {
    FileCalls calls = new LocalCalls();
    InvocationHandler handler =
        (_, operation, arguments) -> {
          if (operations.contains(operation.getName())
              && arguments[0] instanceof Path path
              && paths.test(path)) {
            throw new AccessDeniedException(path.toString());
          }
          try {
            return operation.invoke(calls, arguments);
          } catch (InvocationTargetException e) {
            throw e.getTargetException();
          }
        };
    return new LocalDisk(
        (FileCalls)
            Proxy.newProxyInstance(
                FileCalls.class.getClassLoader(), new Class<?>[] {FileCalls.class}, handler));
  }
}
