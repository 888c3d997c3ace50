package dev.contextd.resilience;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes transitions of the store's health to the log. */
final class HealthLog implements HealthListener {
  private static final Logger log = LoggerFactory.getLogger(HealthLog.class);

  @Override
  public void onCorrupt(List<String> folders) {
    log.warn("corrupt now: {}", folders);
  }

  @Override
  public void onDegraded(HealthReport report) {
    log.warn(
        "the store is degraded: {} healthy, {} corrupt, {} empty; {}",
        report.healthy().size(),
        report.corrupt().size(),
        report.empty().size(),
        report.details().values().stream()
            .findFirst()
            .or(report::brake)
            .orElse("GET /health tells more"));
  }

  @Override
  public void onRecovered(HealthReport report) {
    log.info("the store is healthy again: {} collections", report.healthy().size());
  }

  @Override
  public void onError(HealthReport report) {
    log.error("the store cannot be checked: {}", report.error().orElse(""));
  }
}
