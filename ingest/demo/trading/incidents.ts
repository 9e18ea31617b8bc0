// Things that go wrong on schedule, so that their tables and panels have something to show: errors, an alert that fires
// and resolves, a gap in a series. Everything here says that it is simulated.
import { contentId } from "../../../schema/content_id.ts";
import type { EventInput } from "../../../schema/registry.ts";
import { RandomStream } from "../simulator/random.ts";
import type { Emit, Identity } from "./emit.ts";

const S_US = 1_000_000;

/** Lets what is due by `nowUs` happen. */
export interface Incident {
  step(nowUs: number): void;
}

interface IncidentOptions {
  readonly seed: number;
  readonly startUs: number;
  readonly identity: Identity;
  readonly emit: Emit;
}

type ErrorKind = Pick<
  EventInput<"daemon_errors">,
  "component" | "exchange" | "severity" | "code" | "message"
>;

const ERRORS: readonly [ErrorKind, ...ErrorKind[]] = [
  {
    component: "market_data",
    exchange: "okx",
    severity: "warning",
    code: "RequestTimeout",
    message: "simulated: the order book did not arrive within 5 s",
  },
  {
    component: "execution",
    exchange: "binanceusdm",
    severity: "warning",
    code: "RateLimitExceeded",
    message: "simulated: too many orders in ten seconds",
  },
  {
    component: "risk",
    severity: "error",
    code: "StaleMark",
    message: "simulated: no mark price for 12 s, new orders are held back",
  },
  {
    component: "state_store",
    severity: "info",
    code: "SlowWrite",
    message: "simulated: a checkpoint took 1.4 s",
  },
];

/** Errors of the daemon: the first after 5 s, then one in 90 s on average. */
export function createErrorIncident({ seed, startUs, identity, emit }: IncidentOptions): Incident {
  const random = new RandomStream(seed, "incident/errors");
  let nextUs = startUs + 5 * S_US;
  return {
    step(nowUs) {
      if (nowUs < nextUs) return;
      const kind = ERRORS[Math.floor(random.next() * ERRORS.length)] ?? ERRORS[0];
      emit("daemon_errors", { ts: nowUs, daemon: identity.daemon, instance: identity.instance, ...kind });
      nextUs = nowUs + (5 + random.exponential(85)) * S_US;
    },
  };
}

/** One alert: fires after 6 s, resolves 40 s later, comes again after five minutes on average. */
export function createAlertIncident({ seed, startUs, identity, emit }: IncidentOptions): Incident {
  const random = new RandomStream(seed, "incident/alerts");
  const rule = "DemoOrderLatencyHigh";
  const labels = JSON.stringify({ alertname: rule, daemon: identity.daemon, simulated: "true" });
  const about = { fingerprint: contentId([rule, labels]), rule, severity: "warning", labels };
  let firingSinceUs: number | undefined;
  let nextUs = startUs + 6 * S_US;
  return {
    step(nowUs) {
      if (nowUs < nextUs) return;
      const firing = firingSinceUs === undefined;
      const startedUs = firingSinceUs ?? nowUs - Math.round((1 + 2 * random.next()) * S_US);
      emit("alerts", {
        ts: nowUs,
        ...about,
        state: firing ? "firing" : "resolved",
        value: Math.round((firing ? 250 + 200 * random.next() : 40 + 20 * random.next()) * 10) / 10,
        summary: `simulated: order latency of ${identity.daemon} ${firing ? "is above" : "is back below"} 200 ms`,
        receiver: "demo",
        started_at: startedUs,
        ended_at: firing ? null : nowUs,
        notified_at: nowUs,
      });
      firingSinceUs = firing ? startedUs : undefined;
      nextUs = nowUs + (firing ? 40 : 60 + random.exponential(240)) * S_US;
    },
  };
}

/** How a gap goes on: found 10 s after it began, known to grow every 10 s, closed after 60 s, filled in a minute later. */
const GAP_FOUND_S = 10;
const GAP_LOOK_S = 10;
const GAP_CLOSED_S = 60;
const GAP_FILLED_S = 120;

/** A hole in the daemon's own one-per-second series, found 3 s after the start; another one every 15 minutes on average. */
export function createGapIncident({ seed, startUs, emit }: IncidentOptions): Incident {
  const random = new RandomStream(seed, "incident/gaps");
  let beganUs = startUs + (3 - GAP_FOUND_S) * S_US;
  let nextUs = startUs + 3 * S_US;

  function knownOf(ageS: number): {
    readonly lengthS: number;
    readonly status: "open" | "closed" | "backfilled";
  } {
    if (ageS < GAP_CLOSED_S) return { lengthS: ageS, status: "open" };
    return { lengthS: GAP_CLOSED_S, status: ageS < GAP_FILLED_S ? "closed" : "backfilled" };
  }

  return {
    step(nowUs) {
      if (nowUs < nextUs) return;
      const { lengthS, status } = knownOf((nowUs - beganUs) / S_US);
      emit("data_gaps", {
        ts: beganUs,
        exchange: "okx",
        symbol: "BTC/USDT:USDT",
        dataset: "trades (simulated)",
        gap_end: beganUs + Math.round(lengthS * S_US),
        duration_s: lengthS,
        missing_rows: Math.floor(lengthS),
        status,
      });
      if (status === "open") nextUs = nowUs + GAP_LOOK_S * S_US;
      else if (status === "closed") nextUs = beganUs + GAP_FILLED_S * S_US;
      else {
        nextUs = nowUs + Math.round((60 + random.exponential(840)) * S_US);
        beganUs = nextUs - GAP_FOUND_S * S_US;
      }
    },
  };
}
