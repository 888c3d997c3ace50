package dev.contextd.resilience.remote;

import dev.contextd.engine.ErrorCode;
import dev.contextd.engine.RemoteStore;
import dev.contextd.engine.StoreException;
import dev.contextd.engine.VectorStore;
import dev.contextd.resilience.HealthListener;
import dev.contextd.resilience.remote.Comparing.Repair;
import dev.contextd.resilience.remote.RemoteStatus.BreakerState;
import dev.contextd.resilience.remote.RemoteStatus.Mode;
import dev.contextd.resilience.remote.RemoteStatus.State;
import dev.contextd.storage.outbox.Outbox;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what is written here to the remote store, in order, now or when it is there again.
 *
 * <p>Invariants: what is noted as acknowledged was acknowledged; nothing that the remote store does
 * keeps a reader or writer here waiting; nothing that is thrown ends it.
 */
public final class RemoteSync implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RemoteSync.class);
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final Duration REFUSED_RETRY = Duration.ofSeconds(5);
  private static final Duration MAX_CLOSING = Duration.ofSeconds(5);
  private static final double JITTER = 0.5;

  private final Backlog backlog;
  private final RemoteStore remote;
  private final String owner;
  private final RemoteOptions options;
  private final Clock clock;
  private final RandomGenerator random;
  private final Consumer<Consumer<HealthListener>> tell;
  private final GuardedRemote guard;
  private final Shipping shipping;
  private final Admission admission;
  private final Bell bell = new Bell();
  private final Thread thread;

  /**
   * Held while something is done on the remote store: shipping, or a comparison; given to whoever
   * asked first, so that no stream of writes keeps an operator waiting.
   */
  private final ReentrantLock working = new ReentrantLock(true);

  private volatile boolean isClosing;
  private volatile boolean isPaused;

  /** Whether the backlog was told that the remote store is there, since it was away last. */
  private volatile boolean isGreeted;

  private volatile State state = State.UNKNOWN;
  private volatile Optional<Instant> lastSync = Optional.empty();
  private volatile Optional<String> lastError = Optional.empty();
  private volatile Instant nextCheck = Instant.MIN;

  /**
   * Prepares it; {@link #start} begins.
   *
   * @param backlog what is to be shipped, of the breaker in front of the remote store
   */
  RemoteSync(RemoteContext context, Function<GuardedRemote, Backlog> backlog) {
    this.remote = context.remote();
    this.owner = context.owner();
    this.options = context.options();
    this.clock = context.clock();
    this.random = context.random();
    this.tell = context.tell();
    this.guard = new GuardedRemote(this::breakerChanged);
    this.backlog = backlog.apply(guard);
    this.shipping = new Shipping(remote, guard, context.owner());
    this.admission = new Admission(this.backlog, remote, options, clock);
    this.thread = Thread.ofPlatform().daemon().name("remote").unstarted(this::loop);
  }

  /**
   * Prepares to ship from a store that holds every document too; {@link #start} begins.
   *
   * @param outbox of the store
   */
  public static RemoteSync ofMirror(VectorStore store, Outbox outbox, RemoteContext context) {
    return new RemoteSync(
        context, guard -> new MirrorBacklog(store, outbox, context.remote(), guard));
  }

  /** Begins to ship. */
  public void start() {
    backlog.onMore(bell::ring);
    thread.start();
  }

  private void breakerChanged(BreakerState now) {
    log.info("calls of the remote store {}: the breaker is {}", remote.address(), now);
    tell.accept(listener -> listener.onRemoteBreaker(now));
  }

  private void loop() {
    while (!isClosing) {
      Duration pause = RETRY;
      try {
        if (isPaused) {
          pause = options.checkInterval();
        } else {
          pause = turn();
        }
      } catch (StoreException e) {
        failed(e);
        pause = e.code() == ErrorCode.REMOTE_UNAVAILABLE ? RETRY : REFUSED_RETRY;
      } catch (IOException | RuntimeException e) {
        lastError = Optional.of(String.valueOf(e.getMessage()));
        log.error("the remote store is not brought up to date, and tried again", e);
      }
      try {
        bell.await(pause);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Asks for health where that is due, and ships all that waits; returns how long to rest. */
  private Duration turn() throws IOException {
    working.lock();
    try {
      backlog.tend();
      if (!clock.instant().isBefore(nextCheck) || state != State.UP) {
        ping();
        if (!isGreeted) {
          backlog.reached(shipping);
          isGreeted = true;
        }
        nextCheck = clock.instant().plus(jittered(options.checkInterval()));
      }
      if (options.syncOnConnect() && backlog.fillsGaps() && backlog.status().gap().isPresent()) {
        fillGap();
      }
      shipAll();
      lastSync = Optional.of(clock.instant());
      Duration rest = Duration.between(clock.instant(), nextCheck);
      return rest.isNegative() ? Duration.ZERO : rest;
    } finally {
      working.unlock();
    }
  }

  /** Whatever it fails with, it cannot be used. */
  private void ping() {
    try {
      guard.run(remote::ping);
      answered();
    } catch (StoreException e) {
      change(State.DOWN);
      throw e;
    }
  }

  /** Ships what waits now; what comes meanwhile has the next turn, or there would be no end. */
  private void shipAll() throws IOException {
    long until = backlog.status().visible();
    while (backlog.status().shipped() < until && !isClosing && !isPaused) {
      Optional<Outbox.Shipment> next = next();
      if (next.isEmpty()) {
        return;
      }
      Outbox.Shipment shipment = next.get();
      Optional<String> refused = shipping.ship(shipment);
      if (refused.isPresent()) {
        log.error(
            "part of what was written to {} is not held by the remote store: {}",
            shipment.collection(),
            refused.get());
        isGreeted = false; // What is known of its collections is not so: they are asked for again.
        nextCheck = Instant.MIN;
      }
      backlog.acknowledge(shipment.through());
      answered();
    }
  }

  /** What was written up to now is there: what still differs then differs for another reason. */
  private void settle() {
    try {
      if (status().waitingBytes() > 0) {
        backlog.settle();
        shipAll();
      }
    } catch (IOException e) {
      throw new StoreException(
          ErrorCode.STORAGE_FAILED, "reading what waits failed: " + e.getMessage(), e);
    }
  }

  private Optional<Outbox.Shipment> next() throws IOException {
    return backlog.next(options.batchDocuments(), options.batchBytes());
  }

  /** What the outbox does not know to be there is compared; what is there alone stays. */
  private void fillGap() throws IOException {
    long gaps = backlog.gaps();
    log.info("the remote store is compared: {}", backlog.status().gap().orElse(""));
    Comparison found = compare(Repair.SHIP);
    log.info(
        "{} documents were compared, {} were missing there and {} different; {} were written",
        found.compared(),
        found.missing(),
        found.different(),
        found.shipped());
    backlog.clearGap(gaps);
  }

  private Comparison compare(Repair repair) throws IOException {
    return backlog.compare(shipping, this::settle, repair);
  }

  private Duration jittered(Duration time) {
    return time.plus(
        Duration.ofMillis((long) (time.toMillis() * JITTER * (random.nextDouble() - 0.5))));
  }

  private void answered() {
    lastError = Optional.empty();
    change(State.UP);
  }

  private void failed(StoreException e) {
    String said = String.valueOf(e.getMessage());
    if (guard.state() == BreakerState.CLOSED || lastError.isEmpty()) {
      lastError = Optional.of(said);
    }
    if (e.code() == ErrorCode.REMOTE_UNAVAILABLE) {
      change(State.DOWN); // One that answers, and refuses, is not down.
    }
    log.debug("the remote store is tried again: {}", said);
  }

  private void change(State now) {
    if (state != now) {
      state = now;
      isGreeted &= now == State.UP;
      log.info(
          "the remote store {} is {}{}",
          remote.address(),
          now,
          lastError.map(why -> ": " + why).orElse(""));
      tell.accept(listener -> listener.onRemote(now));
    }
  }

  /** The breaker in front of the remote store. */
  GuardedRemote guard() {
    return guard;
  }

  Shipping shipping() {
    return shipping;
  }

  /** How things stand. */
  public RemoteStatus status() {
    RemoteStatus.Waiting waiting =
        RemoteStatus.Waiting.of(Optional.of(owner), backlog.status(), backlog.unsettledBytes());
    return new RemoteStatus(
        Mode.FALLBACK,
        remote.address(),
        waiting.owner(),
        state,
        isPaused,
        guard.state(),
        waiting.bytes(),
        waiting.writes(),
        waiting.acknowledged(),
        waiting.oldest(),
        lastSync,
        lastError,
        waiting.gap(),
        shipping.shipped(),
        shipping.refused(),
        backlog.conflicts().found(),
        guard.failures(),
        backlog.note());
  }

  /** How old the oldest thing is that waits by a status; zero where nothing does. */
  public Duration age(RemoteStatus status) {
    return status.age(clock.instant());
  }

  /** Past so many bytes that wait, writes are refused. */
  public long maxWaitingBytes() {
    return options.maxWaitingBytes();
  }

  /** Past such an age of the oldest thing that waits, writes are refused. */
  public Duration maxWaitingAge() {
    return options.maxWaitingAge();
  }

  /** What is taken for the remote store. */
  Admission admission() {
    return admission;
  }

  /** Nothing is shipped until {@link #resume}, or a restart. */
  public void pause() {
    isPaused = true;
    log.info("shipping to the remote store is paused");
  }

  /** Ships again. */
  public void resume() {
    isPaused = false;
    log.info("shipping to the remote store goes on");
    bell.ring();
  }

  /** Asks the remote store at once, whatever failed before. */
  public void resetBreaker() {
    guard.reset();
    bell.ring();
  }

  /**
   * Ships what was written up to now, and returns when it is there.
   *
   * @param takesOver whether collections that another daemon owns become ours
   * @throws StoreException where the remote store is away or refuses, or shipping is paused
   */
  public RemoteStatus sync(boolean takesOver) {
    if (isPaused) {
      throw new StoreException(
          ErrorCode.INVALID_ARGUMENT, "shipping is paused; ctxd remote resume lets it go on");
    }
    working.lock();
    try {
      if (takesOver) {
        shipping.takeOver(backlog.collections());
        backlog.reached(shipping);
      }
      backlog.settle();
      nextCheck = Instant.MIN; // Nothing may wait, and the remote store be away all the same.
      turn();
      return status();
    } catch (StoreException e) {
      failed(e);
      throw e;
    } catch (IOException e) {
      throw new StoreException(
          ErrorCode.STORAGE_FAILED, "reading what waits failed: " + e.getMessage(), e);
    } finally {
      working.unlock();
    }
  }

  /**
   * Compares both stores document by document, after all that waits was shipped.
   *
   * @param repairs whether what differs there is made as it is here; what is there alone, or
   *     another one, is kept in the trash here first
   */
  public Comparison verify(boolean repairs) {
    working.lock();
    try {
      sync(false);
      long gaps = backlog.gaps();
      Comparison found = compare(repairs ? Repair.MIRROR : Repair.NONE);
      if (found.isSame()) {
        backlog.clearGap(gaps);
      }
      return found;
    } catch (IOException e) {
      throw new StoreException(
          ErrorCode.STORAGE_FAILED, "noting the comparison failed: " + e.getMessage(), e);
    } finally {
      working.unlock();
    }
  }

  /** What is in hand is left: it is shipped again after the next start. */
  @Override
  public void close() {
    isClosing = true;
    bell.ring();
    try {
      if (thread.isAlive() && !thread.join(MAX_CLOSING)) {
        log.warn("a call of the remote store is still in hand; it is made again after a restart");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
