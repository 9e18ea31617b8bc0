// Protects: nothing that was refused disappears: it is counted, kept with its reason, bounded, and can be brought back.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deadLetterFiles, openDeadLetters, parseDeadLetter } from "../../ingest/intake/dead_letter.ts";
import { MalformedLine } from "../../ingest/intake/malformed.ts";
import { replayDeadLetters } from "../../ingest/intake/replay.ts";
import { ManualClock, NOON_US } from "../support/manual_clock.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { openTestIntake } from "../support/test_intake.ts";

const good = { ts: NOON_US, exchange: "okx", symbol: "BTC/USDT:USDT", open_interest: 1 };

async function entriesOf(folder: string) {
  const texts = await Promise.all(
    (await deadLetterFiles(folder)).map((name) => readFile(join(folder, name), "utf8")),
  );
  return texts.flatMap((text) =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => parseDeadLetter(line)),
  );
}

test.each([
  ["unknown_field", { ...good, colour: "red" }, "colour"],
  ["missing_field", { ts: NOON_US, exchange: "okx", symbol: "x" }, "open_interest"],
  ["wrong_type", { ...good, open_interest: "1" }, "open_interest"],
  ["not_finite", { ...good, open_interest: Number.NaN }, "open_interest"],
  ["not_finite", { ...good, open_interest: Number.POSITIVE_INFINITY }, "open_interest"],
  ["empty_symbol", { ...good, exchange: "" }, "exchange"],
  ["value_not_allowed", { ...good, exchange: "a\0b" }, "exchange"],
  ["too_long", { ...good, exchange: "x".repeat(300) }, "exchange"],
  ["time_too_far_ahead", { ...good, ts: NOON_US + 61_000_000 }, "ahead"],
  ["time_too_old", { ...good, ts: NOON_US - 91 * 86_400_000_000 }, "older"],
  ["time_too_old", { ...good, ts: NOON_US / 1000 }, "milliseconds"],
  ["time_too_old", { ...good, ts: NOON_US / 1_000_000 }, "seconds"],
  ["missing_field", { ...good, ts: undefined }, "microseconds"],
  ["wrong_type", { ...good, ts: "yesterday" }, "ts"],
  ["not_an_object", [1, 2], "array"],
  ["not_an_object", null, "null"],
  ["malformed_json", new MalformedLine('{"ts":', "line 3 is not JSON"), "line 3"],
])("%s: the input is refused with words, counted and kept", async (reason, input, word) => {
  const t = await openTestIntake();
  const { accepted, rejected } = await t.intake.accept("open_interest", [good, input, good]);
  expect(accepted).toBe(2);
  expect(rejected).toEqual([{ index: 1, reason, message: expect.stringContaining(word) }]);
  expect(t.ledger.counts("open_interest")).toMatchObject({ accepted: 2, rejected: 1 });
  expect(await t.metrics.total("tickwatch_rows_rejected_total", { table: "open_interest", reason })).toBe(1);
  expect(await entriesOf(t.deadLetterDir)).toMatchObject([
    { stage: "intake", table: "open_interest", reason },
  ]);
});

test("a time just inside the limits is accepted, also as ISO 8601", async () => {
  const t = await openTestIntake();
  const rows = [
    { ...good, ts: NOON_US + 59_000_000 },
    { ...good, ts: NOON_US - 89 * 86_400_000_000 },
    { ...good, ts: "2026-11-21T12:00:00.000001Z" },
    { ...good, ts: "2026-11-21T14:00:00+02:00" },
  ];
  expect((await t.intake.accept("open_interest", rows)).accepted).toBe(4);
});

test("rows for a table that does not exist are refused and kept, counted without the name that was sent", async () => {
  const t = await openTestIntake();
  const { rejected } = await t.intake.accept("no_such_table", [{ a: 1 }]);
  expect(rejected).toMatchObject([{ reason: "unknown_table" }]);
  expect(await t.metrics.total("tickwatch_rows_rejected_total", { table: "unknown" })).toBe(1);
  expect(await entriesOf(t.deadLetterDir)).toMatchObject([{ table: "no_such_table", row: { a: 1 } }]);
});

