// The data folder: can it be written, who holds the spool, how full is it, what was refused. Reads only.
import { constants } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../errors.ts";
import { deadLetterFiles, linesOf } from "../intake/dead_letter.ts";
import type { RunInfo } from "../run_file.ts";
import { lockOwner } from "../spool/lock.ts";
import { type Check, failure, ok, warning } from "./check.ts";

/** Share of spool.bytesMax from which on somebody should look. */
const FULL_SHARE = 0.8;

export function dataDirCheck(dataDir: string): Check {
  return {
    name: "data folder",
    async run() {
      const folder = await nearestExisting(dataDir);
      try {
        await access(folder, constants.W_OK | constants.X_OK);
        return ok(folder === dataDir ? dataDir : `${dataDir} (not there yet)`);
      } catch (error) {
        return failure(messageOf(error), `make ${folder} writable for this user, or set dataDir`);
      }
    },
  };
}

/** `bytesMax`: what the spool may take. */
export function spoolCheck(spoolDir: string, bytesMax: number, instance: RunInfo | undefined): Check {
  return {
    name: "spool",
    async run() {
      const [owner, bytes] = await Promise.all([lockOwner(spoolDir), bytesIn(spoolDir)]);
      const size = `${(bytes / 1e6).toFixed(1)} MB of at most ${(bytesMax / 1e6).toFixed(0)} MB`;
      if (owner !== undefined && owner.pid !== instance?.pid)
        return warning(
          `${size}; held by process ${owner.pid}, which is not the one of run.json`,
          `stop process ${owner.pid} before another start, or use another dataDir`,
        );
      const held = owner === undefined ? "nobody holds it" : `held by process ${owner.pid}`;
      if (bytes < bytesMax * FULL_SHARE) return ok(`${size}; ${held}`);
      return warning(
        `${size}; ${held}`,
        "QuestDB does not keep up or is away: look at the questdb lines; when the spool is full, rows are refused (429)",
      );
    },
  };
}

/** Rows that were refused, by intake or by QuestDB, and are kept for people. */
export function deadLetterCheck(deadLetterDir: string): Check {
  return {
    name: "dead letters",
    async run() {
      let count = 0;
      for (const file of await deadLetterFiles(deadLetterDir))
        for await (const _ of linesOf(join(deadLetterDir, file))) count += 1;
      if (count === 0) return ok("none");
      return warning(`${count} refused rows`, "tickwatch dead-letter list shows them with their reasons");
    },
  };
}

async function nearestExisting(folder: string): Promise<string> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  );
  return exists || folder === dirname(folder) ? folder : nearestExisting(dirname(folder));
}

/** 0 for a folder that is not there. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (file) => file.size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
