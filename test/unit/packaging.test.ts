// What `npm run check-package` would refuse, without packing anything.
import { expect, test } from "vitest";
import { packageMistakes } from "../../scripts/package_contents.ts";

const SOURCES = ["ingest/main.ts", "schema/registry.ts", "schema/migrations/0001_add_venue.sql"];

const RIGHT = [
  "package.json",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "ARCHITECTURE.md",
  "tickwatch.example.yaml",
  "alerts.example.yaml",
  "provisioning/alert_catalogue.json",
  "schema/generated/tables.sql",
  "schema/generated/rollups.sql",
  "schema/generated/columns.libsonnet",
  "schema/generated/events.md",
  "schema/migrations/README.md",
  "schema/migrations/0001_add_venue.sql",
  "dist/ingest/main.js",
  "dist/ingest/main.js.map",
  "dist/schema/registry.js",
];

test("a package with all that it needs and nothing else is right", () => {
  expect(packageMistakes(RIGHT, SOURCES)).toEqual([]);
});

test.each(RIGHT.filter((path) => !path.endsWith(".map")))("without %s it is not", (path) => {
  const packed = RIGHT.filter((other) => other !== path);
  expect(packageMistakes(packed, SOURCES)).toEqual([`${path} is missing`]);
});

test.each([
  ["test/unit/spool.test.ts", "does not belong into it"],
  ["ingest/main.ts", "does not belong into it"],
  [".tickwatch/run.json", "does not belong into it"],
  ["tickwatch.yaml", "does not belong into it"],
  ["dist/test/support/leaks.js", "does not belong into it"],
  ["dist/ingest/forgotten.js", "has no source"],
  ["schema/migrations/0002_forgotten.sql", "has no source"],
])("with %s it is not", (path, words) => {
  expect(packageMistakes([...RIGHT, path], SOURCES)).toEqual([`${path} ${words}`]);
});
