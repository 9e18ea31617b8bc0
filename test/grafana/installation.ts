// Which Grafana the suite uses: an unpacked one (GRAFANA_HOME, GRAFANA_PLUGINS), or the image under a Docker engine.
// What is missing is said in words, with what to do.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runDocker } from "../support/questdb_docker.ts";
import { chromiumPath } from "./chromium.ts";

export const QUESTDB_PLUGIN = "questdb-questdb-datasource";

export type Installation =
  | { readonly kind: "folder"; readonly home: string; readonly plugins: string }
  | { readonly kind: "docker"; readonly image: string };

export interface Equipment {
  readonly grafana: Installation;
  /** Path of the browser. */
  readonly chromium: string;
}

/** All that the suite needs, or an error that names everything that is missing. */
export async function findEquipment(): Promise<Equipment> {
  const missing: string[] = [];
  const grafana = await findGrafana(missing);
  const chromium = chromiumPath();
  if (chromium === undefined)
    missing.push("a Chromium: install one (Debian: apt-get install chromium), or set CHROMIUM to its path");
  if (grafana === undefined || chromium === undefined)
    throw new Error(`npm run test:grafana needs\n- ${missing.join("\n- ")}`);
  return { grafana, chromium };
}

async function findGrafana(missing: string[]): Promise<Installation | undefined> {
  const home = process.env["GRAFANA_HOME"];
  const plugins = process.env["GRAFANA_PLUGINS"];
  if (!home) {
    const image = await dockerImage();
    if (image !== undefined) return { kind: "docker", image };
    missing.push(
      "a Grafana 12.3 or later: GRAFANA_HOME (a folder with bin/grafana, conf/ and public/) and GRAFANA_PLUGINS " +
        `(a folder with the plugin ${QUESTDB_PLUGIN}), or a Docker engine that answers`,
    );
    return undefined;
  }
  for (const part of ["bin/grafana", "conf/defaults.ini", "public/build"])
    if (!existsSync(join(home, part))) missing.push(`${join(home, part)}, which GRAFANA_HOME promises`);
  const found = plugins ? await pluginFolder(plugins) : undefined;
  if (found === undefined)
    missing.push(
      plugins
        ? `the plugin ${QUESTDB_PLUGIN} in GRAFANA_PLUGINS (${plugins}): a folder with its plugin.json and backend`
        : `GRAFANA_PLUGINS beside GRAFANA_HOME: the folder that has the plugin ${QUESTDB_PLUGIN} in it`,
    );
  return missing.length === 0 && plugins ? { kind: "folder", home, plugins } : undefined;
}

async function pluginFolder(plugins: string): Promise<string | undefined> {
  const names = await readdir(plugins).catch(() => []);
  for (const name of names) {
    const text = await readFile(join(plugins, name, "plugin.json"), "utf8").catch(() => "");
    if (text.includes(`"id": "${QUESTDB_PLUGIN}"`)) return join(plugins, name);
  }
  return undefined;
}

/** The image that docker-compose.yml names, when an engine answers. */
async function dockerImage(): Promise<string | undefined> {
  const answers = await runDocker(["version", "--format", "{{.Server.Version}}"]).then(
    () => true,
    () => false,
  );
  if (!answers) return undefined;
  const compose = await readFile(new URL("../../docker-compose.yml", import.meta.url), "utf8").catch(
    () => "",
  );
  return /image:\s*["']?(grafana\/grafana[^\s"']*)/.exec(compose)?.[1];
}
