// The writer as the service builds it, in the process that is measured: real spool, real delivery, the configuration's defaults
// unless a scenario says otherwise. The shipped tables and the benchmarks' own.
import * as z from "zod";
import { type Clock, systemClock } from "../../ingest/clock.ts";
import { type Config, ConfigSchema } from "../../ingest/config/schema.ts";
import { type ConnectedDatabase, connectDatabase } from "../../ingest/database.ts";
import { createLog, type Log } from "../../ingest/log.ts";
import { createMetrics, type Metrics } from "../../ingest/metrics/record.ts";
import { openPipeline, type Pipeline } from "../../ingest/pipeline.ts";
import { EVENTS } from "../../schema/registry.ts";
import { type ServerAddress, ServerAddressSchema } from "../harness/server_address.ts";
import { MARKS } from "../workload/mark_event.ts";

/** What a task needs to build one. */
export const ServiceInputSchema = z.object({
  server: ServerAddressSchema,
  dataDir: z.string(),
  /** Settings that differ from the defaults, by section. */
  settings: z.partialRecord(z.enum(["writer", "spool", "intake"]), z.record(z.string(), z.unknown())),
});
export type ServiceInput = z.output<typeof ServiceInputSchema>;

export interface BenchPipeline {
  readonly pipeline: Pipeline;
  readonly config: Config;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Begins to deliver. Rows that are pushed before that are only spooled. */
  connect(): Promise<ConnectedDatabase>;
  /** Resolves when everything accepted is acknowledged by QuestDB. */
  delivered(): Promise<void>;
  close(): Promise<void>;
}

const DELIVERED_EVERY_MS = 2;

export async function openBenchPipeline(input: ServiceInput): Promise<BenchPipeline> {
  const { server, dataDir, settings } = input;
  const config = configOf(server, settings);
  const clock = systemClock();
  const log = createLog({ level: "error", format: "text" });
  const metrics = createMetrics({ processMetrics: false });
  const events = [...EVENTS, MARKS];
  const pipeline = await openPipeline({ events, config, dataDir, clock, random: Math.random, log, metrics });
  let database: ConnectedDatabase | undefined;

  return {
    ...{ pipeline, config, metrics, clock, log },
    async connect() {
      const find = {
        questdb: config.questdb,
        root: dataDir,
        env: {},
        clock,
        log,
        onProgress: () => undefined,
      };
      database = await connectDatabase({ config, find, clock, log }, new AbortController().signal);
      // The schema does not know the benchmarks' own tables.
      pipeline.deliverTo({ ...database, tableProblem: () => Promise.resolve(undefined) });
      return database;
    },
    async delivered() {
      while (pipeline.spool.pending().length > 0) await clock.sleep(DELIVERED_EVERY_MS);
    },
    async close() {
      await pipeline.stop(1_000);
      await database?.close();
      metrics.close();
    },
  };
}

function configOf({ http, pg }: ServerAddress, settings: ServiceInput["settings"]): Config {
  return ConfigSchema.parse({
    ...settings,
    questdb: { url: http, pgHost: pg.host, pgPort: pg.port, user: pg.user, password: pg.password },
    pipeline: { exchanges: [] },
  });
}

/** Hands rows over; throws when a single one is refused, because a benchmark's rows are all good. */
export async function acceptAll(pipeline: Pipeline, table: string, rows: readonly unknown[]): Promise<void> {
  const { rejected } = await pipeline.intake.accept(table, rows);
  const [first] = rejected;
  if (first !== undefined) throw new Error(`${table}: ${rejected.length} rows refused: ${first.message}`);
}
