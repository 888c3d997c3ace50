package dev.contextd.server;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.LayoutBase;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.time.temporal.ChronoUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log: plain lines on standard error. In code, because reading XML and patterns would cost
 * every start a tenth of a second.
 */
public final class Logging extends ContextAwareBase implements Configurator {

  /**
   * {@code 2026-11-24T00:47:57.041Z INFO Daemon - message}, then the stack trace where there is
   * one.
   */
  private static final class Line extends LayoutBase<ILoggingEvent> {
    @Override
    public String doLayout(ILoggingEvent event) {
      String name = event.getLoggerName();
      StringBuilder line = new StringBuilder(128);
      line.append(event.getInstant().truncatedTo(ChronoUnit.MILLIS))
          .append(' ')
          .append(event.getLevel());
      line.append(event.getLevel().toString().length() < 5 ? "  " : " ");
      line.append(name, name.lastIndexOf('.') + 1, name.length()).append(" - ");
      line.append(event.getFormattedMessage()).append('\n');
      if (event.getThrowableProxy() != null) {
        line.append(ThrowableProxyUtil.asString(event.getThrowableProxy()));
      }
      return line.toString();
    }
  }

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    Line layout = new Line();
    layout.setContext(context);
    layout.start();
    LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
    encoder.setContext(context);
    encoder.setLayout(layout);
    encoder.start();
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setContext(context);
    console.setTarget("System.err");
    console.setEncoder(encoder);
    console.start();
    context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(console);
    setLevels(context, Level.INFO);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /** Applies the configured level to what is ours; libraries stay quiet below warnings. */
  public static void setLevel(String level) {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      setLevels(context, Level.toLevel(level, Level.INFO));
    }
  }

  private static void setLevels(LoggerContext context, Level level) {
    context
        .getLogger(Logger.ROOT_LOGGER_NAME)
        .setLevel(level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN);
    context.getLogger("dev.contextd").setLevel(level);
  }
}
