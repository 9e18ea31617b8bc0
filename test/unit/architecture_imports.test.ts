// Who imports whom. The rules are data (test/support/import_rules.ts); each check is shown to bite as well.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EVERYWHERE, HOMES, MAY_IMPORT, NODE_PARTS } from "../support/import_rules.ts";
import { type Import, importsOf, sourceFiles } from "../support/source_files.ts";

const ALL = sourceFiles("schema", "ingest").flatMap(importsOf);

const isOurs = (path: string) => path.endsWith(".ts");
const within = (path: string, place: string) =>
  place.endsWith("/") ? path.startsWith(place) : path === place;

/** The entry that speaks of a file: its own, else its folder's. */
function partOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((part) => within(path, part))
    .toSorted((a, b) => b.length - a.length)[0];
}

function allowedBy(rule: string, { to, typeOnly }: Import): boolean {
  const place = rule.replace(/^type /, "");
  return within(to, place) && (typeOnly || place === rule);
}

function forbiddenImports(imports: readonly Import[]): string[] {
  return imports
    .filter(({ to }) => isOurs(to))
    .filter((it) => {
      const part = partOf(it.from);
      if (part === undefined) return true;
      return !within(it.to, part) && !MAY_IMPORT[part]?.some((rule) => allowedBy(rule, it));
    })
    .map(({ from, to, typeOnly }) => `${from} imports ${typeOnly ? "types of " : ""}${to}`);
}

function unusedRules(imports: readonly Import[]): string[] {
  return Object.entries(MAY_IMPORT).flatMap(([part, rules]) => {
    const own = imports.filter(({ from }) => partOf(from) === part);
    return [...new Set(rules)]
      .filter((rule) => !EVERYWHERE.includes(rule) && !own.some((it) => allowedBy(rule, it)))
      .map((rule) => `${part} does not import ${rule} any more`);
  });
}

function strayPackages(imports: readonly Import[]): string[] {
  return imports
    .filter(({ to }) => !isOurs(to) && !to.startsWith("node:"))
    .filter(({ from, to }) => !HOMES[to]?.some((home) => within(from, home)))
    .map(({ from, to }) => `${from} imports ${to}`);
}

/** `node:process` is a way around what is handed in, so it has no place at all. */
function strayNodeParts(imports: readonly Import[]): string[] {
  return imports
    .filter(({ to }) => to.startsWith("node:"))
    .filter(
      ({ from, to }) =>
        to === "node:process" ||
        Object.entries(NODE_PARTS).some(([part, allowed]) => within(from, part) && !allowed.includes(to)),
    )
    .map(({ from, to }) => `${from} imports ${to}`);
}

/** Files that need each other when the code runs, as paths along the imports. Types do not count: they are gone by then. */
function cycles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports)
    if (!typeOnly && isOurs(to)) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (done.has(file) || path.includes(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

function imported(from: string, to: string, typeOnly = false): Import[] {
  return [{ from, to, typeOnly }];
}

test("imports are found however they are written", () => {
  const text = `
import type { A } from "./a.ts";
import { type B, type C } from "../b/c.ts";
import {
  type D,
  e,
} from "./d.ts";
import * as z from "zod";
import "./side_effect.ts";
export { f } from "./f.ts";
const ora = await import("ora");
import cors from "@fastify/cors";
// import { no } from "./comment.ts";
`;
  expect(importsOf({ path: "ingest/x/y.ts", text })).toEqual([
    { from: "ingest/x/y.ts", to: "ingest/x/a.ts", typeOnly: true },
    { from: "ingest/x/y.ts", to: "ingest/b/c.ts", typeOnly: true },
    { from: "ingest/x/y.ts", to: "ingest/x/d.ts", typeOnly: false },
    { from: "ingest/x/y.ts", to: "zod", typeOnly: false },
    { from: "ingest/x/y.ts", to: "ingest/x/f.ts", typeOnly: false },
    { from: "ingest/x/y.ts", to: "@fastify/cors", typeOnly: false },
    { from: "ingest/x/y.ts", to: "ingest/x/side_effect.ts", typeOnly: false },
    { from: "ingest/x/y.ts", to: "ora", typeOnly: false },
  ]);
  expect(ALL.length).toBeGreaterThan(500);
});

test("every part imports only what the picture of the house lets it import", () => {
  expect(forbiddenImports(ALL)).toEqual([]);
});

test.each([
  ["a stage that knows a source", imported("ingest/spool/spool.ts", "ingest/sources/ccxt/rows.ts")],
  [
    "types of a stage that is further down",
    imported("ingest/encode/native.ts", "ingest/deliver/batch.ts", true),
  ],
  ["a gateway that reaches past the intake", imported("ingest/gateway/server.ts", "ingest/spool/spool.ts")],
  ["a source that asks the database", imported("ingest/sources/storage_usage.ts", "ingest/questdb/sql.ts")],
  ["a schema that knows the program", imported("schema/define.ts", "ingest/clock.ts")],
  ["a part that uses the demo", imported("ingest/gateway/server.ts", "ingest/demo/demo.ts")],
  ["the program that uses its tests", imported("ingest/service.ts", "test/support/eventually.ts")],
  [
    "more than types where types are allowed",
    imported("ingest/gateway/server.ts", "ingest/config/schema.ts"),
  ],
  ["a new part that the picture does not show", imported("ingest/alerts/rules.ts", "ingest/clock.ts")],
])("the picture does not allow %s", (_, imports) => {
  expect(forbiddenImports(imports)).toHaveLength(1);
});

test("the picture shows no arrow that the code does not have", () => {
  expect(unusedRules(ALL)).toEqual([]);
  expect(unusedRules([]).length).toBeGreaterThan(20);
});

test("no file needs itself by way of others", () => {
  expect(cycles(ALL)).toEqual([]);
  const loop = [
    ...imported("ingest/a.ts", "ingest/b.ts"),
    ...imported("ingest/b.ts", "ingest/c.ts"),
    ...imported("ingest/c.ts", "ingest/b.ts"),
  ];
  expect(cycles(loop)).toEqual(["ingest/b.ts → ingest/c.ts → ingest/b.ts"]);
});

test("each package is used in its place, and every dependency has one", () => {
  expect(strayPackages(ALL)).toEqual([]);
  expect(strayPackages(imported("ingest/deliver/delivery.ts", "prom-client"))).toHaveLength(1);
  expect(strayPackages(imported("ingest/deliver/delivery.ts", "left-pad"))).toHaveLength(1);
  const packageJson = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
  expect(Object.keys(HOMES).toSorted()).toEqual(Object.keys(packageJson.dependencies).toSorted());
});

test("what only computes uses neither files nor network", () => {
  expect(strayNodeParts(ALL)).toEqual([]);
  expect(strayNodeParts(imported("ingest/deliver/delivery.ts", "node:fs"))).toHaveLength(1);
  expect(strayNodeParts(imported("ingest/service.ts", "node:process"))).toHaveLength(1);
});
