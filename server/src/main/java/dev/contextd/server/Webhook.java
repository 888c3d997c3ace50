package dev.contextd.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.contextd.resilience.HealthListener;
import dev.contextd.resilience.HealthReport;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Posts transitions of the store's health to a URL, each as one JSON object, in their order.
 *
 * <p>A message that does not arrive is tried again {@value #TRIES} times, each pause twice the one
 * before; nobody waits for it. It names folders and counts, and no documents.
 */
final class Webhook implements HealthListener {
  private static final Logger log = LoggerFactory.getLogger(Webhook.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TRIES = 5;
  private static final int MAX_WAITING = 100;
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final URI url;
  private final Duration pause;
  private final Consumer<Boolean> delivered;
  private final BlockingQueue<byte[]> waiting = new ArrayBlockingQueue<>(MAX_WAITING);

  private Webhook(URI url, Duration pause, Consumer<Boolean> delivered) {
    this.url = url;
    this.pause = pause;
    this.delivered = delivered;
  }

  /**
   * Begins to deliver.
   *
   * @param pause before the second try
   * @param delivered is told of each message whether it arrived
   */
  static Webhook start(URI url, Duration pause, Consumer<Boolean> delivered) {
    Webhook webhook = new Webhook(url, pause, delivered);
    Thread.ofPlatform().daemon().name("webhook").start(webhook::loop);
    return webhook;
  }

  @Override
  public void onDegraded(HealthReport report) {
    send("degraded", report);
  }

  @Override
  public void onRecovered(HealthReport report) {
    send("recovered", report);
  }

  @Override
  public void onError(HealthReport report) {
    send("error", report);
  }

  private void send(String event, HealthReport report) {
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("event", event);
    message.put("time", report.checkedAt().toString());
    message.put("status", report.isDegraded() ? "degraded" : "ok");
    message.put("healthy_count", report.healthy().size());
    message.put("corrupt_count", report.corrupt().size());
    message.put("empty_count", report.empty().size());
    message.put("corrupt_hashes", report.corrupt());
    message.put("damage", report.damage());
    message.put("brake", report.brake().orElse(null));
    message.put("error", report.error().orElse(null));
    message.put("version", Version.CURRENT);
    try {
      if (!waiting.offer(JSON.writeValueAsBytes(message))) {
        log.error("{} messages wait for {}; this one is lost: {}", MAX_WAITING, host(), event);
        delivered.accept(false);
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("strings and numbers are always JSON", e);
    }
  }

  private void loop() {
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build()) {
      while (true) {
        delivered.accept(deliver(client, waiting.take()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean deliver(HttpClient client, byte[] message) throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(url)
            .timeout(TIMEOUT)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(message))
            .build();
    Duration wait = pause;
    for (int i = 1; ; i++) {
      String why;
      try {
        int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        if (status / 100 == 2) {
          return true;
        }
        why = "status " + status;
      } catch (IOException e) {
        why = e.toString();
      }
      if (i == TRIES) {
        log.error("the webhook at {} was given up after {} tries: {}", host(), TRIES, why);
        return false;
      }
      log.warn("the webhook at {} failed and is tried again in {}: {}", host(), wait, why);
      Thread.sleep(wait);
      wait = wait.multipliedBy(2);
    }
  }

  /** A webhook's path may be its secret. */
  private String host() {
    return url.getHost();
  }
}
