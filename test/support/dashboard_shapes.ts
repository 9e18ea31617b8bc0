// Dashboards against the JSON schema of Grafana's own types: the dashboard, and each panel, row, variable, annotation and link
// against the part that is about its kind, so that a mistake is one line and not forty.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ErrorObject, type SchemaObject, type ValidateFunction } from "ajv";
import * as z from "zod";

const FOLDER = join(import.meta.dirname, "grafana_facts");
const SHAPES = z
  .record(z.string(), z.record(z.string(), z.unknown()))
  .parse(JSON.parse(readFileSync(join(FOLDER, "shapes.json"), "utf8")));

/** Below these Grafana fills in what is missing, though the types say it must be there. */
const FILLED_IN = new Set(["options", "custom", "links", "link", "variable"]);
const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });
const compiled = new Map<string, ValidateFunction>();

function validator(shape: string): ValidateFunction | undefined {
  const known = compiled.get(shape);
  const schema = SHAPES[shape];
  if (known !== undefined || schema === undefined) return known;
  const validate = ajv.compile(tolerant(schema, FILLED_IN.has(shape)));
  compiled.set(shape, validate);
  return validate;
}

/** The schema without `required` where Grafana fills in. */
function tolerant(schema: unknown, isFilledIn: boolean): SchemaObject {
  const walk = (node: unknown, filledIn: boolean, key: string): unknown => {
    if (Array.isArray(node)) return node.map((item) => walk(item, filledIn, key));
    if (typeof node !== "object" || node === null) return node;
    const isProperties = key === "properties";
    return Object.fromEntries(
      Object.entries(node)
        .filter(([name]) => isProperties || !(filledIn && name === "required"))
        .map(([name, value]) => [
          name,
          walk(value, filledIn || (isProperties && FILLED_IN.has(name)), isProperties ? "" : name),
        ]),
    );
  };
  return walk(schema, isFilledIn, "") as SchemaObject;
}

/** Kinds of panels whose form is known. */
const PANEL_KINDS: readonly string[] = Object.keys(SHAPES).filter(
  (name) => !["dashboard", "link", "row", "variable", "annotation"].includes(name),
);

type Json = Readonly<Record<string, unknown>>;

/** One line for each place where a dashboard is not what Grafana's types say. */
export function shapeMistakes(name: string, raw: unknown): readonly string[] {
  const { panels, templating, annotations, links, ...rest } = objectOf(raw);
  const named = (kind: string) => (item: Json) => check(`${name}, ${kind} "${item["name"]}"`, kind, item);
  return [
    ...check(name, "dashboard", rest),
    ...objects(links).flatMap((link) => check(`${name}, link "${link["title"]}"`, "link", link)),
    ...objects(objectOf(templating)["list"]).flatMap(named("variable")),
    ...objects(objectOf(annotations)["list"]).flatMap(named("annotation")),
    ...objects(panels).flatMap((panel) => panelMistakes(name, panel)),
  ];
}

function panelMistakes(name: string, panel: Json): string[] {
  const kind = String(panel["type"]);
  const where = `${name}, panel ${panel["id"]} "${panel["title"]}"`;
  if (kind === "row") {
    const { panels, ...row } = panel;
    const inside = objects(panels);
    return [...check(where, "row", row), ...inside.flatMap((one) => panelMistakes(name, one))];
  }
  if (PANEL_KINDS.includes(kind)) return check(where, kind, panel);
  return [`${where}: no form is known for the kind "${kind}"; known are ${PANEL_KINDS.join(", ")}`];
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

function check(where: string, shape: string, value: unknown): string[] {
  const validate = validator(shape);
  if (validate === undefined) throw new Error(`no schema for ${shape}`);
  if (validate(value)) return [];
  return [...new Set(nearestBranch(validate.errors ?? []).map((error) => `${where}: ${inWords(error)}`))];
}

/** Of alternatives that all fail, only what is wrong with the one that was meant: the one whose fixed values fit best. */
function nearestBranch(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choice = errors.find(({ keyword }) => keyword === "anyOf");
  if (choice === undefined) return errors;
  const prefix = `${choice.schemaPath}/`;
  const branches = new Map<string, ErrorObject[]>();
  for (const error of errors.filter(({ schemaPath }) => schemaPath.startsWith(prefix))) {
    const branch = error.schemaPath.slice(prefix.length).split("/")[0] ?? "";
    branches.set(branch, [...(branches.get(branch) ?? []), error]);
  }
  const cost = (branch: readonly ErrorObject[]) =>
    branch.length + 100 * branch.filter(({ keyword }) => ["const", "enum", "type"].includes(keyword)).length;
  const best = [...branches.values()].toSorted((a, b) => cost(a) - cost(b))[0] ?? [];
  const rest = errors.filter((error) => error !== choice && !error.schemaPath.startsWith(prefix));
  return nearestBranch([...best, ...rest]);
}

function inWords({ keyword, instancePath, params, message, data }: ErrorObject): string {
  const at = instancePath.slice(1).replaceAll("/", ".") || "it";
  const facts = objectOf(params);
  switch (keyword) {
    case "additionalProperties":
      return `${at} has "${facts["additionalProperty"]}", which Grafana does not read: remove it, or correct its name`;
    case "required":
      return `${at} lacks "${facts["missingProperty"]}"`;
    case "enum":
      return `${at} is ${JSON.stringify(data)}; it must be one of ${JSON.stringify(facts["allowedValues"])}`;
    case "const":
      return `${at} is ${JSON.stringify(data)}; it must be ${JSON.stringify(facts["allowedValue"])}`;
    default:
      return `${at} ${message} (it is ${JSON.stringify(data)?.slice(0, 80)})`;
  }
}

/** Settings of a field that an override may change for this kind of panel: `unit`, `custom.lineWidth` and so on. */
export function fieldSettings(kind: string): readonly string[] {
  const fieldConfig = objectOf(objectOf(SHAPES[kind]?.["properties"])["fieldConfig"]);
  const defaults = objectOf(objectOf(objectOf(fieldConfig["properties"])["defaults"])["properties"]);
  const custom = objectOf(objectOf(defaults["custom"])["properties"]);
  return [
    ...Object.keys(defaults).filter((name) => name !== "custom"),
    ...Object.keys(custom).map((name) => `custom.${name}`),
  ];
}
