// Environment variables that override the file, as data. An empty variable counts as not set (Compose writes it so).
// Pure: gets the environment, never asks for it.

import { nearest } from "../../schema/near_names.ts";
import type { Mistake } from "./mistake.ts";
import type { Environment } from "./substitute.ts";

type Parsed = { readonly value: unknown } | { readonly mistake: string };

/** `parse` sees the text and what the file says at `path`; what it returns takes that place. */
export interface EnvOverride {
  readonly env: string;
  /** Section and key, or the key at the top. */
  readonly path: readonly [string] | readonly [string, string];
  readonly doc: string;
  parse(text: string, fromFile: unknown): Parsed;
}

const asText = (text: string): Parsed => ({ value: text });

/** Text that is no number stays text: the schema then says what is due. */
const asNumber = (text: string): Parsed => ({ value: /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text });

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const words = (text: string): string[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

/** Added to the keys of the file: taking one away there is a decision of its own. */
function asApiKeys(text: string, fromFile: unknown): Parsed {
  const pairs = words(text).map((pair) => /^([^=]+)=(.+)$/.exec(pair));
  if (pairs.some((match) => match === null))
    return { mistake: "must be name=key, several separated by commas" };
  return { value: [...list(fromFile), ...pairs.map((match) => ({ name: match?.[1], key: match?.[2] }))] };
}

/** An exchange that the file describes keeps its symbols and datasets. */
function asExchanges(text: string, fromFile: unknown): Parsed {
  const ids = text.trim() === "none" ? [] : words(text);
  const described = (id: string) =>
    list(fromFile).find((e) => typeof e === "object" && e !== null && Reflect.get(e, "id") === id);
  return { value: ids.map((id) => described(id) ?? { id }) };
}

export const ENV_OVERRIDES: readonly EnvOverride[] = [
  { env: "TICKWATCH_PROFILE", path: ["profile"], doc: "", parse: asText },
  { env: "TICKWATCH_INSTANCE", path: ["instance"], doc: "", parse: asText },
  { env: "TICKWATCH_DATA_DIR", path: ["dataDir"], doc: "", parse: asText },
  { env: "TICKWATCH_HTTP_HOST", path: ["http", "host"], doc: "", parse: asText },
  { env: "TICKWATCH_HTTP_PORT", path: ["http", "port"], doc: "", parse: asNumber },
  {
    env: "TICKWATCH_API_KEY",
    path: ["http", "keys"],
    doc: 'One key, added to those of the file under the name "env".',
    parse: (text, fromFile) => ({ value: [...list(fromFile), { name: "env", key: text }] }),
  },
  {
    env: "TICKWATCH_API_KEYS",
    path: ["http", "keys"],
    doc: "`name=key,name=key`, added to those of the file.",
    parse: asApiKeys,
  },
  { env: "QUESTDB_URL", path: ["questdb", "url"], doc: "", parse: asText },
  { env: "QUESTDB_USER", path: ["questdb", "user"], doc: "", parse: asText },
  { env: "QUESTDB_PASSWORD", path: ["questdb", "password"], doc: "", parse: asText },
  { env: "TICKWATCH_QUESTDB_VERSION", path: ["questdb", "version"], doc: "", parse: asText },
  { env: "TICKWATCH_QUESTDB_START", path: ["questdb", "start"], doc: "", parse: asText },
  { env: "TICKWATCH_QUESTDB_HTTP_PORT", path: ["questdb", "httpPort"], doc: "", parse: asNumber },
  { env: "TICKWATCH_QUESTDB_PG_PORT", path: ["questdb", "pgPort"], doc: "", parse: asNumber },
  { env: "TICKWATCH_LOG_LEVEL", path: ["log", "level"], doc: "", parse: asText },
  { env: "TICKWATCH_LOG_FORMAT", path: ["log", "format"], doc: "", parse: asText },
  {
    env: "TICKWATCH_EXCHANGES",
    path: ["pipeline", "exchanges"],
    doc: "Ids separated by commas, or `none`; replaces the list. One that the file describes keeps its settings.",
    parse: asExchanges,
  },
];

/** Names the configuration file; the command line goes before it. */
export const CONFIG_VARIABLE = "TICKWATCH_CONFIG";

/** Says where a running service can be asked, to commands and to Grafana. */
export const SERVICE_VARIABLE = "TICKWATCH_URL";

export interface Overridden {
  readonly value: unknown;
  /** Path of each setting that was overridden → the variables that did it. */
  readonly variables: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
}

/** `value` with every override that is set. A section of the wrong shape is left alone: the schema reports it. */
export function override(value: unknown, env: Environment): Overridden {
  const root = isRecord(value) ? { ...value } : {};
  const variables = new Map<string, string>();
  const mistakes: Mistake[] = [];
  for (const { env: name, path, parse } of ENV_OVERRIDES) {
    const text = env[name];
    if (text === undefined || text === "") continue;
    const [section, key] = path;
    const holder = key === undefined ? root : (root[section] ?? {});
    if (!isRecord(holder)) continue;
    const last = key ?? section;
    const parsed = parse(text, holder[last]);
    const at = path.join(".");
    if ("mistake" in parsed) {
      mistakes.push({ path: at, origin: name, message: parsed.mistake });
      continue;
    }
    if (key === undefined) root[section] = parsed.value;
    else root[section] = { ...holder, [last]: parsed.value };
    variables.set(at, variables.has(at) ? `${variables.get(at)}, ${name}` : name);
  }
  return { value: isRecord(value) ? root : value, variables, mistakes };
}

/** One sentence per TICKWATCH_ variable that nothing reads. `referenced` are those that the file mentions. */
export function unknownVariables(env: Environment, referenced: ReadonlySet<string>): string[] {
  const known = [...ENV_OVERRIDES.map((entry) => entry.env), CONFIG_VARIABLE, SERVICE_VARIABLE];
  return Object.keys(env)
    .filter((name) => name.startsWith("TICKWATCH_") && !known.includes(name) && !referenced.has(name))
    .map((name) => {
      const meant = nearest(name, known);
      return `the environment variable ${name} is unknown and has no effect${meant ? `; did you mean ${meant}?` : ""}`;
    });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
