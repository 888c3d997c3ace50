/**
 * The alerts, their routing, the dashboard and the unit, tried with the programs they are for: a
 * real Prometheus and a real Alertmanager, over a real daemon.
 */
@NullMarked
package dev.contextd.deploy;

import org.jspecify.annotations.NullMarked;
