// Promises about the folder of migrations: a file that could not work is refused by name, before anything is run.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readMigrations } from "../../ingest/questdb/migration_files.ts";

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tickwatch-test-migrations-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

test("files come in the order of their numbers, and other files are left alone", async () => {
  const folder = await folderOf({
    "0010_b.sql": "SELECT 2; SELECT 3",
    "0002_a.sql": "SELECT 1",
    "README.md": "DROP TABLE x",
  });
  const migrations = await readMigrations(folder);
  expect(migrations.map(({ name, statements }) => [name, statements.map(({ text }) => text)])).toEqual([
    ["0002_a.sql", ["SELECT 1"]],
    ["0010_b.sql", ["SELECT 2", "SELECT 3"]],
  ]);
});

test("comments, blank lines and Windows line ends do not make a statement another one", async () => {
  const [one] = await readMigrations(await folderOf({ "0001_a.sql": "ALTER TABLE t\nSET TTL 1 DAY;" }));
  const [two] = await readMigrations(
    await folderOf({ "0001_a.sql": "-- why\r\n\r\nALTER TABLE t\r\nSET TTL 1 DAY;\r\n" }),
  );
  const [three] = await readMigrations(await folderOf({ "0001_a.sql": "ALTER TABLE t\nSET TTL 2 DAY;" }));
  expect(two?.statements).toEqual(one?.statements);
  expect(three?.statements[0]?.checksum).not.toBe(one?.statements[0]?.checksum);
});

test.each([
  ["a bad name", { "1_a.sql": "SELECT 1" }, "1_a.sql must be named like"],
  [
    "a number given twice",
    { "0001_a.sql": "SELECT 1", "0001_b.sql": "SELECT 1" },
    "same number as 0001_a.sql",
  ],
  ["no statement", { "0001_a.sql": "-- nothing" }, "has no statement"],
  ["a dropped table", { "0001_a.sql": "drop\n table fills" }, "which no migration may"],
  ["a dropped view", { "0001_a.sql": "DROP MATERIALIZED VIEW v" }, "which no migration may"],
  [
    "a dropped partition",
    { "0001_a.sql": "ALTER TABLE t DROP PARTITION LIST 'x'" },
    "which no migration may",
  ],
  ["a truncated table", { "0001_a.sql": "TRUNCATE TABLE t" }, "which no migration may"],
])("%s is refused", async (_, files, words) => {
  await expect(readMigrations(await folderOf(files))).rejects.toMatchObject({
    code: "ENVIRONMENT",
    message: expect.stringContaining(words),
  });
});

test("the words of a forbidden statement may stand in a text or a comment", async () => {
  const folder = await folderOf({
    "0001_a.sql": "-- no DROP TABLE here\nINSERT INTO t VALUES ('DROP TABLE x')",
  });
  expect(await readMigrations(folder)).toHaveLength(1);
});

test("the migrations of this project can be read", async () => {
  const folder = new URL("../../schema/migrations", import.meta.url).pathname;
  expect(Array.isArray(await readMigrations(folder))).toBe(true);
});
