// Reads the CPU profiles that node wrote for the measured processes, and says where the time went: by part of the program, and by
// function. Warm-up and preparation are in them as well.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const ProfileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }),
    }),
  ),
  samples: z.array(z.int()),
  /** Microseconds before each sample. */
  timeDeltas: z.array(z.number()),
});

const FUNCTIONS_MAX = 25;

/** A text for each folder (one per task) below `folder`, over the newest profile in it. */
export async function profileText(folder: string): Promise<string> {
  const tasks = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const texts: string[] = [];
  for (const { name } of tasks) {
    const files = (await readdir(join(folder, name))).filter((file) => file.endsWith(".cpuprofile")).sort();
    const newest = files.at(-1);
    if (newest === undefined) continue;
    const profile = ProfileSchema.parse(JSON.parse(await readFile(join(folder, name, newest), "utf8")));
    texts.push(`\nwhere the time of ${name} went (${newest})\n${summary(profile)}`);
  }
  return texts.join("\n");
}

function summary({ nodes, samples, timeDeltas }: z.output<typeof ProfileSchema>): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, number>();
  const byPart = new Map<string, number>();
  let busyUs = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    const us = timeDeltas[index] ?? 0;
    if (frame === undefined || frame.functionName === "(idle)") continue;
    busyUs += us;
    const place = placeOf(frame.url);
    const at = place === "" ? "" : ` ${place}:${frame.lineNumber + 1}`;
    add(byFunction, `${frame.functionName || "(anonymous)"}${at}`, us);
    add(byPart, partOf(frame.functionName, place), us);
  }
  const lines = (totals: Map<string, number>, max: number) =>
    [...totals]
      .sort((a, b) => b[1] - a[1])
      .slice(0, max)
      .map(([name, us]) => `${((100 * us) / busyUs).toFixed(1).padStart(6)} %  ${name}`);
  return [
    `busy ${(busyUs / 1e6).toFixed(2)} s`,
    ...lines(byPart, FUNCTIONS_MAX),
    "  by function",
    ...lines(byFunction, FUNCTIONS_MAX),
  ].join("\n");
}

function add(totals: Map<string, number>, key: string, us: number): void {
  totals.set(key, (totals.get(key) ?? 0) + us);
}

/** Path within the program, without where it is installed. */
function placeOf(url: string): string {
  const modules = url.lastIndexOf("node_modules/");
  if (modules !== -1) return url.slice(modules);
  return /(?:ingest|schema|bench)\/.*$/.exec(url)?.[0] ?? url;
}

/** `ingest/spool`, `node_modules/zod`, `node:internal`, or what the engine calls its own work. */
function partOf(functionName: string, place: string): string {
  if (place === "") return functionName.startsWith("(") ? functionName : "native";
  if (place.startsWith("node:")) return "node's own modules";
  return place.split("/").slice(0, 2).join("/");
}
