// The configuration: every setting with its default and one sentence. Strict: a key that is not here is a mistake.
// `secret: true` hides a value wherever it would be printed. Pure: reading files and the environment is load.ts, rules
// over several settings are rules.ts (zod skips refinements of an object that has mistakes; ours must all be reported).
import * as z from "zod";
import { EVENTS } from "../../schema/registry.ts";

const port = () => z.int().min(1).max(65_535);
const positive = () => z.int().min(1);
const wholeDays = () => z.int().min(1).max(36_500);
const tableNames = EVENTS.map((event) => event.name);

const http = z.strictObject({
  host: z
    .string()
    .default("127.0.0.1")
    .describe("Address to listen on. Beyond this machine only with an API key."),
  port: port().default(8080).describe("Port of the gateway, /metrics, /livez, /readyz and /openapi.json."),
  keys: z
    .array(
      z
        .strictObject({
          name: z.string().min(1).describe("Who uses the key; shown in logs instead of the key."),
          key: z
            .string()
            .min(16)
            .optional()
            .meta({ description: "The key; write ${VAR} to take it from the environment.", secret: true }),
          keyFile: z.string().optional().describe("A file that holds the key."),
        })
        .refine((k) => (k.key === undefined) !== (k.keyFile === undefined), "give either key or keyFile"),
    )
    .default([])
    .describe("API keys for POST /v1/events; none means that everybody on this machine may write."),
  corsOrigins: z.array(z.string()).default([]).describe("Origins whose pages may call the gateway."),
  bodyBytesMax: positive().default(16_777_216).describe("Largest request body, after decompression."),
  requestTimeoutMs: positive().default(30_000).describe("Time for a request to arrive completely."),
});

const questdb = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("HTTP address of a QuestDB that runs already; none starts one."),
  pgHost: z.string().optional().describe("Host of PGWire, if it is not the one of url."),
  user: z.string().optional().describe("PGWire user of an external QuestDB."),
  password: z
    .string()
    .optional()
    .meta({ description: "PGWire password of an external QuestDB.", secret: true }),
  httpUser: z.string().optional().describe("HTTP basic user of an external QuestDB."),
  httpPassword: z
    .string()
    .optional()
    .meta({ description: "HTTP basic password of an external QuestDB.", secret: true }),
  start: z
    .enum(["auto", "docker", "java", "never"])
    .default("auto")
    .describe("How to start one when url is absent."),
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, "must be three numbers, such as 9.3.4")
    .default("9.3.4")
    .describe("Version to start."),
  httpPort: port()
    .default(9000)
    .describe("HTTP port of the started QuestDB; the next free one if it is in use."),
  pgPort: port().default(8812).describe("PGWire port, also of an external QuestDB."),
});

const retention = z.strictObject({
  days: wholeDays()
    .optional()
    .describe("Days to keep rows of every table, instead of the 90 of each definition."),
  tables: z
    .partialRecord(z.enum(tableNames), wholeDays())
    .default({})
    .describe("Days by table, before `days`."),
});

const intake = z.strictObject({
  futureMaxS: z.number().min(0).default(60).describe("How far ahead of this clock a ts may be, in seconds."),
  rowBytesMax: positive().default(1_048_576).describe("Largest row on the wire."),
  deadLetterBytesMax: positive()
    .default(268_435_456)
    .describe("Size of the dead-letter files; the oldest go first, counted."),
});

const writer = z.strictObject({
  encoder: z
    .enum(["native", "official"])
    .default("native")
    .describe("native, or the buffer of the official client."),
  commitsPerSecond: positive()
    .default(100)
    .describe("Commit budget over all tables: linger = active tables ÷ budget."),
  lingerMinMs: z.int().min(0).default(100).describe("Shortest wait for more rows before a delivery."),
  lingerMaxMs: z.int().min(0).default(800).describe("Longest wait for more rows before a delivery."),
  frameRowsMax: positive().max(50_000).default(50_000).describe("Rows that end a frame at once."),
  frameBytesMax: positive().default(4_194_304).describe("Bytes that end a frame at once."),
  requestBytesMax: positive()
    .default(16_777_216)
    .describe("Frames of one table are joined up to this size under backlog."),
  connections: z
    .int()
    .min(1)
    .max(8)
    .default(2)
    .describe("Requests under way at once, over all tables; one more for a backlog of one table."),
  requestTimeoutMs: positive().default(30_000).describe("Time for one delivery attempt."),
});

