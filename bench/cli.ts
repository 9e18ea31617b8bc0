// The command line of the benchmarks: a command for each scenario, one for the report. Ends nothing: exit codes are returned.
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import * as z from "zod";
import type { Clock } from "../ingest/clock.ts";
import { messageOf } from "../ingest/errors.ts";
import { shippedPath } from "../ingest/package_root.ts";
import type { Env } from "../ingest/questdb/run_command.ts";
import { microsToIso } from "../schema/timestamp_text.ts";
import { Bench } from "./harness/bench.ts";
import { profileText } from "./harness/cpu_profile.ts";
import { readEnvironment } from "./harness/environment.ts";
import { reportText, resultText, writeReport } from "./harness/report.ts";
import { type Result, readResults, writeResult } from "./harness/result.ts";
import { curve } from "./scenarios/curve.ts";
import { SCENARIOS } from "./scenarios/registry.ts";
import type { OptionInfo, Scenario } from "./scenarios/scenario.ts";

export interface BenchIo {
  readonly env: Env;
  readonly clock: Clock;
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress and complaints. */
  readonly err: (text: string) => void;
  /** Aborts when the person has had enough. */
  readonly signal: AbortSignal;
}

const EPILOGUE = `
Results go to bench/results/<scenario>.json, and with \`report\` into bench/README.md. Close everything else first: a figure
from a busy machine is worth nothing. QUESTDB_URL measures with a server that runs already.`;

/** Runs one command line and resolves with its exit code: 1 also when rows are missing. Never rejects. */
export async function runBench(args: readonly string[], io: BenchIo): Promise<number> {
  const program = new Command("npm run bench --")
    .description("Measures tickwatch: rows a second, CPU, memory, latency, and other clients beside it.")
    .addHelpText("after", EPILOGUE)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    });
  for (const scenario of SCENARIOS) addScenario(program, scenario, io);
  program
    .command("report")
    .description("write the tables of bench/README.md and docs/performance.md from bench/results")
    .action(async () => {
      const results = await readResults(resultsDir());
      await writeReport(shippedPath("bench", "README.md"), "results", reportText(SCENARIOS, results));
      const measured = results.get(curve.name);
      if (measured !== undefined) {
        await writeReport(shippedPath("docs", "performance.md"), "curve", resultText(curve, measured));
      }
      io.out(`${results.size} results are in bench/README.md`);
    });
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    // Whatever failed then failed because its process was ended.
    const cause: unknown = io.signal.aborted ? io.signal.reason : error;
    io.err(cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause));
    return 1;
  }
}

const CommonSchema = z.object({
  out: z.string().optional(),
  timeout: z.coerce.number().min(1),
  profile: z.string().optional(),
});

const TIMEOUT_S = 1_800;

function addScenario(program: Command, scenario: Scenario, io: BenchIo): void {
  const command = program.command(scenario.name).description(scenario.about);
  for (const option of scenario.options) command.option(flagOf(option), describe(option));
  command
    .option("--out <folder>", "where the result goes (default: bench/results)")
    .option(
      "--timeout <s>",
      `longest time for one measured process (default: ${TIMEOUT_S})`,
      String(TIMEOUT_S),
    )
    .option(
      "--profile <folder>",
      "take CPU profiles of the measured processes, and say where their time went",
    )
    .action(async (_: unknown, self: Command) => {
      const raw: Readonly<Record<string, unknown>> = self.opts();
      const names = new Set(scenario.options.map(({ name }) => name));
      const own = Object.fromEntries(Object.entries(raw).filter(([name]) => names.has(name)));
      await runScenario(scenario, own, CommonSchema.parse(raw), io);
    });
}

async function runScenario(
  scenario: Scenario,
  raw: Readonly<Record<string, unknown>>,
  common: z.output<typeof CommonSchema>,
  io: BenchIo,
): Promise<void> {
  const { clock, env, signal } = io;
  const options = scenario.parse(raw);
  const environment = await readEnvironment(microsToIso(clock.nowUs()), env, signal);
  if (environment.loadBefore > environment.cores / 2) {
    io.err(`this machine is busy (load ${environment.loadBefore}): the figures will be too low`);
  }
  const bench = new Bench({
    ...{ env, clock, signal, say: (line: string) => io.err(`${scenario.name}: ${line}`) },
    ...{ timeoutMs: common.timeout * 1000, profileDir: common.profile },
  });
  try {
    const outcome = await scenario.run(bench, options);
    const result: Result = {
      ...{ format: 1, scenario: scenario.name, options: { ...options } },
      environment: { ...environment, questdb: await bench.questdbVersion() },
      warmups: outcome.warmups,
      variants: [...outcome.variants],
      ...(outcome.ratios ? { ratios: outcome.ratios } : {}),
    };
    const path = await writeResult(common.out ?? resultsDir(), result);
    io.out(resultText(scenario, result).trimEnd());
    if (result.ratios) io.out(`\nratios: ${JSON.stringify(result.ratios)}`);
    io.out(`\nwritten to ${path}`);
  } finally {
    await bench.close();
  }
  if (common.profile !== undefined) io.out(await profileText(common.profile));
}

function resultsDir(): string {
  return join(shippedPath("bench"), "results");
}

function flagOf({ name, isSwitch }: OptionInfo): string {
  const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return isSwitch ? `--${flag}` : `--${flag} <value>`;
}

function describe({ description, defaultText }: OptionInfo): string {
  return `${description} (default: ${defaultText})`;
}
