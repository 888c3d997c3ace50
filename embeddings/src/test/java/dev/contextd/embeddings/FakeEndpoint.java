package dev.contextd.embeddings;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.StreamSupport;

/** An embedding endpoint on a free loopback port, behaving as a test says. */
final class FakeEndpoint implements AutoCloseable {

  /** What a test lets the endpoint make of a request. */
  @FunctionalInterface
  interface Behaviour {
    Answer answer(Request request) throws Exception;
  }

  /** A request as it arrived. */
  record Request(String path, Map<String, List<String>> headers, JsonNode body) {
    List<String> inputs() {
      return StreamSupport.stream(body.path("input").spliterator(), false)
          .map(JsonNode::asText)
          .toList();
    }
  }

  /**
   * The answer to send.
   *
   * @param announcedBytes the length that the header claims
   */
  record Answer(int status, Map<String, String> headers, String body, long announcedBytes) {
    static Answer of(int status, String body) {
      return new Answer(status, Map.of(), body, body.getBytes(StandardCharsets.UTF_8).length);
    }

    Answer with(String header, String value) {
      return new Answer(status, Map.of(header, value), body, announcedBytes);
    }
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Queue<Request> requests = new ConcurrentLinkedQueue<>();
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger mostUnderWay = new AtomicInteger();
  private final CountDownLatch closing = new CountDownLatch(1);

  FakeEndpoint(Behaviour behaviour) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", exchange -> handle(exchange, behaviour));
    server.start();
  }

  private void handle(HttpExchange exchange, Behaviour behaviour) throws IOException {
    mostUnderWay.accumulateAndGet(underWay.incrementAndGet(), Math::max);
    try (exchange) {
      JsonNode body = new JsonMapper().readTree(exchange.getRequestBody().readAllBytes());
      Request request =
          new Request(
              exchange.getRequestURI().getPath(), Map.copyOf(exchange.getRequestHeaders()), body);
      requests.add(request);
      Answer answer = behaviour.answer(request);
      byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
      answer.headers().forEach(exchange.getResponseHeaders()::set);
      underWay.decrementAndGet();
      exchange.sendResponseHeaders(
          answer.status(), answer.announcedBytes() == 0 ? -1 : answer.announcedBytes());
      exchange.getResponseBody().write(bytes);
      exchange.getResponseBody().flush();
      if (answer.announcedBytes() > bytes.length) {
        closing.await(); // the rest never comes
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  List<Request> requests() {
    return List.copyOf(requests);
  }

  int mostUnderWay() {
    return mostUnderWay.get();
  }

  /** Blocks a behaviour until the endpoint is closed. */
  void neverAnswer() throws InterruptedException {
    closing.await();
  }

  @Override
  public void close() {
    closing.countDown();
    server.stop(0);
    threads.shutdownNow();
  }

  /** Vectors as OpenAI sends them, one for each input and recognisable by {@link #vectorOf}. */
  static Answer vectors(Request request) {
    List<String> items = new ArrayList<>();
    for (int i = 0; i < request.inputs().size(); i++) {
      items.add(item(i, numbers(request.inputs().get(i))));
    }
    return data(items);
  }

  /** An answer of these items. */
  static Answer data(List<String> items) {
    return Answer.of(
        200,
        "{\"object\":\"list\",\"data\":[%s],\"model\":\"m\",\"usage\":{\"prompt_tokens\":1}}"
            .formatted(String.join(",", items)));
  }

  static String item(int index, String numbers) {
    return "{\"object\":\"embedding\",\"index\":%d,\"embedding\":%s}".formatted(index, numbers);
  }

  static String numbers(String text) {
    float[] vector = vectorOf(text);
    return "[%s,%s,%s]".formatted(vector[0], vector[1], vector[2]);
  }

  /** A vector that only this text has, near enough. */
  static float[] vectorOf(String text) {
    return new float[] {1, text.length(), text.hashCode() % 1_000};
  }
}
