// A whole writer on a real QuestDB, in a data folder of its own.
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../ingest/clock.ts";
import { type Config, ConfigSchema } from "../../ingest/config/schema.ts";
import { type ConnectedDatabase, connectDatabase } from "../../ingest/database.ts";
import { createMetrics, type Metrics } from "../../ingest/metrics/record.ts";
import { type Database, openPipeline, type Pipeline } from "../../ingest/pipeline.ts";
import type { PgAddress } from "../../ingest/questdb/local.ts";
import type { LoggedLine } from "./source_context.ts";
import { temporaryFolder } from "./temporary_folder.ts";

export interface TestPipeline {
  readonly pipeline: Pipeline;
  readonly database: ConnectedDatabase;
  readonly metrics: Metrics;
  readonly dataDir: string;
  readonly lines: readonly LoggedLine[];
  /** Rows that the tables' queries see. */
  count(table: string): Promise<number>;
}

/** Configuration for tests: short lingers, an external server, no sources. */
function testConfig(
  questdb: { readonly http: string; readonly pg: PgAddress },
  writer: Partial<Config["writer"]> = {},
  spool: Partial<Config["spool"]> = {},
  deadLetterBytesMax?: number,
): Config {
  return ConfigSchema.parse({
    questdb: {
      url: questdb.http,
      pgHost: questdb.pg.host,
      pgPort: questdb.pg.port,
      user: questdb.pg.user,
      password: questdb.pg.password,
    },
    writer: { lingerMinMs: 5, lingerMaxMs: 20, ...writer },
    spool,
    ...(deadLetterBytesMax === undefined ? {} : { intake: { deadLetterBytesMax } }),
    pipeline: { exchanges: [] },
  });
}

export interface TestPipelineOptions {
  readonly writer?: Partial<Config["writer"]>;
  readonly spool?: Partial<Config["spool"]>;
  readonly deadLetterBytesMax?: number;
  readonly dataDir?: string;
  readonly clock?: Clock;
  /** What the delivery gets to see of the database. */
  readonly seen?: (database: ConnectedDatabase) => Database;
}

/** Open and delivering until the test finishes. */
export async function openTestPipeline(
  questdb: { readonly http: string; readonly pg: PgAddress },
  options: TestPipelineOptions = {},
): Promise<TestPipeline> {
  const config = testConfig(questdb, options.writer, options.spool, options.deadLetterBytesMax);
  const dataDir = options.dataDir ?? (await temporaryFolder());
  const clock = options.clock ?? systemClock();
  const lines: LoggedLine[] = [];
  const log = pino({ level: "debug" }, { write: (line) => void lines.push(JSON.parse(line)) });
  const metrics = createMetrics({ processMetrics: false });
  const find = { questdb: config.questdb, root: dataDir, env: {}, clock, log, onProgress: () => undefined };
  const database = await connectDatabase({ config, find, clock, log }, new AbortController().signal);
  const pipeline = await openPipeline({ config, dataDir, clock, random: Math.random, log, metrics });
  pipeline.deliverTo(options.seen?.(database) ?? database);
  onTestFinished(async () => {
    await pipeline.stop(2_000);
    await database.close();
  });
  return {
    ...{ pipeline, database, metrics, dataDir, lines },
    async count(table) {
      const [row] = await database.sql.query<{ n: number }>(`SELECT count() AS n FROM "${table}"`);
      return row?.n ?? 0;
    },
  };
}
