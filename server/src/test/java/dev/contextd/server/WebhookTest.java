package dev.contextd.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.contextd.engine.StoreOptions;
import dev.contextd.resilience.ResilientStore;
import dev.contextd.testkit.StoreRoot;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The webhook hears of each transition once, though it may not listen at first. */
class WebhookTest {
  private static final Duration PAUSE = Duration.ofMillis(10);

  @RegisterExtension final StoreRoot root = new StoreRoot();

  private final List<JsonNode> heard = Collections.synchronizedList(new ArrayList<>());
  private final List<Boolean> delivered = Collections.synchronizedList(new ArrayList<>());
  private final Queue<Integer> answers = new ConcurrentLinkedQueue<>();
  private HttpServer receiver;

  @BeforeEach
  void listen() throws IOException {
    receiver = HttpServer.create(new InetSocketAddress(InetAddress.getByName("localhost"), 0), 0);
    receiver.createContext(
        "/hook",
        call -> {
          heard.add(new ObjectMapper().readTree(call.getRequestBody()));
          Integer status = answers.poll();
          call.sendResponseHeaders(status == null ? 204 : status, -1);
          call.close();
        });
    receiver.start();
  }

  @AfterEach
  void stop() {
    receiver.stop(0);
  }

  private Webhook webhook() {
    URI url = URI.create("http://localhost:" + receiver.getAddress().getPort() + "/hook");
    return Webhook.start(url, PAUSE, delivered::add);
  }

  @Test
  void everyTransitionIsPostedOnceAndAFailedPostIsTriedAgain() throws Exception {
    root.copyOf("chromem-go/plain");
    answers.addAll(List.of(500, 503));
    try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults())) {
      store.checker().listen(webhook());
      store.health();
      Path bad = Files.write(root.path().resolve("e9f85bf6/7fffffff.gob"), new byte[] {1});
      store.health();
      store.health();
      Files.delete(bad);
      store.health();
      await().until(() -> delivered.size() == 2);
    }
    assertThat(delivered).containsExactly(true, true);
    assertThat(heard)
        .extracting(message -> message.at("/event").asText())
        .containsExactly("degraded", "degraded", "degraded", "recovered");
    JsonNode first = heard.getFirst();
    assertThat(first.at("/status").asText()).isEqualTo("degraded");
    assertThat(first.at("/corrupt_hashes/0").asText()).isEqualTo("e9f85bf6");
    assertThat(first.at("/damage/document_unreadable").asInt()).isEqualTo(1);
  }

  @Test
  void aMessageIsGivenUpAfterFiveTriesAndTheNextOneArrives() throws Exception {
    root.copyOf("chromem-go/plain");
    answers.addAll(List.of(500, 500, 500, 500, 500));
    try (ResilientStore store = ResilientStore.open(root.path(), StoreOptions.defaults())) {
      store.checker().listen(webhook());
      Path bad = Files.write(root.path().resolve("e9f85bf6/7fffffff.gob"), new byte[] {1});
      store.health();
      Files.delete(bad);
      store.health();
      await().until(() -> delivered.size() == 2);
    }
    assertThat(delivered).containsExactly(false, true);
    assertThat(heard).hasSize(6);
  }
}
