// `tickwatch dead-letter list` and `dead-letter replay`: what was refused, why, and how to bring it back.
import { join } from "node:path";
import { request } from "undici";
import * as z from "zod";
import { dataFolders } from "../config/data_dir.ts";
import { TickwatchError } from "../errors.ts";
import { type DeadLetter, deadLetterFiles, linesOf, parseDeadLetter } from "../intake/dead_letter.ts";
import { readRunFile } from "../run_file.ts";
import { configurationFor } from "./configuration.ts";
import type { CliIo, GlobalOptions } from "./io.ts";

export interface DeadLetterFlags extends GlobalOptions {
  readonly table?: string;
  readonly reason?: string;
  /** Print the entries themselves, one JSON object a line, instead of counts. */
  readonly rows?: boolean;
  readonly demo?: boolean;
}

/** Counts by table, stage and reason with the newest message; or the entries. */
export async function deadLetterList(io: CliIo, flags: DeadLetterFlags): Promise<number> {
  const { table, reason, rows } = flags;
  const { config } = configurationFor(io, flags);
  const folder = dataFolders(config.dataDir, io.cwd, flags.demo === true).deadLetterDir;
  const groups = new Map<string, { count: number; newest: DeadLetter }>();
  for (const name of await deadLetterFiles(folder)) {
    for await (const line of linesOf(join(folder, name))) {
      const entry = parseDeadLetter(line);
      if (entry === undefined) continue;
      if (table !== undefined && entry.table !== table) continue;
      if (reason !== undefined && entry.reason !== reason) continue;
      if (rows) io.out(JSON.stringify(entry));
      const key = `${entry.table} ${entry.stage} ${entry.reason}`;
      groups.set(key, { count: (groups.get(key)?.count ?? 0) + 1, newest: entry });
    }
  }
  if (rows) return 0;
  if (groups.size === 0) io.out("no dead letters");
  for (const { count, newest } of groups.values()) {
    io.out(
      `${newest.table}  ${count} refused by ${newest.stage}: ${newest.reason}; newest ${newest.at}: ${newest.message}`,
    );
  }
  return 0;
}

const ReplayAnswer = z.object({ accepted: z.int(), rejected: z.int(), kept: z.int() });

/** Asks the running service to take its dead letters in again. Exit code 1 when some were refused again. */
export async function deadLetterReplay(io: CliIo, flags: DeadLetterFlags): Promise<number> {
  const { config } = configurationFor(io, flags);
  const { dataDir } = dataFolders(config.dataDir, io.cwd, false);
  const key = config.http.keys[0]?.key;
  const run = await readRunFile(dataDir);
  if (run === undefined) {
    throw new TickwatchError(
      "ENVIRONMENT",
      `no tickwatch runs on ${dataDir}: start it first (npm start), it does the replay`,
    );
  }
  const url = new URL("/v1/dead-letters/replay", run.http);
  for (const name of ["table", "reason"] as const) {
    const value = flags[name];
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const answer = await request(url, { method: "POST", headers }).catch((cause: unknown) => {
    throw new TickwatchError(
      "ENVIRONMENT",
      `tickwatch does not answer at ${run.http}: is it still running?`,
      { cause },
    );
  });
  const body = await answer.body.text();
  if (answer.statusCode !== 200)
    throw new TickwatchError("ENVIRONMENT", `the replay was refused (${answer.statusCode}): ${body}`);
  const { accepted, rejected, kept } = ReplayAnswer.parse(JSON.parse(body));
  io.out(`${accepted} rows accepted, ${rejected} refused again, ${kept} kept`);
  return rejected > 0 ? 1 : 0;
}
