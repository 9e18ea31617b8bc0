// Writes what is derived from the code: schema/generated/*, the configuration tables in Markdown files, the alerts that
// Grafana gets where nobody has configured any, and the settings of the QuestDB in docker-compose.yml.
// `--check` writes nothing and exits with 1 when a file differs; `--root DIR` works on another copy of the project.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { readCatalogue } from "../ingest/alerting/catalogue.ts";
import { generateAlerts } from "../ingest/alerting/generate.ts";
import { defaultAlertSettings } from "../ingest/alerting/load.ts";
import { configTable } from "../ingest/config/reference.ts";
import { composeEnvFile } from "../ingest/questdb/server_settings.ts";
import { QUESTDB_VERSION } from "../ingest/questdb/version.ts";
import { columnsLibsonnet, eventsMarkdown, rollupsSql, tablesSql } from "../schema/generate.ts";
import { EVENTS } from "../schema/registry.ts";
import { ROLLUPS } from "../schema/rollups.ts";

const BEGIN = "<!-- config:begin -->";
const END = "<!-- config:end -->";

/** Files with a configuration table between the markers. The first must have them; the others may. */
const WITH_CONFIG_TABLE = ["docs/configuration.md", "README.md"];

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function withTable(text: string): string | undefined {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin < 0 || end < 0) return undefined;
  return `${text.slice(0, begin + BEGIN.length)}\n${configTable()}\n${text.slice(end)}`;
}

/** What Grafana reads where nobody has configured anything: no alerts.yaml, no secrets. */
function alertFiles(): (readonly [string, string])[] {
  const catalogue = readCatalogue();
  const { files, filesForShortTick } = generateAlerts(catalogue, defaultAlertSettings(catalogue), {});
  return [
    ...[...files].map(([name, text]) => [`provisioning/alerting/${name}`, text] as const),
    ...[...filesForShortTick].map(([name, text]) => [`provisioning/alerting-2s/${name}`, text] as const),
  ];
}

function generate(root: string): Map<string, string> {
  const files = new Map([
    ...alertFiles(),
    ["schema/generated/tables.sql", tablesSql(EVENTS)],
    ["schema/generated/rollups.sql", rollupsSql(ROLLUPS)],
    ["schema/generated/columns.libsonnet", columnsLibsonnet(EVENTS, ROLLUPS)],
    ["schema/generated/events.md", eventsMarkdown(EVENTS, ROLLUPS)],
    ["provisioning/questdb/questdb.env", composeEnvFile(QUESTDB_VERSION)],
  ]);
  for (const [index, file] of WITH_CONFIG_TABLE.entries()) {
    const text = withTable(read(join(root, file)) ?? "");
    if (text !== undefined) files.set(file, text);
    else if (index === 0) throw new Error(`${file} needs the markers ${BEGIN} and ${END}`);
  }
  return files;
}

/** Runs one command line; `say` gets a line for each file written or found stale. Returns the exit code. */
export function gen(args: readonly string[], say: (line: string) => void): number {
  const { values } = parseArgs({
    args: [...args],
    options: { check: { type: "boolean" }, root: { type: "string" } },
  });
  const root = values.root ?? join(import.meta.dirname, "..");
  const files = [...generate(root)];
  const stale = files.filter(([file, text]) => read(join(root, file)) !== text);
  if (values.check !== true) {
    for (const [file, text] of stale) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
      say(`wrote ${file}`);
    }
    if (stale.length === 0) say(`${files.length} files are up to date`);
    return 0;
  }
  for (const [file] of stale) say(`${file} differs from what the schema says; run \`npm run gen\``);
  return stale.length === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) process.exitCode = gen(process.argv.slice(2), console.log);
