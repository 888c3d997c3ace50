package dev.contextd.storage;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.contextd.storage.gob.FormatException;
import java.lang.management.ManagementFactory;

/**
 * A decoder under watch: it may refuse its input with {@link FormatException} and with nothing
 * else, and it may allocate a fixed multiple of what it was given.
 */
public final class Allocation {
  /** Covers a decoder's fixed objects and an exception with its stack trace. */
  private static final long FIXED_BYTES = 64 << 10;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Allocation() {}

  /** A decoder of one format. */
  @FunctionalInterface
  public interface Decoder {
    Object decode(byte[] bytes) throws FormatException;
  }

  /**
   * Decodes and asserts the bound.
   *
   * @param bytesPerByte how many bytes may be allocated for each byte of the input
   * @return whether the input was accepted
   */
  public static boolean accepts(Decoder decoder, byte[] input, long bytesPerByte, String what) {
    return accepts(decoder, input, FIXED_BYTES + bytesPerByte * input.length, bytesPerByte, what);
  }

  /** As above, with an absolute bound. */
  public static boolean acceptsWithin(Decoder decoder, byte[] input, long bound, String what) {
    return accepts(decoder, input, bound, 0, what);
  }

  private static boolean accepts(
      Decoder decoder, byte[] input, long bound, long bytesPerByte, String what) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    boolean accepted = tryDecode(decoder, input, what);
    if (THREADS.getCurrentThreadAllocatedBytes() - before > bound) {
      // The first call of anything loads and links classes; the second is the decoder alone.
      long again = THREADS.getCurrentThreadAllocatedBytes();
      tryDecode(decoder, input, what);
      assertThat(THREADS.getCurrentThreadAllocatedBytes() - again)
          .as("bytes allocated for %d bytes (%d each) of %s", input.length, bytesPerByte, what)
          .isLessThanOrEqualTo(bound);
    }
    return accepted;
  }

  private static boolean tryDecode(Decoder decoder, byte[] input, String what) {
    try {
      return decoder.decode(input) != null;
    } catch (FormatException e) {
      return false;
    } catch (RuntimeException | Error e) {
      throw new AssertionError(what + ": expected a value or a FormatException", e);
    }
  }
}