const spool = z.strictObject({
  durability: z
    .enum(["fsync", "os"])
    .default("fsync")
    .describe("fsync: acknowledged rows survive a power cut; os: only a crash of this process."),
  syncEveryMs: z
    .int()
    .min(0)
    .default(5)
    .describe("Least time between two syncs under load: whoever writes in between shares one."),
  bytesMax: positive().default(10_737_418_240).describe("Disk that the spool may take."),
  segmentBytes: z.int().min(65_536).default(16_777_216).describe("Size at which a new segment begins."),
  memoryBytes: positive()
    .default(33_554_432)
    .describe("Frames kept in memory until delivered; beyond it they are read back."),
  graceS: z
    .number()
    .min(0)
    .default(120)
    .describe("Delivered rows are kept so long, and sent again after an outage of QuestDB."),
  graceBytesMax: z.int().min(0).default(536_870_912).describe("Disk that delivered rows may take meanwhile."),
  whenFull: z
    .enum(["reject", "block"])
    .default("reject")
    .describe("reject: 429 with Retry-After; block: wait for room."),
});

const ledger = z.strictObject({
  bytesMax: z
    .int()
    .min(0)
    .default(536_870_912)
    .describe("Disk for the keys of accepted rows, 8 bytes each, for verify; the oldest go first. 0: none."),
});

/** CCXT datasets that the pipeline knows. */
export const DATASETS = ["open_interest", "funding_rates", "liquidations"] as const;
export type Dataset = (typeof DATASETS)[number];

/** Ten liquid linear swaps, in CCXT's unified form. */
const SYMBOLS_DEFAULT = ["BTC", "ETH", "SOL", "XRP", "BNB", "DOGE", "ADA", "AVAX", "LINK", "LTC"].map(
  (base) => `${base}/USDT:USDT`,
);

const exchange = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9]+$/, "must be a CCXT id: lower-case letters and digits")
    .describe("CCXT id of the exchange, such as binanceusdm."),
  symbols: z.array(z.string().min(1)).min(1).default(SYMBOLS_DEFAULT).describe("CCXT unified symbols."),
  datasets: z
    .array(z.enum(DATASETS))
    .min(1)
    .default([...DATASETS])
    .describe("What to record of it."),
  urls: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("Other base addresses, in the shape of CCXT's urls.api."),
  rateLimitMs: z.number().min(0).optional().describe("Milliseconds between calls, instead of CCXT's figure."),
});

/** What runs when the configuration names no exchanges. */
export const EXCHANGES_DEFAULT = ["binanceusdm", "okx", "bybit", "bitget", "gate"];

const pipeline = z.strictObject({
  exchanges: z
    .array(exchange)
    .default(() => EXCHANGES_DEFAULT.map((id) => exchange.parse({ id })))
    .refine((list) => new Set(list.map((e) => e.id)).size === list.length, "an exchange is listed twice")
    .describe("Exchanges to record."),
  openInterestEveryMs: z.int().min(1000).default(60_000).describe("Slot length of open interest."),
  fundingRatesEveryMs: z.int().min(1000).default(300_000).describe("Slot length of funding rates."),
  liquidationsEveryMs: z
    .int()
    .min(1000)
    .default(60_000)
    .describe("Slot length where liquidations are polled."),
  fetchTimeoutMs: positive().default(10_000).describe("Time for one call to an exchange."),
  staleAfterMs: positive()
    .default(120_000)
    .describe("A stream without a message for so long counts as stale and is renewed."),
  connectivityEveryMs: z.int().min(100).default(10_000).describe("Time between two connectivity samples."),
});

const daemon = z.strictObject({
  name: z.string().min(1).default("tickwatch").describe("Name of this process in daemon_health."),
  healthEveryMs: z.int().min(100).default(10_000).describe("Time between two health samples."),
  shutdownMs: positive()
    .default(8_000)
    .describe("Time to deliver what is pending when stopping; the rest stays in the spool."),
});

const log = z.strictObject({
  level: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("Least level that is written."),
  format: z.enum(["json", "text"]).optional().describe("text in development, json in production."),
});

export const ConfigSchema = z.strictObject({
  profile: z
    .enum(["development", "production"])
    .default("development")
    .describe("production demands API keys and writes JSON logs."),
  instance: z
    .string()
    .min(1)
    .optional()
    .describe("Name of this process in the tables; the host's name if absent."),
  dataDir: z
    .string()
    .min(1)
    .default(".tickwatch")
    .describe("Folder of spool, dead letters, run.json and a started QuestDB."),
  http: http.prefault({}),
  questdb: questdb.prefault({}),
  retention: retention.prefault({}),
  intake: intake.prefault({}),
  writer: writer.prefault({}),
  spool: spool.prefault({}),
  ledger: ledger.prefault({}),
  pipeline: pipeline.prefault({}),
  daemon: daemon.prefault({}),
  log: log.prefault({}),
});

/** The checked configuration, with all defaults. */
export type Config = z.output<typeof ConfigSchema>;
export type ExchangeConfig = Config["pipeline"]["exchanges"][number];
