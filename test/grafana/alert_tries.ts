// Stops exchanges and takes the time until somebody is told, and until somebody is told that it is over.
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../support/questdb_until.ts";
import type { DemoStack } from "./demo_stack.ts";
import type { Received } from "./webhook.ts";

/** One stop of one exchange, or of its streams alone. */
export interface Stop {
  readonly venue: "binanceusdm" | "okx";
  readonly channel?: "ws";
}

export interface TryResult extends Stop {
  /** From the stop to the notification, for each channel that was told of, ms. */
  readonly firedMs: readonly number[];
  /** From the return to the notification that all is well, ms. */
  readonly resolvedMs: readonly number[];
  readonly fingerprints: readonly string[];
}

export const RULE = "ExchangeDisconnected";
const NOTICE_MS_MAX = 90_000;
/** Grafana does not repeat a notification of the same instance sooner, its recovery included. */
const RESEND_MS = 31_000;

/** Exchanges in turn, whole ones and streams alone in turn. */
export function stops(count: number): Stop[] {
  return Array.from({ length: count }, (_, index) => ({
    venue: index % 2 === 0 ? "binanceusdm" : "okx",
    ...(index % 4 < 2 ? {} : { channel: "ws" }),
  }));
}

/** Does one; waits first until Grafana may tell of that exchange again. */
export async function tryStop(stack: DemoStack, stop: Stop): Promise<TryResult> {
  const { webhook, control } = stack;
  const { venue } = stop;
  const channels = stop.channel === undefined ? 2 : 1;
  await untilMayTell(webhook.received, venue);
  const told = (status: Received["status"], sinceMs: number) =>
    until(
      `${channels} notices that ${venue} is ${status}`,
      () => {
        const found = noticesOf(webhook.received, venue).filter(
          (notice) => notice.status === status && notice.atMs > sinceMs,
        );
        return new Set(found.map(({ fingerprint }) => fingerprint)).size >= channels && found;
      },
      NOTICE_MS_MAX,
    );
  const stoppedMs = performance.now();
  await control({ fault: "away", ...stop });
  const fired = await told("firing", stoppedMs);
  const backMs = performance.now();
  await control({ fault: "clear", venue });
  const resolved = await told("resolved", backMs);
  return {
    ...stop,
    firedMs: fired.map(({ atMs }) => atMs - stoppedMs),
    resolvedMs: resolved.map(({ atMs }) => atMs - backMs),
    fingerprints: fired.map(({ fingerprint }) => fingerprint),
  };
}

function noticesOf(received: readonly Received[], venue: string): Received[] {
  return received.filter(({ labels }) => labels["alertname"] === RULE && labels["exchange"] === venue);
}

async function untilMayTell(received: readonly Received[], venue: string): Promise<void> {
  const lastMs = Math.max(-Infinity, ...noticesOf(received, venue).map(({ atMs }) => atMs));
  const waitMs = lastMs + RESEND_MS - performance.now();
  if (waitMs > 0) await delay(waitMs);
}
