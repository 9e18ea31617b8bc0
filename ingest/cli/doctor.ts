// `tickwatch doctor`: prints one line per check with its remedy. The exit code follows the worst of them.
import type { LoadedConfig } from "../config/load.ts";
import type { Level, Result } from "../doctor/check.ts";
import { diagnose } from "../doctor/doctor.ts";
import { resultJson, resultText, summaryText } from "../doctor/report.ts";
import { messageOf } from "../errors.ts";
import { createLog } from "../log.ts";
import { configurationFor } from "./configuration.ts";
import type { CliIo, GlobalOptions } from "./io.ts";

export interface DoctorFlags extends GlobalOptions {
  readonly json: boolean;
}

/** 0 when nothing failed (warnings are fine), else 1. */
export async function doctor(io: CliIo, options: DoctorFlags): Promise<number> {
  const levels: Level[] = [];
  const report = (result: Result) => {
    levels.push(result.level);
    io.out(options.json ? resultJson(result) : resultText(result));
  };
  const { result, loaded } = configuration(io, options);
  report(result);
  if (loaded !== undefined) {
    const { env, cwd, clock } = io;
    const log = createLog({ level: "silent", format: "json" });
    const all = { config: loaded.config, env, cwd, clock, log, nodeVersion: process.versions.node };
    for await (const one of diagnose(all, new AbortController().signal)) report(one);
  }
  if (!options.json) io.out(summaryText(levels));
  return levels.includes("failure") ? 1 : 0;
}

/** Without a configuration there is nothing more to look at: addresses and folders come from it. */
function configuration(io: CliIo, options: GlobalOptions): { result: Result; loaded?: LoadedConfig } {
  const name = "configuration";
  try {
    const loaded = configurationFor(io, options);
    const detail = loaded.file ?? "defaults, no file";
    const { warnings } = loaded;
    if (warnings.length === 0) return { result: { name, level: "ok", detail }, loaded };
    const remedy = "correct the file or the environment; `tickwatch check-config` shows what is in effect";
    return { result: { name, level: "warning", detail: [detail, ...warnings].join("\n"), remedy }, loaded };
  } catch (error) {
    const remedy = "correct these first; the other checks need them";
    return { result: { name, level: "failure", detail: messageOf(error), remedy } };
  }
}
