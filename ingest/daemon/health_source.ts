// Samples this process into daemon_health. Knows nothing of other sources.
import type { Source, SourceContext } from "../sources/source.ts";
import { createProcessSampler } from "./process_sample.ts";
import { createSampler } from "./sampler.ts";

export interface HealthSourceOptions {
  readonly context: SourceContext;
  readonly daemonName: string;
  readonly everyMs: number;
  /** How often the supervisor restarted a source since the process started. */
  readonly restarts: () => number;
}

/** One row of `daemon_health` at once, then one per slot of `everyMs`. */
export function createHealthSource({ context, daemonName, everyMs, restarts }: HealthSourceOptions): Source {
  return createSampler({
    name: "daemon_health",
    table: "daemon_health",
    everyMs,
    context,
    begin() {
      const sampler = createProcessSampler(() => context.clock.monotonicMs());
      return {
        async sample(ts) {
          const sample = await sampler.sample();
          return [{ ts, daemon: daemonName, instance: context.instance, ...sample, restarts: restarts() }];
        },
        end: () => sampler.close(),
      };
    },
  });
}