test("a row larger than the limit is refused and costs its neighbours nothing", async () => {
  const t = await openTestIntake({ rowBytesMax: 2_000 });
  const error = (message: string) => ({
    ts: NOON_US,
    daemon: "d",
    instance: "i",
    component: "c",
    severity: "error",
    message,
  });
  const { accepted, rejected } = await t.intake.accept("daemon_errors", [
    error("a"),
    error("x".repeat(3_000)),
    error("b"),
  ]);
  expect(accepted).toBe(2);
  expect(rejected).toMatchObject([{ index: 1, reason: "row_too_large" }]);
});

test("replay takes in what is acceptable now, keeps what was not asked for, and refuses the rest with its new reason", async () => {
  const t = await openTestIntake();
  await t.intake.accept("open_interest", [
    { ...good, ts: NOON_US + 120_000_000 },
    { ...good, colour: 1 },
    new MalformedLine("{oops", "no JSON"),
  ]);
  await t.intake.accept("signals", [{ ts: NOON_US }]);
  await t.clock.advance(90_000);
  const { intake, deadLetters, deadLetterDir: folder } = t;
  const result = await replayDeadLetters(
    { folder, deadLetters, accept: (table, rows) => intake.accept(table, rows) },
    { table: "open_interest" },
  );
  expect(result).toEqual({ accepted: 1, rejected: 2, kept: 1 });
  const left = await entriesOf(folder);
  expect(left.map((entry) => `${entry?.table} ${entry?.reason}`).sort()).toEqual([
    "open_interest malformed_json",
    "open_interest unknown_field",
    "signals missing_field",
  ]);
});

test("a row that QuestDB refused is brought back from its decoded values", async () => {
  const t = await openTestIntake();
  await t.deadLetters.write([
    {
      stage: "questdb",
      table: "open_interest",
      reason: "row_refused",
      message: "no",
      row: good,
      bytes: "AA==",
    },
  ]);
  const { intake, deadLetters, deadLetterDir: folder } = t;
  const result = await replayDeadLetters(
    { folder, deadLetters, accept: (table, rows) => intake.accept(table, rows) },
    {},
  );
  expect(result).toEqual({ accepted: 1, rejected: 0, kept: 0 });
  expect(await entriesOf(folder)).toEqual([]);
});

test("the files stay under their cap: the oldest entries go first, and how many is told", async () => {
  const folder = await temporaryFolder();
  let dropped = 0;
  const clock = new ManualClock();
  const letters = await openDeadLetters({
    folder,
    bytesMax: 16_000,
    nowUs: () => clock.nowUs(),
    onDropped: (n) => (dropped += n),
  });
  for (let i = 0; i < 300; i++)
    await letters.write([
      { stage: "intake", table: "t", reason: "r", message: `number ${i}`, row: "x".repeat(50) },
    ]);
  const left = await entriesOf(folder);
  const size = (
    await Promise.all((await deadLetterFiles(folder)).map((name) => readFile(join(folder, name))))
  ).reduce((sum, b) => sum + b.length, 0);
  expect(size).toBeLessThanOrEqual(16_000);
  expect(left.length + dropped).toBe(300);
  expect(left.at(-1)?.message).toBe("number 299");
});

test("entries of an earlier run are kept when a new one begins", async () => {
  const folder = await temporaryFolder();
  const options = { folder, bytesMax: 100_000, nowUs: () => 1, onDropped: () => undefined };
  const entry = { stage: "intake", table: "t", reason: "r", message: "m", row: 1 } as const;
  await (await openDeadLetters(options)).write([entry]);
  await (await openDeadLetters(options)).write([entry]);
  expect(await entriesOf(folder)).toHaveLength(2);
});
