// Which sources run. Adding one: its file, and a line here.
import type { Config } from "../config/schema.ts";
import { createHealthSource } from "../daemon/health_source.ts";
import type { Metrics } from "../metrics/record.ts";
import { createCcxtSource } from "./ccxt/ccxt_source.ts";
import { createDiskSpaceSource } from "./disk_space.ts";
import { createIngestHealthSource, type TableHealth } from "./ingest_health.ts";
import type { Source, SourceContext } from "./source.ts";
import { createStorageUsageSource, type TableSize } from "./storage_usage.ts";

export interface SourceInputs {
  readonly config: Pick<Config, "pipeline" | "daemon">;
  readonly context: SourceContext;
  readonly metrics: Metrics;
  readonly spoolDir: string;
  readonly restarts: () => number;
  readonly tableHealth: () => readonly TableHealth[];
  readonly tableSizes: (signal: AbortSignal) => Promise<readonly TableSize[]>;
}

export function createSources(inputs: SourceInputs): readonly Source[] {
  const { config, context, metrics } = inputs;
  const { pipeline, daemon } = config;
  return [
    createHealthSource({
      context,
      daemonName: daemon.name,
      everyMs: daemon.healthEveryMs,
      restarts: inputs.restarts,
    }),
    createIngestHealthSource({ context, tableHealth: inputs.tableHealth }),
    createDiskSpaceSource({ context, folder: inputs.spoolDir }),
    createStorageUsageSource({ context, spoolDir: inputs.spoolDir, tableSizes: inputs.tableSizes }),
    ...pipeline.exchanges.map((exchange) => createCcxtSource({ exchange, pipeline, metrics }, context)),
  ];
}
