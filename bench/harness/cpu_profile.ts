// Reads CPU profiles of measured processes and says where the time went: by part of the program, and by function.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const ProfileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      children: z.array(z.int()).optional(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }),
    }),
  ),
  samples: z.array(z.int()),
  /** Microseconds before each sample. */
  timeDeltas: z.array(z.number()),
});

type Profile = z.output<typeof ProfileSchema>;
type ProfileNode = Profile["nodes"][number];

const PARTS_MAX = 25;
const FUNCTIONS_MAX = 25;

/** A text for the last profile of each thing that was measured in `folder`. */
export async function profileText(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".cpuprofile"));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, ms: (await stat(join(folder, name))).mtimeMs })),
  );
  const last = new Map(dated.sort((a, b) => a.ms - b.ms).map(({ name }) => [name.split("-")[0] ?? "", name]));
  const texts: string[] = [];
  for (const [task, name] of last) {
    const profile = ProfileSchema.parse(JSON.parse(await readFile(join(folder, name), "utf8")));
    texts.push(`\nwhere the time of ${task} went (${name})\n${summary(profile)}`);
  }
  return texts.join("\n");
}

function summary({ nodes, samples, timeDeltas }: Profile): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const byFunction = new Map<string, number>();
  const byPart = new Map<string, number>();
  let busyUs = 0;
  for (const [index, id] of samples.entries()) {
    const frame = byId.get(id)?.callFrame;
    const us = timeDeltas[index] ?? 0;
    if (frame === undefined || NOT_OURS.has(frame.functionName)) continue;
    busyUs += us;
    const place = placeOf(frame.url);
    const [unnamed, at] =
      place === "" ? ["(compiled from a text)", ""] : ["(anonymous)", ` ${place}:${frame.lineNumber + 1}`];
    add(byFunction, `${frame.functionName || unnamed}${at}`, us);
    add(byPart, partOf(id, byId, callers), us);
  }
  const lines = (totals: Map<string, number>, max: number) =>
    [...totals]
      .sort((a, b) => b[1] - a[1])
      .slice(0, max)
      .map(([name, us]) => `${((100 * us) / busyUs).toFixed(1).padStart(6)} %  ${name}`);
  return [
    `busy ${(busyUs / 1e6).toFixed(2)} s, by part of the program, what it calls in the engine included`,
    ...lines(byPart, PARTS_MAX),
    "by function alone",
    ...lines(byFunction, FUNCTIONS_MAX),
  ].join("\n");
}

/** Waiting, and the profiler itself. */
const NOT_OURS: ReadonlySet<string> = new Set(["(idle)", "dispatch"]);

function add(totals: Map<string, number>, key: string, us: number): void {
  totals.set(key, (totals.get(key) ?? 0) + us);
}

/** Path within the program, without where it is installed. */
function placeOf(url: string): string {
  const modules = url.lastIndexOf("node_modules/");
  if (modules !== -1) return url.slice(modules);
  return /(?:ingest|schema|bench)\/.*$/.exec(url)?.[0] ?? url;
}

/**
 * The file of the nearest caller that has one: native functions and code compiled from a text have none. Two folders
 * deep, but the name of a module.
 */
function partOf(
  id: number,
  byId: ReadonlyMap<number, ProfileNode>,
  callers: ReadonlyMap<number, number>,
): string {
  const own = byId.get(id)?.callFrame.functionName ?? "";
  if (own.startsWith("(")) return own;
  for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) {
    const place = placeOf(byId.get(at)?.callFrame.url ?? "");
    if (place === "") continue;
    if (place.startsWith("node:")) return "node's own modules";
    return place
      .split("/")
      .slice(0, place.startsWith("ingest/") ? 3 : 2)
      .join("/");
  }
  return own;
}
