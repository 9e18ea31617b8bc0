import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import * as columns from "../../schema/columns.ts";
import { defineEvent } from "../../schema/define.ts";
import { columnsLibsonnet, eventsMarkdown, tablesSql } from "../../schema/generate.ts";
import { EVENTS } from "../../schema/registry.ts";
import { gen } from "../../scripts/gen.ts";

const ROOT = join(import.meta.dirname, "../..");

function run(...args: string[]): { code: number; said: string } {
  const lines: string[] = [];
  const code = gen(args, (line) => lines.push(line));
  return { code, said: lines.join("\n") };
}

function copyOfGenerated(): string {
  const root = mkdtempSync(join(tmpdir(), "tickwatch-gen-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  cpSync(join(ROOT, "schema/generated"), join(root, "schema/generated"), { recursive: true });
  for (const folder of ["provisioning/alerting", "provisioning/alerting-2s", "provisioning/questdb"])
    cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
  cpSync(join(ROOT, "docs/configuration.md"), join(root, "docs/configuration.md"));
  return root;
}

const odd = defineEvent({
  name: "odd",
  why: "Names that collide.",
  sampling: "one",
  keys: ["table"],
  columns: {
    table: columns.symbol("Named like a field of the object."),
    error: columns.optional(columns.varchar("A keyword of Jsonnet.")),
    side: columns.oneOf(["buy", "sell"], "Closed."),
  },
});

test("the committed files are what the schema says", () => {
  expect(run("--check")).toEqual({ code: 0, said: "" });
});

test("--check names a file that differs, exits with 1 and writes nothing", { timeout: 60_000 }, async () => {
  const root = copyOfGenerated();
  const events = join(root, "schema/generated/events.md");
  appendFileSync(events, "by hand\n");
  const child = spawn(process.execPath, ["--import", "tsx", "scripts/gen.ts", "--check", "--root", root], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said: Buffer[] = [];
  child.stdout.on("data", (chunk) => said.push(chunk));
  expect(await once(child, "close")).toEqual([1, null]);
  expect(Buffer.concat(said).toString()).toContain("schema/generated/events.md differs");
  expect(Buffer.concat(said).toString()).not.toContain("tables.sql");
  expect(readFileSync(events, "utf8")).toContain("by hand");
});

test("without --check a file that differs is put right, and no other is touched", () => {
  const root = copyOfGenerated();
  appendFileSync(join(root, "schema/generated/events.md"), "by hand\n");
  expect(run("--root", root)).toEqual({ code: 0, said: "wrote schema/generated/events.md" });
  expect(run("--check", "--root", root).code).toBe(0);
});

test("a missing file and a stale configuration table are found too", () => {
  const root = copyOfGenerated();
  const docs = join(root, "docs/configuration.md");
  appendFileSync(docs, "text below the table is free\n");
  expect(run("--check", "--root", root).code).toBe(0);
  writeFileSync(docs, readFileSync(docs, "utf8").replace("`8080`", "`80`  "));
  rmSync(join(root, "schema/generated/tables.sql"));
  const { code, said } = run("--check", "--root", root);
  expect(code).toBe(1);
  expect(said).toContain("docs/configuration.md differs");
  expect(said).toContain("schema/generated/tables.sql differs");
});

test("a README with the markers gets the table as well", () => {
  const root = copyOfGenerated();
  const readme = join(root, "README.md");
  writeFileSync(readme, "# x\n<!-- config:begin -->\nwritten by hand\n<!-- config:end -->\n");
  expect(run("--root", root).said).toBe("wrote README.md");
  expect(readFileSync(readme, "utf8")).toContain("| `http.port` ");
  expect(readFileSync(readme, "utf8")).not.toContain("written by hand");
});

test("every table and column is in every generated text", () => {
  const sql = tablesSql(EVENTS);
  const jsonnet = columnsLibsonnet(EVENTS);
  const markdown = eventsMarkdown(EVENTS);
  for (const { name, columns: own } of EVENTS) {
    expect(sql).toContain(`CREATE TABLE IF NOT EXISTS "${name}"`);
    expect(jsonnet).toContain(`_table: '${name}'`);
    expect(markdown).toContain(`## ${name}`);
    for (const [column, { doc }] of Object.entries(own)) {
      expect(jsonnet).toContain(`${column}: '${column}'`);
      expect(markdown).toContain(`| \`${column}\` |`);
      expect(markdown).toContain(doc);
    }
  }
});

test("Jsonnet names neither collide with the table's own fields nor with keywords", () => {
  const text = columnsLibsonnet([odd]);
  expect(text).toContain("    _table: 'odd',\n    _keys: ['ts', 'table'],\n");
  expect(text).toContain("    table: 'table',\n    'error': 'error',\n");
});

test("closed sets are listed for people", () => {
  expect(eventsMarkdown([odd])).toContain("| `side` | SYMBOL | required | buy, sell | Closed. |");
});
