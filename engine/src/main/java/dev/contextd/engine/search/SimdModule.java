package dev.contextd.engine.search;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The module of Java's vectors, an incubator: no process has it that did not ask for it.
 *
 * <p>One that is started with {@code --add-modules jdk.incubator.vector} has it from the beginning,
 * and pays for it: Java's cache of a program's start then holds neither its lambdas nor its linked
 * classes. One that is started with {@code --add-exports java.base/jdk.internal.module=ALL-UNNAMED}
 * gets it here, when it is needed, as Java itself gets the module of an agent.
 */
final class SimdModule {
  private static final Logger log = LoggerFactory.getLogger(SimdModule.class);
  private static final String NAME = "jdk.incubator.vector";

  /** Set to false, a process never loads it; a cache made by one that did would not be valid. */
  private static final String WANTED = "contextd.simd";

  private SimdModule() {}

  /** Whether it is there, now at the latest. */
  static boolean load() {
    if (ModuleLayer.boot().findModule(NAME).isPresent()) {
      return true;
    }
    if (!Boolean.parseBoolean(System.getProperty(WANTED, "true"))) {
      return false;
    }
    try {
      Class.forName("jdk.internal.module.Modules")
          .getMethod("loadModule", String.class)
          .invoke(null, NAME);
      return true;
    } catch (ReflectiveOperationException e) {
      log.info(
          "searches run without SIMD; start Java with --add-modules {} ({})", NAME, e.toString());
      return false;
    }
  }
}
