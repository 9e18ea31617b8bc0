import { execFile } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import * as columns from "../../schema/columns.ts";
import { defineEvent } from "../../schema/define.ts";
import { columnsLibsonnet, eventsMarkdown, tablesSql } from "../../schema/generate.ts";
import { EVENTS } from "../../schema/registry.ts";

const ROOT = join(import.meta.dirname, "../..");

function gen(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = ["--import", "tsx", join(ROOT, "scripts/gen.ts"), ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
}

function copyOfGenerated(): string {
  const root = mkdtempSync(join(tmpdir(), "tickwatch-gen-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  cpSync(join(ROOT, "schema/generated"), join(root, "schema/generated"), { recursive: true });
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

test("the committed files are what the schema says", async () => {
  const { code, stderr } = await gen("--check");
  expect(stderr).toBe("");
  expect(code).toBe(0);
});

test("--check names a file that differs, exits with 1 and writes nothing; without it the file is put right", async () => {
  const root = copyOfGenerated();
  const events = join(root, "schema/generated/events.md");
  appendFileSync(events, "by hand\n");
  const refused = await gen("--check", "--root", root);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("schema/generated/events.md differs");
  expect(refused.stderr).not.toContain("tables.sql");
  expect(readFileSync(events, "utf8")).toContain("by hand");

  expect((await gen("--root", root)).stdout).toBe("wrote schema/generated/events.md\n");
  expect((await gen("--check", "--root", root)).code).toBe(0);
});

test("a stale configuration table is found too", async () => {
  const root = copyOfGenerated();
  const docs = join(root, "docs/configuration.md");
  rmSync(join(root, "schema/generated/tables.sql"));
  appendFileSync(docs, "text below the table is free\n");
  expect((await gen("--check", "--root", root)).stderr).not.toContain("configuration.md");
  const text = readFileSync(docs, "utf8");
  rmSync(docs);
  appendFileSync(docs, text.replace("`8080`", "`80`"));
  const { code, stderr } = await gen("--check", "--root", root);
  expect(code).toBe(1);
  expect(stderr).toContain("docs/configuration.md differs");
  expect(stderr).toContain("schema/generated/tables.sql differs");
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
