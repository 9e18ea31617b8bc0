// What must be true of docker-compose.yml beyond the specification's schema: versions, secrets, ports, volumes and
// variables agree with the code, and nothing runs without limits, a health check or an owner. Pure: gets texts.
import { parse } from "yaml";
import { z } from "zod";
import { ENV_OVERRIDES } from "../../ingest/config/env.ts";
import { QUESTDB_VERSION } from "../../ingest/questdb/version.ts";

const service = z.looseObject({
  image: z.string(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
});
const compose = z.looseObject({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.unknown()),
});

type Service = z.infer<typeof service>;

export interface ComposeTexts {
  readonly compose: string;
  readonly envExample: string;
  readonly prometheus: string;
  /** All files that Grafana mounts. */
  readonly provisioning: readonly string[];
  readonly packageVersion: string;
  /** Whether a path, relative to the project, is there. */
  exists(path: string): boolean;
}

/** Every mistake in words; none when all is well. */
export function composeMistakes(texts: ComposeTexts): string[] {
  const { services, volumes } = compose.parse(parse(texts.compose, { merge: true }));
  const each = Object.entries(services).flatMap(([name, value]) =>
    [...serviceMistakes(value, texts), ...mountMistakes(value, volumes, texts)].map((m) => `${name}: ${m}`),
  );
  return [
    ...each,
    ...unusedVolumes(services, volumes),
    ...variableMistakes(texts),
    ...overrideMistakes(services["tickwatch"]),
    ...grafanaMistakes(services["grafana"], texts.provisioning),
    ...scrapeMistakes(texts.prometheus, services),
  ];
}

function serviceMistakes(value: Service, { packageVersion }: ComposeTexts): string[] {
  const mistakes: string[] = [];
  const [image = "", tag = ""] = value.image.split(":");
  if (!/\d+\.\d+/.test(tag)) mistakes.push(`image ${value.image} is not pinned to a version`);
  if (image === "questdb/questdb" && tag !== QUESTDB_VERSION)
    mistakes.push(`image ${value.image} is not the version of the code, ${QUESTDB_VERSION}`);
  if (image === "tickwatch" && tag !== packageVersion)
    mistakes.push(`image ${value.image} is not the version of the package, ${packageVersion}`);
  for (const port of value.ports) {
    if (!/^(127\.0\.0\.1|\$\{BIND_ADDRESS:-127\.0\.0\.1\}):/.test(port))
      mistakes.push(`port ${port} is published beyond this machine`);
  }
  for (const needed of ["mem_limit", "restart", "healthcheck", "security_opt"]) {
    if (value[needed] === undefined) mistakes.push(`has no ${needed}`);
  }
  for (const [other, { condition }] of Object.entries(value.depends_on)) {
    if (condition !== "service_healthy") mistakes.push(`starts before ${other} is healthy`);
  }
  for (const [name, text] of Object.entries(value.environment)) {
    if (/PASSWORD|KEY|SECRET|TOKEN/.test(name) && !/^\$\{\w+(:\?.+|:-)\}$/.test(text))
      mistakes.push(`${name} stands in the file, or has a default`);
  }
  return mistakes;
}

function mountMistakes(
  value: Service,
  volumes: Readonly<Record<string, unknown>>,
  { exists }: ComposeTexts,
): string[] {
  return value.volumes.flatMap((mount) => {
    const [source = "", , mode = ""] = mount.split(":");
    if (source.startsWith("/")) return mode.includes("ro") ? [] : [`${source} can be written to`];
    if (!source.startsWith("./")) return source in volumes ? [] : [`volume ${source} is not declared`];
    if (mode !== "ro") return [`${source} can be written to`];
    return exists(source) ? [] : [`${source} does not exist`];
  });
}

function unusedVolumes(
  services: Readonly<Record<string, Service>>,
  volumes: Readonly<Record<string, unknown>>,
): string[] {
  const used = new Set(
    Object.values(services).flatMap((value) => value.volumes.map((m) => m.split(":", 1)[0])),
  );
  return Object.keys(volumes)
    .filter((name) => !used.has(name))
    .map((name) => `volume ${name} is not used`);
}

/** docker-compose.yml and .env.example name the same variables; those without which nothing starts are empty there. */
function variableMistakes({ compose: text, envExample }: ComposeTexts): string[] {
  const uses = [...text.matchAll(/(?<!\$)\$\{(\w+)(:[?-])?/g)];
  const asked = new Set(uses.map(([, name = ""]) => name));
  const required = new Set(uses.filter(([, , how]) => how === ":?").map(([, name = ""]) => name));
  const lines = [...envExample.matchAll(/^(#?)(\w+)=(.*)$/gm)];
  const shown = new Map(lines.map(([, off, name = "", value = ""]) => [name, { off: off === "#", value }]));
  const mistakes = [...asked].filter((name) => !shown.has(name)).map((n) => `.env.example lacks ${n}`);
  for (const [name, { off, value }] of shown) {
    if (!asked.has(name)) mistakes.push(`.env.example has ${name}, which nothing reads`);
    if (required.has(name) && (off || value !== "")) mistakes.push(`.env.example must have an empty ${name}`);
    if (!required.has(name) && !off) mistakes.push(`.env.example sets ${name}, which is optional`);
  }
  return mistakes;
}

function overrideMistakes(tickwatch: Service | undefined): string[] {
  const known = new Set(ENV_OVERRIDES.map(({ env }) => env));
  return Object.keys(tickwatch?.environment ?? {})
    .filter((name) => !known.has(name))
    .map((name) => `tickwatch: ${name} is no variable of the program`);
}

/** Every variable that a provisioning file names reaches Grafana; an unset one would silently be empty. */
function grafanaMistakes(grafana: Service | undefined, provisioning: readonly string[]): string[] {
  const values = provisioning.map((text) => text.replace(/^\s*#.*$/gm, ""));
  const named = values.flatMap((text) => [...text.matchAll(/(?<![$\w])\$([A-Z][A-Z0-9_]+)\b/g)]);
  const missing = new Set(
    named.map(([, name = ""]) => name).filter((n) => !(n in (grafana?.environment ?? {}))),
  );
  return [...missing].map((name) => `grafana: its provisioning reads ${name}, which it does not get`);
}

function scrapeMistakes(text: string, services: Readonly<Record<string, Service>>): string[] {
  const targets = [...text.matchAll(/targets: \["([\w.-]+):(\d+)"\]/g)].map(([, host = ""]) => host);
  return targets
    .filter((host) => host !== "127.0.0.1" && !(host in services))
    .map((host) => `prometheus: no service is named ${host}`);
}
