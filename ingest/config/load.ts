// Builds the one frozen configuration: file, then ${VAR}, then environment overrides, then the schema, then rules over
// several settings. Every mistake of all of them is reported in one error. Reads files; prints nothing.
import { TickwatchError } from "../errors.ts";
import { type ConfigDocument, readDocument } from "./document.ts";
import { CONFIG_VARIABLE, override, unknownVariables } from "./env.ts";
import { readKeyFiles } from "./key_files.ts";
import { type Mistake, mistakesText, pathText, type SettingPath } from "./mistake.ts";
import { brokenRules } from "./rules.ts";
import { type Config, ConfigSchema } from "./schema.ts";
import { knownKeys } from "./settings.ts";
import { shapeMistakes } from "./shape_mistakes.ts";
import { type Environment, substitute } from "./substitute.ts";

export interface ConfigRequest {
  /** From the command line; goes before TICKWATCH_CONFIG and before the files that are looked for. */
  readonly file?: string | undefined;
  readonly env: Environment;
  /** Relative paths start here. */
  readonly cwd: string;
  /** Becomes `instance` when the configuration names none. */
  readonly hostname: string;
}

export interface LoadedConfig {
  /** Deep-frozen. `instance` and `log.format` are filled; every API key has its `key`, also one from a file. */
  readonly config: Config;
  /** The file that was read, as it was named; absent when there was none. */
  readonly file?: string;
  /** Path of each value that is no default (`http.port`) → where it came from (`tickwatch.yaml line 3`, `TICKWATCH_HTTP_PORT`). */
  readonly origins: ReadonlyMap<string, string>;
  /** Not wrong, but worth knowing: to be logged at the start. */
  readonly warnings: readonly string[];
}

/** Loads the configuration. Throws CONFIG_INVALID whose message lists every mistake with its path and place. */
export function loadConfig({ file, env, cwd, hostname }: ConfigRequest): LoadedConfig {
  const document = readDocument(file ?? nonEmpty(env[CONFIG_VARIABLE]), cwd);
  const substituted = substitute(withoutEmptySections(document.value), env);
  const overridden = override(substituted.value, env);
  const keyFiles = readKeyFiles(overridden.value, cwd);
  const origins = originsOf(document, substituted.variables, overridden.variables);
  const { config, mistakes: checked } = check(overridden.value, new Set(substituted.variables.keys()));

  const early = [...substituted.mistakes, ...overridden.mistakes, ...keyFiles.mistakes];
  const reported = new Set(early.map((mistake) => mistake.path));
  const mistakes = [
    ...document.mistakes,
    ...[...early, ...checked.filter((mistake) => !reported.has(mistake.path))].map((mistake) => ({
      ...mistake,
      origin: mistake.origin ?? originOf(mistake.path, origins),
    })),
  ];
  if (mistakes.length > 0 || config === undefined) {
    throw new TickwatchError("CONFIG_INVALID", mistakesText(mistakes, document.file));
  }
  const referenced = new Set([...substituted.variables.values()].flatMap((names) => names.split(", ")));
  return {
    config: deepFreeze(completed(config, keyFiles.keys, hostname)),
    ...(document.file === undefined ? {} : { file: document.file }),
    origins,
    warnings: [...document.warnings, ...keyFiles.warnings, ...unknownVariables(env, referenced)],
  };
}

/**
 * Shape first, rules over whatever was well shaped: settings with a mistake are taken out for the second pass and
 * the rules that read them are skipped.
 */
function check(input: unknown, hidden: ReadonlySet<string>): { config?: Config; mistakes: Mistake[] } {
  const outcome = ConfigSchema.safeParse(input);
  if (outcome.success) return { config: outcome.data, mistakes: brokenRules(outcome.data, new Set()) };
  const { issues } = outcome.error;
  const unsettled = new Set(issues.map((issue) => pathText(issue.path.slice(0, 2))));
  const mistakes = shapeMistakes(issues, input, hidden);
  const rest = ConfigSchema.safeParse(
    withoutPaths(
      input,
      issues.flatMap((i) => ("keys" in i ? i.keys.map((key) => [...i.path, key]) : [i.path])),
    ),
  );
  return { mistakes: rest.success ? [...mistakes, ...brokenRules(rest.data, unsettled)] : mistakes };
}

/** A copy without the settings (`section.key`, or the whole section) that hold these paths. */
export function withoutPaths(input: unknown, paths: readonly SettingPath[]): unknown {
  const doomed = new Set(paths.map((path) => pathText(path.slice(0, 2))));
  if (!isRecord(input)) return {};
  return Object.fromEntries(
    Object.entries(input)
      .filter(([section]) => !doomed.has(section))
      .map(([section, value]) => [
        section,
        isRecord(value)
          ? Object.fromEntries(Object.entries(value).filter(([key]) => !doomed.has(`${section}.${key}`)))
          : value,
      ]),
  );
}

/** `http:` with nothing below it (all its lines are comments) means the same as no `http:` at all. */
function withoutEmptySections(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key, section]) => section !== null || knownKeys([key]).length === 0),
  );
}

function completed(config: Config, keys: ReadonlyMap<string, string>, hostname: string): Config {
  const { profile, ...rest } = config;
  return {
    profile,
    instance: config.instance ?? hostname,
    ...rest,
    http: {
      ...config.http,
      keys: config.http.keys.map((entry) => {
        const key = entry.keyFile === undefined ? entry.key : keys.get(entry.keyFile);
        return key === undefined ? entry : { ...entry, key };
      }),
    },
    log: { ...config.log, format: config.log.format ?? (config.profile === "production" ? "json" : "text") },
  };
}

function originsOf(
  document: ConfigDocument,
  substituted: ReadonlyMap<string, string>,
  overridden: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const origins = new Map(document.places);
  for (const [path, names] of substituted) origins.set(path, `${origins.get(path) ?? ""}, from ${names}`);
  for (const [path, names] of overridden) {
    const inFile = origins.get(path);
    const added = path === "http.keys";
    // What the file says below a replaced list has no effect any more.
    if (!added) for (const below of origins.keys()) if (below.startsWith(`${path}[`)) origins.delete(below);
    origins.set(path, added && inFile !== undefined ? `${inFile}, ${names}` : names);
  }
  return origins;
}

/** The place of a value, or of the nearest thing around it that has one. */
function originOf(path: string, origins: ReadonlyMap<string, string>): string | undefined {
  for (let at = path; at !== ""; at = at.replace(/(\.?[^.[\]]+|\[\d+\])$/, "")) {
    const origin = origins.get(at);
    if (origin !== undefined) return origin;
  }
  return undefined;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
