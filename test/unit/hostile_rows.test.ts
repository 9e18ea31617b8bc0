// Protects good rows, and everybody's time, from inputs that are made to hurt. Each was found by mutated inputs
// (test/fault/fuzz_*.test.ts) or by looking for what they would find.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonRows } from "../../ingest/gateway/json_rows.ts";
import { createPace } from "../../ingest/gateway/pace.ts";
import { deadLetterFiles, parseDeadLetter } from "../../ingest/intake/dead_letter.ts";
import { findEvent } from "../../schema/registry.ts";
import { ManualClock, NOON_US } from "../support/manual_clock.ts";
import { openTestIntake } from "../support/test_intake.ts";

const good = { ts: NOON_US, exchange: "okx", symbol: "BTC/USDT:USDT", open_interest: 1 };

const DEEP = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;

test.each([
  ["a value", `{"ts":${NOON_US},"exchange":"okx","symbol":${DEEP},"open_interest":2}`, { ts: NOON_US }],
  ["a row", DEEP, undefined],
])("%s that is nested deeply is refused and told, and the rows beside it are taken", async (_, bad, kept) => {
  const t = await openTestIntake();
  const text = JSON.stringify(good);
  const pace = createPace(new ManualClock());
  for (const handOver of [
    () => t.intake.acceptLines("open_interest", Buffer.from([text, bad, text].join("\n"))),
    async () => {
      const rows = await jsonRows(Buffer.from(`[${[text, bad, text].join(",")}]`), pace);
      return t.intake.accept("open_interest", rows);
    },
  ]) {
    const { accepted, rejected } = await handOver();
    expect(accepted).toBe(2);
    expect(rejected).toMatchObject([{ index: 1 }]);
  }
  const [name = ""] = await deadLetterFiles(t.deadLetterDir);
  const lines = (await readFile(join(t.deadLetterDir, name), "utf8")).split("\n").slice(0, -1);
  const letters = lines.map((line) => parseDeadLetter(line));
  expect(letters).toHaveLength(2);
  for (const letter of letters) {
    expect(letter).toMatchObject({ table: "open_interest", ...(kept ? { row: kept } : {}) });
    expect(JSON.stringify(letter?.row)).toContain("nested too deeply");
  }
});

test.each([
  ["one field name of a megabyte", () => ({ ...good, ["k".repeat(1_000_000)]: 1 })],
  [
    "a hundred thousand field names",
    () => ({ ...good, ...Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`symbo${i}`, 1])) }),
  ],
  ["a value of a megabyte", () => ({ ...good, exchange: "é".repeat(1_000_000) })],
])("%s is refused at once and in few words", (_, makeRow) => {
  const row = makeRow();
  const sinceMs = performance.now();
  const outcome = findEvent("open_interest")?.parse(row);
  // Finding the nearest name took eleven seconds for the first of them.
  expect(performance.now() - sinceMs).toBeLessThan(3_000);
  expect(outcome).toMatchObject({ ok: false });
  expect(outcome?.ok === false && outcome.message.length).toBeLessThan(600);
});
