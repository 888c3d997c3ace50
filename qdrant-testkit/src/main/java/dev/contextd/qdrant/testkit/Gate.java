package dev.contextd.qdrant.testkit;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What every call passes first: it is counted, and its key is checked; something may happen before
 * it.
 */
final class Gate implements ServerInterceptor {
  private static final Metadata.Key<String> API_KEY =
      Metadata.Key.of("api-key", Metadata.ASCII_STRING_MARSHALLER);

  /** Health checks need no key, as in Qdrant: that they succeed says nothing about the key. */
  private static final Set<String> OPEN =
      Set.of("qdrant.Qdrant/HealthCheck", "grpc.health.v1.Health/Check");

  private final Optional<String> key;
  private final Map<String, LongAdder> calls = new ConcurrentHashMap<>();
  private final Map<String, Runnable> once = new ConcurrentHashMap<>();

  Gate(Optional<String> key) {
    this.key = key;
  }

  void beforeNext(String method, Runnable action) {
    once.put(method, action);
  }

  long calls() {
    return calls.values().stream().mapToLong(LongAdder::sum).sum();
  }

  long calls(String method) {
    LongAdder count = calls.get(method);
    return count == null ? 0 : count.sum();
  }

  @Override
  public <Q, R> Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String method = call.getMethodDescriptor().getFullMethodName();
    calls.computeIfAbsent(method, _ -> new LongAdder()).increment();
    Runnable first = once.remove(method);
    if (first != null) {
      first.run();
    }
    if (OPEN.contains(method) || key.isEmpty()) {
      return next.startCall(call, headers);
    }
    String given = headers.get(API_KEY);
    if (given != null && given.equals(key.get())) {
      return next.startCall(call, headers);
    }
    String problem =
        given == null
            ? "Must provide an API key or an Authorization bearer token"
            : "Invalid API key or JWT";
    call.close(Status.UNAUTHENTICATED.withDescription(problem), new Metadata());
    return new Listener<>() {};
  }
}
