// `tickwatch verify`: is every accepted row in QuestDB, in the dead letters or still waiting? Uses the QuestDB that runs,
// or starts the one that `start` would use and stops it again. The service may run or not.
import { stat } from "node:fs/promises";
import { EVENTS } from "../../schema/registry.ts";
import { isoToMicros } from "../../schema/timestamp_text.ts";
import { type DataFolders, dataFolders } from "../config/data_dir.ts";
import type { Config } from "../config/schema.ts";
import { TickwatchError } from "../errors.ts";
import { createLog } from "../log.ts";
import { attachQuestdb, findQuestdb, type RunningQuestdb } from "../questdb/local.ts";
import { openSql } from "../questdb/sql.ts";
import { reportLines, type VerifyReport } from "../verify/report.ts";
import { verify as verifyRows } from "../verify/verify.ts";
import { configurationFor } from "./configuration.ts";
import type { CliIo, GlobalOptions } from "./io.ts";
import { type Progress, showProgress } from "./progress.ts";

export interface VerifyFlags extends GlobalOptions {
  /** ISO 8601 with a zone, or a time before now: -90s, -15m, -1h, -7d. */
  readonly from?: string;
  readonly to?: string;
  readonly table?: string;
  readonly keys?: boolean;
  readonly strict?: boolean;
  readonly examples: number;
  readonly json?: boolean;
  readonly demo?: boolean;
}

/** Counting over a large table may take its time. */
const STATEMENT_MS = 300_000;

/** 0 when every row is accounted for, 1 when not. */
export async function verify(io: CliIo, flags: VerifyFlags): Promise<number> {
  const { config } = configurationFor(io, flags);
  const folders = dataFolders(config.dataDir, io.cwd, flags.demo === true);
  const nowUs = io.clock.nowUs();
  const [fromUs, toUs] = [timeOf("--from", flags.from, nowUs), timeOf("--to", flags.to, nowUs)];
  const events = EVENTS.filter(({ name }) => flags.table === undefined || name === flags.table);
  if (events.length === 0) throw new TickwatchError("USAGE", `there is no table ${flags.table}`);
  await mustExist(folders.ledgerDir);
  const stop = io.takeSignals();
  const progress = await showProgress(io);
  try {
    const server = await questdbOf(io, config, folders, progress, stop.signal);
    const sql = openSql({ ...(server.pgReadonly ?? server.pg), timeoutMs: STATEMENT_MS });
    try {
      const report = await verifyRows({
        ...{ sql, clock: io.clock, events, fromUs, toUs, signal: stop.signal },
        ...{ spoolDir: folders.spoolDir, ledgerDir: folders.ledgerDir, deadLetterDir: folders.deadLetterDir },
        ...{ allKeys: flags.keys === true, strict: flags.strict === true, examplesMax: flags.examples },
        onProgress: (message) => progress.step(message),
      });
      progress.end();
      print(io, report, flags.json === true);
      return report.ok ? 0 : 1;
    } finally {
      await sql.close();
      await server.stop();
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return stop.interruptedCode;
  } finally {
    progress.end();
    stop.release();
  }
}

function print(io: CliIo, report: VerifyReport, asJson: boolean): void {
  for (const line of asJson ? [JSON.stringify(report)] : reportLines(report)) io.out(line);
}

async function questdbOf(
  io: CliIo,
  { questdb }: Config,
  { questdbDir: root }: DataFolders,
  progress: Progress,
  signal: AbortSignal,
): Promise<RunningQuestdb> {
  const { env, clock } = io;
  const log = createLog({ level: "silent", format: "json" });
  const options = { questdb, root, env, clock, log, onProgress: (message: string) => progress.step(message) };
  return (await attachQuestdb(options, signal)) ?? (await findQuestdb(options, signal));
}

/** Opening a folder makes it: a wrong data folder should not come into being by being asked about. */
async function mustExist(ledgerDir: string): Promise<void> {
  const exists = await stat(ledgerDir).then(
    () => true,
    () => false,
  );
  if (exists) return;
  throw new TickwatchError(
    "ENVIRONMENT",
    `there is no ledger at ${ledgerDir}: tickwatch has not run with this data folder (dataDir), or ledger.bytesMax is 0`,
  );
}

const UNIT_US: Readonly<Record<string, number>> = { s: 1e6, m: 6e7, h: 3.6e9, d: 8.64e10 };

function timeOf(flag: string, text: string | undefined, nowUs: number): number | undefined {
  if (text === undefined) return undefined;
  const [, amount = "", unit = ""] = /^-(\d+)([smhd])$/.exec(text) ?? [];
  const us = amount === "" ? isoToMicros(text) : nowUs - Number(amount) * (UNIT_US[unit] ?? 0);
  if (us !== undefined) return us;
  throw new TickwatchError(
    "USAGE",
    `${flag} ${text}: write a time with its zone, such as 2026-11-21T10:00:00Z, or how long ago, such as -1h`,
  );
}
