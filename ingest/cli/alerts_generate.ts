// `tickwatch alerts generate`: alerts.yaml → the files that Grafana reads. Says who is told, who is left out, and why.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { readCatalogue } from "../alerting/catalogue.ts";
import { withEnvFile } from "../alerting/env_file.ts";
import { generateAlerts } from "../alerting/generate.ts";
import { loadAlertSettings } from "../alerting/load.ts";
import type { CliIo, GlobalOptions } from "./io.ts";

export interface AlertsGenerateFlags extends GlobalOptions {
  /** Folder that Grafana reads; the files for a scheduler with a tick of 2 s go into the same name with -2s. */
  readonly out: string;
}

/** Here `--config` names alerts.yaml. Every mistake in it is thrown, and nothing is written then. */
export async function alertsGenerate(io: CliIo, { config, out }: AlertsGenerateFlags): Promise<number> {
  const catalogue = readCatalogue();
  const loaded = loadAlertSettings(config, io.cwd, catalogue);
  const folder = resolve(io.cwd, out);
  const formerly = await contactPointsIn(join(folder, "contact_points.yaml"));
  const env = withEnvFile(io.env, io.cwd);
  const { files, filesForShortTick, notes } = generateAlerts(catalogue, loaded, env, formerly);
  await write(folder, files);
  await write(`${folder}-2s`, filesForShortTick);
  const source = loaded.file === undefined ? "" : `, from ${loaded.file}`;
  io.out(`${catalogue.rules.length} rules written to ${out}${source}`);
  for (const note of notes) io.out(`  ${note}`);
  io.out("Grafana reads them when it starts, or at POST /api/admin/provisioning/alerting/reload");
  return 0;
}

async function write(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of files) await writeFile(join(folder, name), text);
}

const ContactPoints = z.object({
  contactPoints: z.array(z.object({ receivers: z.array(z.object({ uid: z.string() })) })).default([]),
  deleteContactPoints: z.array(z.object({ uid: z.string() })).default([]),
});

/** Uids in the file that is about to be replaced; Grafana has them still. None when there is no such file. */
async function contactPointsIn(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const known = ContactPoints.safeParse(parse(text) ?? {});
  if (!known.success) return [];
  const { contactPoints, deleteContactPoints } = known.data;
  return [...contactPoints.flatMap(({ receivers }) => receivers), ...deleteContactPoints].map(
    ({ uid }) => uid,
  );
}
