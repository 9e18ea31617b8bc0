// Protects rows that go to QuestDB in two requests at once: whatever becomes of either, each row is there once.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConnectedDatabase } from "../../ingest/database.ts";
import type { IlpHttp } from "../../ingest/deliver/ilp_http.ts";
import type { Outcome } from "../../ingest/deliver/outcome.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { until } from "../support/questdb_until.ts";
import { openTestPipeline } from "../support/test_pipeline.ts";

let questdb: QuestdbInstance;
beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
});
afterAll(() => questdb.remove());

/** What one of two requests comes to instead of what QuestDB does with it. */
type Spoil = (send: () => Promise<Outcome>) => Promise<Outcome>;

const ANSWER_LOST: Spoil = async (send) => {
  await send();
  return { kind: "unavailable", sent: true, message: "the answer got lost" };
};
const NEVER_SENT: Spoil = async () => ({ kind: "unavailable", sent: false, message: "refused" });
const SERVER_ERROR: Spoil = async () => ({ kind: "server_error", status: 500, message: "no" });
const NONE: Spoil = (send) => send();

/** The real sender behind a gate, which spoils the first two requests that are under way at once. */
class Gate implements IlpHttp {
  readonly #sender: IlpHttp;
  readonly #spoils: readonly [Spoil, Spoil];
  #open: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => (this.#open = resolve));
  #underWay = 0;
  pairs = 0;

  constructor(sender: IlpHttp, spoils: readonly [Spoil, Spoil]) {
    this.#sender = sender;
    this.#spoils = spoils;
  }

  open(): void {
    this.#open();
  }

  async send(parts: readonly Buffer[], signal: AbortSignal): Promise<Outcome> {
    this.#underWay += 1;
    await this.#opened;
    // Whoever comes together is here by now.
    await new Promise((resolve) => setImmediate(resolve));
    const together = this.#underWay === 2;
    const isFirst = together && !this.#isSecond;
    this.#isSecond = isFirst;
    if (isFirst) this.pairs += 1;
    const spoil = together && this.pairs === 1 ? this.#spoils[isFirst ? 0 : 1] : NONE;
    await new Promise((resolve) => setImmediate(resolve));
    try {
      return await spoil(() => this.#sender.send(parts, signal));
    } finally {
      this.#underWay -= 1;
    }
  }
  #isSecond = false;

  renew(): void {
    this.#sender.renew();
  }
  close(): Promise<void> {
    return this.#sender.close();
  }
}

const PUSH_ROWS = 10_000;
const ROWS = 12 * PUSH_ROWS;

test.each([
  ["both are taken", NONE, NONE],
  ["the answer to the older rows gets lost", ANSWER_LOST, NONE],
  ["the answer to the newer rows gets lost", NONE, ANSWER_LOST],
  ["both answers get lost", ANSWER_LOST, ANSWER_LOST],
  ["the older rows are refused", SERVER_ERROR, NONE],
  ["the newer rows are refused", NONE, SERVER_ERROR],
  ["both are refused", SERVER_ERROR, SERVER_ERROR],
  ["neither gets there", NEVER_SENT, NEVER_SENT],
  ["the older rows are refused, the answer to the newer gets lost", SERVER_ERROR, ANSWER_LOST],
] as const)(
  "a backlog in pairs is stored whole, once, with its latest values: %s",
  async (strategy, first, second) => {
    let gate: Gate | undefined;
    const seen = (database: ConnectedDatabase) => {
      gate = new Gate(database.sender, [first, second]);
      return { ...database, sender: gate };
    };
    const t = await openTestPipeline(questdb, { writer: { frameRowsMax: PUSH_ROWS }, seen });
    const firstUs = Date.now() * 1000 - ROWS;
    const push = async (fromUs: number, strength: number) => {
      const rows = Array.from({ length: PUSH_ROWS }, (_, n) => ({
        ...{ ts: fromUs + n, strategy, exchange: "okx", symbol: "BTC/USDT:USDT" },
        ...{ event_id: "e", indicator: "rsi", signal: "buy", strength },
      }));
      expect((await t.pipeline.intake.accept("signals", rows)).accepted).toBe(PUSH_ROWS);
    };
    for (let at = firstUs; at < firstUs + ROWS; at += PUSH_ROWS) await push(at, 1);
    // Replaces rows that wait before them: these two must not go at once with what they replace.
    await push(firstUs + ROWS - 2 * PUSH_ROWS, 2);
    await push(firstUs + ROWS - PUSH_ROWS, 3);
    gate?.open();
    await until("delivery", () => t.pipeline.spool.pending().length === 0);
    expect(gate?.pairs).toBeGreaterThan(0);
    const counts = () =>
      t.database.sql.query<{ strength: number; n: number }>(
        "SELECT strength, count() AS n FROM signals WHERE strategy = $1 GROUP BY strength ORDER BY strength",
        [strategy],
      );
    const latest = [
      { strength: 1, n: ROWS - 2 * PUSH_ROWS },
      { strength: 2, n: PUSH_ROWS },
      { strength: 3, n: PUSH_ROWS },
    ];
    const total = async () => (await counts()).reduce((sum, { n }) => sum + n, 0) === ROWS;
    await until("all rows", async () => (await total()) && (await counts()).length === 3);
    await until("the latest values", async () => JSON.stringify(await counts()) === JSON.stringify(latest));
    const { written, deadLettered } = t.pipeline.ledger.counts("signals");
    expect({ written, deadLettered }).toEqual({ written: ROWS + 2 * PUSH_ROWS, deadLettered: 0 });
  },
);
