// What can be set, as data: read from the zod schema through its JSON Schema, so that documents, "did you mean" and
// redaction cannot disagree with what is checked. Pure.
import * as z from "zod";
import type { SettingPath } from "./mistake.ts";
import { ConfigSchema } from "./schema.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** One setting that holds a value; items of lists are written `http.keys[].name`. */
export interface Setting {
  readonly path: string;
  readonly doc: string;
  /** What may be written, in words: `integer 1 to 65535`, `one of reject, block`. */
  readonly type: string;
  /** True when the value is a number, so that text from the environment has to be converted. */
  readonly numeric: boolean;
  readonly secret: boolean;
  /** True when an item of a list must have it. */
  readonly required: boolean;
  /** The default as JSON; undefined when there is none. */
  readonly defaultValue: unknown;
}

/** What a file of settings may say. */
export interface Vocabulary {
  /** All settings, in the order of the schema. */
  listSettings(): readonly Setting[];
  /** The keys that an object at this path may have; empty when it is no object with fixed keys. */
  knownKeys(path: SettingPath): readonly string[];
  /** True when this setting, or one inside it, is secret: its value must not be shown. */
  holdsSecret(setting: string): boolean;
  /** What may be written at this path, in words; undefined when the path is unknown. */
  typeAt(path: SettingPath): string | undefined;
}

/** The vocabulary of a schema; what it needs is computed when it is first asked for. */
export function vocabularyOf(schema: z.ZodType): Vocabulary {
  let root: JsonSchema | undefined;
  let listed: readonly Setting[] | undefined;
  const rootSchema = (): JsonSchema => {
    root ??= z.toJSONSchema(schema, { io: "input" });
    return root;
  };
  const listSettings = (): readonly Setting[] => {
    listed ??= [...settingsOf(rootSchema(), "", new Set())];
    return listed;
  };
  return {
    listSettings,
    knownKeys(path) {
      const found = schemaAt(rootSchema(), path);
      const names = found === undefined ? undefined : asSchema(found.propertyNames)?.enum;
      return [...Object.keys(found?.properties ?? {}), ...(names ?? []).map(String)];
    },
    holdsSecret: (setting) =>
      listSettings().some(
        ({ secret, path }) =>
          secret && (path === setting || path.startsWith(`${setting}.`) || path.startsWith(`${setting}[`)),
      ),
    typeAt(path) {
      const found = schemaAt(rootSchema(), path);
      return found === undefined ? undefined : typeText(found);
    },
  };
}

/** That of the configuration of the service. */
export const CONFIG_VOCABULARY = vocabularyOf(ConfigSchema);

export const { listSettings, knownKeys } = CONFIG_VOCABULARY;

/** `http.keys[0].key` → `http.keys[].key`: the path of the setting behind the path of a value. */
export function settingOf(path: string): string {
  return path.replaceAll(/\[\d+\]/g, "[]");
}

function* settingsOf(schema: JsonSchema, path: string, required: ReadonlySet<string>): Generator<Setting> {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const childSchema = asSchema(child);
    if (childSchema === undefined) continue;
    const childPath = path === "" ? key : `${path}.${key}`;
    if (childSchema.properties !== undefined) {
      yield* settingsOf(childSchema, childPath, new Set());
      continue;
    }
    yield {
      path: childPath,
      doc: childSchema.description ?? "",
      type: typeText(childSchema),
      numeric: childSchema.type === "integer" || childSchema.type === "number",
      secret: childSchema["secret"] === true,
      required: required.has(key),
      defaultValue: childSchema.default,
    };
    const items = asSchema(childSchema.items);
    if (items?.properties !== undefined)
      yield* settingsOf(items, `${childPath}[]`, new Set(items.required ?? []));
  }
}

function schemaAt(root: JsonSchema, path: SettingPath): JsonSchema | undefined {
  let schema: JsonSchema | undefined = root;
  for (const step of path) {
    if (schema === undefined) return undefined;
    schema =
      typeof step === "number"
        ? asSchema(schema.items)
        : asSchema(schema.properties?.[String(step)] ?? schema.additionalProperties);
  }
  return schema;
}

/** A sub-schema, unless it is absent or one of JSON Schema's plain `true` and `false`. */
function asSchema(value: unknown): JsonSchema | undefined {
  return isSchema(value) ? value : undefined;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const WORDS: Readonly<Record<string, string>> = {
  string: "text",
  boolean: "true or false",
  integer: "integer",
  number: "number",
  object: "settings of its own",
};

function typeText(schema: JsonSchema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(", ")}`;
  if (schema.type === "integer" || schema.type === "number") return rangeText(schema);
  if (schema.type === "array") return listText(schema);
  if (schema.type === "string" && schema.format === "uri") return "URL";
  if (schema.type === "string" && (schema.minLength ?? 0) > 1)
    return `text of at least ${schema.minLength} characters`;
  if (schema.type === "object" && schema.properties === undefined) return mapText(schema);
  return WORDS[String(schema.type)] ?? "anything";
}

function rangeText({ type, minimum, maximum }: JsonSchema): string {
  const word = type === "integer" ? "integer" : "number";
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (minimum !== undefined && bounded) return `${word} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${word} from ${minimum}`;
  return word;
}

function listText(schema: JsonSchema): string {
  const items = asSchema(schema.items);
  if (items?.properties !== undefined) return `list of {${Object.keys(items.properties).join(", ")}}`;
  return items?.enum === undefined ? "list of texts" : `list of ${items.enum.map(String).join(", ")}`;
}

function mapText(schema: JsonSchema): string {
  const of = asSchema(schema.additionalProperties);
  return of?.type === undefined ? "settings of its own" : `table name: ${typeText(of)}`;
}
