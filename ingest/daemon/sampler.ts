// A source that takes one sample per slot of a fixed cadence: what daemon_health, storage_usage and ingest_health have
// in common. Knows slots, back-pressure and the end of a run; knows nothing of what is sampled.
import type { EventInput, EventName } from "../../schema/registry.ts";
import type { Clock } from "../clock.ts";
import { TickwatchError } from "../errors.ts";
import type { Source, SourceContext } from "../sources/source.ts";
import { createOutage } from "./outage.ts";

/** What is sampled in one run of the source. */
interface Sampling<N extends EventName> {
  /** The rows of one slot; `ts` is the time to give them, in µs. An error ends the run: the supervisor starts another. */
  sample(ts: number, signal: AbortSignal): Promise<readonly EventInput<N>[]>;
  /** Releases what the sampling holds. Called once, at the end of the run. */
  end?(): void;
}

export interface SamplerOptions<N extends EventName> {
  readonly name: string;
  readonly table: N;
  readonly everyMs: number;
  readonly context: SourceContext;
  /** Called when a run begins. */
  begin(): Sampling<N>;
}

/** A timer may fire a little before its time; a slot so near counts as reached. */
const EARLY_MS_MAX = 20;

/**
 * The first sample is taken at once and stamped with the time it was taken; every later one at a whole multiple of
 * `everyMs` since 1970 and stamped with that multiple. The next sample waits until the last one is durable, and slots
 * that pass meanwhile are left out: so one push is under way at most. A sample that the spool cannot take is left out
 * too, with one log line when that begins and one when it ends.
 */
export function createSampler<N extends EventName>(options: SamplerOptions<N>): Source {
  const { name, table, everyMs, context } = options;
  const { clock } = context;
  const log = context.log.child({ source: name });
  const refused = createOutage(
    { clock, log },
    { began: "samples are left out: the spool does not take them", ended: "samples are recorded again" },
  );
  return {
    name,
    async run(push, signal) {
      if (signal.aborted) return;
      const sampling = options.begin();
      try {
        let ts = clock.nowUs();
        while (!signal.aborted) {
          const rows = await sampling.sample(ts, signal);
          if (signal.aborted) return;
          try {
            if (rows.length > 0) await push(table, rows);
            refused.succeeded();
          } catch (error) {
            if (!isRefusal(error)) throw error;
            refused.failed(error);
          }
          ts = await nextSlot(clock, everyMs, signal);
        }
      } finally {
        sampling.end?.();
      }
    },
  };
}

/** Sleeps until the next whole multiple of `everyMs` and returns it in µs; returns early when the signal aborts. */
export async function nextSlot(clock: Clock, everyMs: number, signal: AbortSignal): Promise<number> {
  const everyUs = everyMs * 1000;
  const earlyUs = Math.min(EARLY_MS_MAX, everyMs / 4) * 1000;
  const slotAt = (us: number) => Math.floor((us + earlyUs) / everyUs) * everyUs;
  const nowUs = clock.nowUs();
  await clock.sleep((slotAt(nowUs) + everyUs - nowUs) / 1000, signal);
  // Asked again after the sleep: the system's clock may have been set meanwhile, or the process been suspended.
  return slotAt(clock.nowUs());
}

function isRefusal(error: unknown): boolean {
  return error instanceof TickwatchError && ["SPOOL_FULL", "SPOOL_FAILED", "STOPPING"].includes(error.code);
}
