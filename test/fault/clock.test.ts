// Protects rows from a wall clock that is set: rows with a time that the clock of the moment can vouch for are stored
// once and in order, the others are refused in words and kept; nothing waits for a time that has been or never comes.
import { expect, inject, test } from "vitest";
import { type Clock, systemClock } from "../../ingest/clock.ts";
import { seededRandom } from "../support/fault_form.ts";
import { until } from "../support/questdb_until.ts";
import { delivered } from "../support/service_proof.ts";
import { openTestPipeline, type TestPipeline } from "../support/test_pipeline.ts";

const S_US = 1_000_000;
const DAY_US = 86_400 * S_US;

/** The system's clock, `aheadUs` ahead; what never steps does not step here either. */
function settableClock(): Clock & { aheadUs: number } {
  const system = systemClock();
  return {
    aheadUs: 0,
    nowUs() {
      return system.nowUs() + this.aheadUs;
    },
    monotonicMs: () => system.monotonicMs(),
    sleep: (ms, signal) => system.sleep(ms, signal),
  };
}

let lastUs = 0;
function trueUs(): number {
  lastUs = Math.max(lastUs + 1, Date.now() * 1000);
  return lastUs;
}

const row = (strategy: string, number: number) => ({
  ...{ ts: trueUs(), strategy, exchange: "okx", symbol: "BTC/USDT:USDT", event_id: String(number) },
  ...{ indicator: "rsi", signal: "buy", price: number },
});

async function prices(t: TestPipeline, strategy: string): Promise<unknown[]> {
  const query = "SELECT price FROM signals WHERE strategy = $1 ORDER BY ts";
  return (await t.database.sql.query(query, [strategy])).map((found) => found["price"]);
}

test("a clock that jumps within the limits, both ways, costs no row and stops nothing", async () => {
  const random = seededRandom("small jumps of the clock");
  const clock = settableClock();
  const t = await openTestPipeline(inject("questdb"), { clock });
  for (let number = 0; number < 300; number++) {
    clock.aheadUs = Math.floor((random.next() - 0.5) * 110 * S_US);
    const { accepted } = await t.pipeline.intake.accept("signals", [row("small jumps", number)]);
    expect(accepted).toBe(1);
  }
  await until("delivery", () => t.pipeline.spool.pending().length === 0);
  await delivered(t.database.sql);
  expect(await prices(t, "small jumps")).toEqual(Array.from({ length: 300 }, (_, number) => number));
  expect(t.pipeline.ledger.counts("signals")).toMatchObject({ written: 300, deadLettered: 0, rejected: 0 });
});

test.each([
  ["an hour back", -3_600 * S_US, "time_too_far_ahead"],
  ["ten years back", -3_650 * DAY_US, "time_too_far_ahead"],
  ["a hundred days ahead", 100 * DAY_US, "time_too_old"],
])(
  "with a clock that jumped %s right rows are refused with the reason, and taken when it is right again",
  async (name, aheadUs, reason) => {
    const clock = settableClock();
    const t = await openTestPipeline(inject("questdb"), { clock });
    const send = (number: number) => t.pipeline.intake.accept("signals", [row(name, number)]);
    expect((await send(1)).accepted).toBe(1);
    clock.aheadUs = aheadUs;
    const { accepted, rejected } = await send(2);
    expect(accepted).toBe(0);
    expect(rejected).toMatchObject([{ index: 0, reason }]);
    clock.aheadUs = 0;
    expect((await send(3)).accepted).toBe(1);
    await until("delivery", () => t.pipeline.spool.pending().length === 0);
    await delivered(t.database.sql);
    expect(await prices(t, name)).toEqual([1, 3]);
    // What was refused for the clock's sake comes back by a replay.
    expect(await t.pipeline.replayDeadLetters({ reason })).toEqual({ accepted: 1, rejected: 0, kept: 0 });
    await until("the replayed row", async () => (await prices(t, name)).length === 3);
    expect(await prices(t, name)).toEqual([1, 2, 3]);
  },
);

test("rows that wait in the spool are delivered whatever the clock does meanwhile, also across a restart", async () => {
  const clock = settableClock();
  const first = await openTestPipeline(inject("questdb"), {
    clock,
    writer: { lingerMinMs: 60_000, lingerMaxMs: 60_000 },
  });
  for (const aheadUs of [0, 50 * S_US, -50 * S_US]) {
    clock.aheadUs = aheadUs;
    await first.pipeline.intake.accept("signals", [row("waiting", aheadUs / S_US)]);
  }
  clock.aheadUs = 1_000 * DAY_US;
  expect(await first.pipeline.stop(0)).toBe(3);
  const next = settableClock();
  next.aheadUs = -1_000 * DAY_US;
  const second = await openTestPipeline(inject("questdb"), { clock: next, dataDir: first.dataDir });
  await until("delivery", () => second.pipeline.spool.pending().length === 0);
  await delivered(second.database.sql);
  expect(await prices(second, "waiting")).toEqual([0, 50, -50]);
});
