// Protects: the account of keys adds up for whatever was accepted and whatever is stored, and the report says what is wrong.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareKeys, countDistinct, sortKeys, type Tally } from "../../ingest/verify/compare.ts";
import { reportLines, type TableAccount } from "../../ingest/verify/report.ts";
import { cli, workingFolder } from "./cli_fixture.ts";

/** Small numbers as keys whose halves differ in every way. */
function keysOf(numbers: readonly number[]): Int32Array {
  return new Int32Array(numbers.flatMap((number) => [Math.imul(number, 0x9e3779b1), number % 3]));
}

const some = fc.array(fc.nat({ max: 12 }), { maxLength: 20 });

test("every accepted row is counted once, and by what is known of its key", () => {
  fc.assert(
    fc.property(some, some, some, some, (accepted, stored, pending, deadLettered) => {
      const { tally, missing, doubled, foreign } = compareKeys({
        accepted: sortKeys(keysOf(accepted)),
        stored: sortKeys(keysOf(stored)),
        pending: sortKeys(keysOf(pending)),
        deadLettered: sortKeys(keysOf(deadLettered)),
      });
      const sum = tally.stored + tally.replaced + tally.deadLettered + tally.pending + tally.missing;
      expect(tally.accepted).toBe(accepted.length);
      expect(sum).toBe(accepted.length);
      const [ours, there] = [new Set(accepted), new Set(stored)];
      expect(tally.stored).toBe([...ours].filter((key) => there.has(key)).length);
      expect(tally.foreign).toBe(stored.filter((key) => !ours.has(key)).length);
      expect(tally.stored + tally.doubled + tally.foreign).toBe(stored.length);
      const times = (all: readonly number[], key: number) => all.filter((one) => one === key).length;
      const due = [...ours].filter(
        (key) => !there.has(key) && times(accepted, key) > times(pending, key) + times(deadLettered, key),
      );
      const inKeys = (keys: readonly number[]) => sortKeys(keysOf(keys));
      expect(sortKeys(missing)).toEqual(inKeys(due));
      expect(sortKeys(foreign)).toEqual(inKeys([...there].filter((key) => !ours.has(key))));
      expect(sortKeys(doubled)).toEqual(inKeys([...ours].filter((key) => times(stored, key) > 1)));
      expect(countDistinct(inKeys(stored))).toBe(there.size);
    }),
    { numRuns: 500 },
  );
});

function account(table: string, verdict: TableAccount["verdict"], tally: Partial<Tally>): TableAccount {
  return {
    ...{ table, verdict, accepted: 0, stored: 0, replaced: 0, deadLettered: 0, pending: 0 },
    ...{ missing: 0, doubled: 0, foreign: 0, older: 0, expired: 0, stillInSpool: 0 },
    ...{ completeFrom: null, notes: [], examples: [], ...tally },
  };
}

test("the report is a table for people, then what has to be said about single tables", () => {
  const pnl = account("pnl", "adds up", { accepted: 1_250, stored: 1_246, replaced: 4 });
  const orders: TableAccount = {
    ...account("orders", "missing rows", { accepted: 2, stored: 1, missing: 1 }),
    ...{ stillInSpool: 1, older: 7, completeFrom: "2026-11-21T10:00:00.000000Z" },
    examples: [
      { what: "missing", key: "00000000000000ff", ts: "2026-11-21T11:00:00.000001Z", row: { seq: 1 } },
    ],
  };
  const tables = [pnl, orders, account("fills", "empty", {})];
  const lines = reportLines({ ok: false, from: "2026-11-21T10:00:00.000000Z", to: null, tables });
  expect(lines).toEqual([
    "rows with ts from 2026-11-21T10:00:00.000000Z",
    "table   accepted  replaced  stored  dead-lettered  pending  missing  foreign  verdict",
    "pnl        1,250         4   1,246              0        0        0        0  adds up",
    "orders         2         0       1              0        0        1        0  missing rows",
    "1 table without rows",
    "the ledger knows every accepted row of orders with a ts after 2026-11-21T10:00:00.000000Z, and some of the older ones",
    "orders: 1 accepted row not in the table",
    "orders: 1 of them still in the spool: sent again when QuestDB was away",
    "orders: 7 stored rows from before the ledger: not judged",
    'orders: missing 2026-11-21T11:00:00.000001Z key 00000000000000ff {"seq":1}',
    "orders: does not add up",
  ]);
});

test("without a ledger there is no account, and no folder comes into being by asking for one", async () => {
  const cwd = workingFolder();
  const { code, err } = await cli(["verify"], { cwd });
  expect(code).toBe(3);
  expect(err).toContain(`there is no ledger at ${join(cwd, ".tickwatch", "ledger")}`);
  expect(err).toContain("ledger.bytesMax is 0");
  expect(existsSync(join(cwd, ".tickwatch"))).toBe(false);
});

test("a time without a zone, or a table that does not exist, is a mistake in the command", async () => {
  const cwd = workingFolder();
  mkdirSync(join(cwd, ".tickwatch", "ledger"), { recursive: true });
  for (const [args, words] of [
    [["--from", "2026-11-21T10:00:00"], "write a time with its zone"],
    [["--to", "yesterday"], "such as -1h"],
    [["--table", "nope"], "there is no table nope"],
  ] as const) {
    const { code, err } = await cli(["verify", ...args], { cwd });
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(words) });
  }
});
