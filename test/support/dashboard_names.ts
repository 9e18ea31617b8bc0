// Names that Grafana's types leave open and its code does not: units, calculations, colours, matchers, transformations, and the
// settings that an override may change. The lists are made from Grafana's own packages (npm run grafana-facts).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Panel } from "../../bench/panels/dashboard_file.ts";
import type { PanelRule, Rules } from "./dashboard_lint.ts";
import { fieldSettings } from "./dashboard_shapes.ts";

const LISTS = z
  .record(z.string(), z.array(z.string()))
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "grafana_facts/names.json"), "utf8")));

/** Units with a text of their own: prefix:, suffix:, time: and so on. */
const OWN_UNIT = /^(?:prefix|suffix|time|si|count|currency|bool):./;

export const NAME_RULES = {
  "unit exists": ({ fieldConfig }) =>
    [fieldConfig.defaults.unit, ...overridden(fieldConfig.overrides, "unit")]
      .filter((unit) => unit !== undefined)
      .map(String)
      .filter((unit) => !OWN_UNIT.test(unit) && !isListed("units", unit))
      .map((unit) => `Grafana knows no unit "${unit}"${near("units", unit)}`),
  "calculation exists": ({ options, transformations }) =>
    valuesOf({ options, transformations }, ["calcs", "reducers", "reducer", "aggregations"])
      .filter((calc) => !isListed("reducers", calc))
      .map((calc) => `Grafana knows no calculation "${calc}"${near("reducers", calc)}`),
  "colour exists": ({ fieldConfig, options }) =>
    valuesOf({ fieldConfig, options }, ["color", "fixedColor"])
      .filter((color) => !/^#[0-9a-fA-F]{3,8}$|^rgba?\(/.test(color) && !isListed("colors", color))
      .map((color) => `Grafana knows no colour "${color}"${near("colors", color)}`),
  "matcher exists": ({ fieldConfig: { overrides } }) =>
    overrides
      .filter(({ matcher }) => !isListed("fieldMatchers", matcher.id))
      .map(({ matcher }) => `Grafana knows no matcher "${matcher.id}"${near("fieldMatchers", matcher.id)}`),
  "override exists": ({ type, fieldConfig: { overrides } }) => {
    const known = fieldSettings(type);
    return overrides
      .flatMap(({ properties }) => properties)
      .filter(
        ({ id }) =>
          !known.includes(
            id
              .split(".")
              .slice(0, id.startsWith("custom.") ? 2 : 1)
              .join("."),
          ),
      )
      .map(({ id }) => `an override sets "${id}", which a ${type} does not have`);
  },
  "transformation exists": ({ transformations }) =>
    transformations
      .filter(({ id }) => !isListed("transformers", id))
      .map(({ id }) => `Grafana knows no transformation "${id}"${near("transformers", id)}`),
} satisfies Rules<PanelRule>;

function isListed(list: string, name: string): boolean {
  return LISTS[list]?.includes(name) ?? false;
}

/** Names that begin alike, as a hint. */
function near(list: string, name: string): string {
  const alike = (LISTS[list] ?? []).filter((known) =>
    known.toLowerCase().startsWith(name.toLowerCase().slice(0, 3)),
  );
  return alike.length === 0 ? "" : `: is it one of ${alike.slice(0, 6).join(", ")}?`;
}

function overridden(overrides: Panel["fieldConfig"]["overrides"], id: string): unknown[] {
  return overrides.flatMap(({ properties }) =>
    properties.filter((property) => property.id === id).map(({ value }) => value),
  );
}

/** Texts under these keys, however deep; also in lists. */
function valuesOf(value: unknown, keys: readonly string[], isUnder = false): string[] {
  if (typeof value === "string") return isUnder ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => valuesOf(item, keys, isUnder));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    valuesOf(item, keys, keys.includes(key) && (typeof item === "string" || Array.isArray(item))),
  );
}
