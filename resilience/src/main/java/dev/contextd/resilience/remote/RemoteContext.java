package dev.contextd.resilience.remote;

import dev.contextd.engine.RemoteStore;
import dev.contextd.resilience.HealthListener;
import java.time.Clock;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * A remote store and who writes to it.
 *
 * @param owner who writes to the remote collections, told to whoever else would
 * @param tell reaches those who listen to health
 */
public record RemoteContext(
    RemoteStore remote,
    String owner,
    RemoteOptions options,
    Clock clock,
    RandomGenerator random,
    Consumer<Consumer<HealthListener>> tell) {}
