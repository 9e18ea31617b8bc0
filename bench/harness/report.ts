// Results as tables of Markdown, and their places in documents. Pure but for writing there.
import { readFile, writeFile } from "node:fs/promises";
import type { Column, Scenario } from "../scenarios/scenario.ts";
import type { Environment } from "./environment.ts";
import type { Result } from "./result.ts";

/** Replaces what is between the markers of that name in a file. Throws when they are missing. */
export async function writeReport(path: string, name: string, text: string): Promise<void> {
  const begin = `<!-- ${name}: written by \`npm run bench -- report\` -->`;
  const before = await readFile(path, "utf8");
  const [from, to] = [before.indexOf(begin), before.indexOf(`<!-- end of ${name} -->`)];
  if (from === -1 || to < from) throw new Error(`${path} lacks the markers of the ${name}`);
  await writeFile(path, `${before.slice(0, from)}${begin}\n\n${text}\n${before.slice(to)}`);
}

/** All results, in the order of the scenarios. */
export function reportText(scenarios: readonly Scenario[], results: ReadonlyMap<string, Result>): string {
  const parts = scenarios.flatMap((scenario) => {
    const result = results.get(scenario.name);
    return result === undefined ? [] : [`### ${scenario.name}\n\n${resultText(scenario, result)}`];
  });
  return parts.length === 0 ? "No results yet.\n" : parts.join("\n");
}

/** One result: sentence, table, ratios, machine. */
export function resultText(scenario: Scenario, result: Result): string {
  const rows = result.variants.map(({ name, median, spread, missing, runs }) => [
    name,
    ...(missing === undefined
      ? scenario.columns.map(({ figure }) => cell(median[figure] ?? null, spread[figure] ?? null))
      : [`not measured: ${missing}`, ...scenario.columns.slice(1).map(() => "")]),
    missing === undefined ? String(runs.length) : "",
  ]);
  const header = ["", ...scenario.columns.map((column: Column) => column.title), "runs"];
  const ratios = Object.entries(result.ratios ?? {}).map(
    ([name, ratio]) => `${name} ${ratio === null ? "not measured" : ratio.toFixed(2)}`,
  );
  const sentence = scenario.about.charAt(0).toUpperCase() + scenario.about.slice(1);
  return [
    `${sentence}. Medians; ± is half the distance between the extremes.`,
    table(header, rows),
    ...(ratios.length === 0 ? [] : [`Ours ÷ theirs: ${ratios.join(", ")}.`]),
    machineText(result.environment, result.options),
    "",
  ].join("\n\n");
}

function machineText(environment: Environment, options: Result["options"]): string {
  const { cpu, cores, memoryGib, os, fileSystem, node, questdb, commit, startedAt, loadBefore } = environment;
  const software = [
    `Node ${node}`,
    ...(questdb === null ? [] : [`QuestDB ${questdb}`]),
    `commit ${commit ?? "unknown"}`,
  ];
  const machine = `${cpu}, ${cores} cores, ${memoryGib} GiB, ${os}, ${fileSystem}`;
  const set = Object.entries(options).map(([name, value]) => `${name} ${String(value)}`);
  return `${machine}; ${software.join(", ")}; ${startedAt.slice(0, 10)}, load before ${loadBefore}. Options: ${set.join(", ")}.`;
}

function cell(value: number | null, spread: number | null): string {
  if (value === null) return "–";
  const noise = spread === null ? "" : ` ±${Math.round(50 * spread)} %`;
  return `${figureText(value)}${noise}`;
}

/** Large numbers in groups of three, small ones with three digits that say something. */
function figureText(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, index) => (index === 0 ? "---" : "---:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}
