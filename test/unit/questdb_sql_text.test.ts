// Promises of reading and cutting SQL text, and of turning QuestDB's values into ours without losing a digit.
import fc from "fast-check";
import { expect, test } from "vitest";
import { addedColumn, targetTable } from "../../ingest/questdb/migration_files.ts";
import { quotedName, quotedText, splitStatements, withoutTexts } from "../../ingest/questdb/sql_text.ts";
import { longOf, microsOf } from "../../ingest/questdb/sql_values.ts";

test("semicolons separate statements except in quotes and comments, and comments are left out", () => {
  const text = `-- first; not a statement
    CREATE TABLE "a;b" (x INT); /* no; no */ INSERT INTO t VALUES ('it''s; one', 1)
    -- the end;
    ;;  SELECT 1 - 2 / 3`;
  expect(splitStatements(text)).toEqual([
    'CREATE TABLE "a;b" (x INT)',
    "INSERT INTO t VALUES ('it''s; one', 1)",
    "SELECT 1 - 2 / 3",
  ]);
  expect(splitStatements("-- nothing\n/* at all */ ;")).toEqual([]);
});

test("whatever a quoted name or text contains, it stays one piece of its statement", () => {
  const property = fc.property(fc.string(), fc.string(), (name, value) => {
    const statement = `SELECT ${quotedName(name)} FROM t WHERE x = ${quotedText(value)}`;
    expect(splitStatements(`${statement};SELECT 2`)).toEqual([statement, "SELECT 2"]);
    expect(withoutTexts(`SELECT ${quotedText(value)} x`)).toBe("SELECT '' x");
  });
  fc.assert(property);
});

test("every microsecond of two centuries comes back exactly from QuestDB's way to write it", () => {
  const from = Date.UTC(1970, 0, 1) * 1000;
  const to = Date.UTC(2170, 0, 1) * 1000;
  const property = fc.property(fc.integer({ min: from, max: to }), (micros) => {
    const seconds = new Date(Math.floor(micros / 1_000_000) * 1000).toISOString().slice(0, 19);
    const fraction = String(micros % 1_000_000).padStart(6, "0");
    expect(microsOf(`${seconds.replace("T", " ")}.${fraction}`)).toBe(micros);
    expect(microsOf(`${seconds}.${fraction}789Z`)).toBe(micros);
  });
  fc.assert(property);
});

test("a text that is no UTC timestamp is an error, not a wrong time", () => {
  for (const text of ["", "2026-11-21", "2026-11-21 10:00:00+02", "infinity", "1795255200"]) {
    expect(() => microsOf(text)).toThrow("no timestamp");
  }
});

test("a LONG loses no digit: number while exact, bigint beyond", () => {
  const property = fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
    expect(BigInt(longOf(String(value)))).toBe(value);
  });
  fc.assert(property);
});

test("the table that a statement changes is recognised however it is written", () => {
  expect(targetTable('ALTER TABLE "fills" ADD COLUMN x INT')).toBe("fills");
  expect(targetTable("  alter\n table fills ADD COLUMN x INT")).toBe("fills");
  expect(targetTable("UPDATE 'fills' SET x = 1")).toBe("fills");
  expect(targetTable("INSERT INTO fills SELECT 1")).toBeUndefined();
  expect(targetTable("CREATE TABLE fills (x INT)")).toBeUndefined();
});

test("the column that a statement adds is recognised with its type, and several at once are not", () => {
  expect(addedColumn('ALTER TABLE "fills" ADD COLUMN "fee" double')).toEqual({ name: "fee", type: "DOUBLE" });
  expect(addedColumn("ALTER TABLE fills ADD COLUMN IF NOT EXISTS fee SYMBOL CAPACITY 256")).toEqual({
    name: "fee",
    type: "SYMBOL",
  });
  expect(addedColumn("ALTER TABLE fills ADD fee DOUBLE")).toEqual({ name: "fee", type: "DOUBLE" });
  expect(addedColumn("ALTER TABLE fills ADD COLUMN a INT, b INT")).toBeUndefined();
  expect(addedColumn("ALTER TABLE fills SET TTL 3 DAYS")).toBeUndefined();
});
