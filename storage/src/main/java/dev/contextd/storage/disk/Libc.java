package dev.contextd.storage.disk;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Functions of the C library, called with the types and numbers of their manual pages. What a call
 * leaves in {@code errno} is captured in a state, which is each function's first argument.
 */
final class Libc {
  static final int O_RDONLY = 0;
  static final int O_WRONLY = 1;
  static final int O_CLOEXEC = 0x80000;

  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int EEXIST = 17;
  static final int EISDIR = 21;
  static final int EINVAL = 22;
  static final int EOPNOTSUPP = 95;

  /** Made on first use: an opening that writes nothing asks for no reason of a failure. */
  private static final class State {
    static final MemoryLayout LAYOUT = Linker.Option.captureStateLayout();
    static final VarHandle ERRNO = LAYOUT.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  }

  private static final FunctionDescriptor TYPE =
      FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

  private Libc() {}

  /** A call of a function. */
  @FunctionalInterface
  interface Call {
    long make() throws Throwable;
  }

  static boolean has(String function) {
    return Linker.nativeLinker().defaultLookup().find(function).isPresent();
  }

  /**
   * A function that leaves in its first argument why it failed: {@code long f(MemorySegment state,
   * long, long, long, long, long)}.
   *
   * <p>All have one type, with more arguments than any of them takes, so that a young process links
   * it once: each further type costs it a hundredth of a second or two. Numbers of 32 bits and
   * pointers travel in the same registers as those of 64, of which a function looks at its own
   * arguments alone; of its result the caller takes as many bits as there are. So it is on Linux on
   * both processors of {@link LinuxFiles}, on which also the arguments of a variadic function, as
   * open(2) is, travel as others do.
   */
  static MethodHandle function(String name) {
    // As that of open(2), for the register in which a variadic function is told of fractions.
    Linker.Option variadic = Linker.Option.firstVariadicArg(2);
    return linked(name, variadic, Linker.Option.captureCallState("errno"));
  }

  /**
   * A function of which nobody asks why it failed: {@code long f(long, long, long, long, long)}.
   */
  static MethodHandle plainFunction(String name) {
    return linked(name);
  }

  @SuppressWarnings("restricted") // whoever names a function gives the arguments of its manual page
  private static MethodHandle linked(String name, Linker.Option... options) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), TYPE, options);
  }

  /**
   * Linked on first use. Fields of an object and not constants: the way into a constant is compiled
   * anew into every caller, which costs a young process more than the calls.
   */
  private static final class Files {
    static final Files LINKED = new Files();

    final MethodHandle open = function("open");
    final MethodHandle close = function("close");
  }

  /**
   * The address of a path's bytes, behind which a zero stands as in all fresh memory; Java's own
   * way makes half a dozen classes when it is first gone, and every opening comes here.
   */
  static long path(Arena arena, Path path) {
    byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
    MemorySegment copy = arena.allocate(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, copy, JAVA_BYTE, 0, bytes.length);
    return copy.address();
  }

  /** As {@link #open(MemorySegment, long, int, int)}, of a path whose bytes the arena holds. */
  static int open(Arena arena, MemorySegment state, Path path, int flags, int mode) {
    return open(state, path(arena, path), flags, mode);
  }

  /**
   * {@code int open(const char *path, int flags, mode_t mode)}; negative where it fails.
   *
   * @param path the address of its bytes, behind which a zero stands
   */
  static int open(MemorySegment state, long path, int flags, int mode) {
    return (int)
        call(
            state,
            () ->
                (int)
                    (long)
                        Files.LINKED.open.invokeExact(
                            state, path, (long) flags, (long) mode, 0L, 0L));
  }

  /** {@code int close(int file)}. */
  static int close(MemorySegment state, int file) {
    return (int)
        call(() -> (int) (long) Files.LINKED.close.invokeExact(state, (long) file, 0L, 0L, 0L, 0L));
  }

  /** Closes what nobody else closes. */
  static void close(int file) {
    try (Arena arena = Arena.ofConfined()) {
      int closed = close(state(arena), file);
      assert closed == 0;
    }
  }

  static MemorySegment state(Arena arena) {
    return arena.allocate(State.LAYOUT);
  }

  static long call(Call call) {
    try {
      return call.make();
    } catch (Throwable e) {
      throw thrown(e);
    }
  }

  /** What a call threw, which no function of C does. */
  static RuntimeException thrown(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException known
        ? known
        : new IllegalStateException("a native call failed", e);
  }

  /** Repeats a call that a signal cut short; {@code close} is none that may be repeated. */
  static long call(MemorySegment state, Call call) {
    long result;
    do {
      result = call(call);
    } while (result < 0 && errno(state) == EINTR);
    return result;
  }

  static int errno(MemorySegment state) {
    return (int) State.ERRNO.get(state, 0L);
  }

  /** The system's words for why the last call failed. */
  static String reason(MemorySegment state) {
    int errno = errno(state);
    return switch (errno) {
      case ENOENT -> "No such file or directory";
      case 5 -> "Input/output error";
      case 13 -> "Permission denied";
      case 20 -> "Not a directory";
      case 23, 24 -> "Too many open files";
      case 28 -> "No space left on device";
      case 30 -> "Read-only file system";
      case 122 -> "Disk quota exceeded";
      default -> "error " + errno;
    };
  }
}
