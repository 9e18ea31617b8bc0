// What a poller does in one slot for one dataset: the calls to make, and how their answers become rows. One task per
// call; a task may be run again in the same slot and then writes the same rows again.
import type { Dataset } from "../../config/schema.ts";
import type { BulkMethod, DatasetPlan, SymbolMethod } from "./capabilities.ts";
import { type CcxtExchange, isRecord } from "./ccxt_exchange.ts";
import { MalformedResponse } from "./classify_error.ts";
import { type AttemptContext, attempt, type Outcome, type Yield } from "./fetch_attempt.ts";
import { LiquidationsSince } from "./liquidations_since.ts";
import type { Marks } from "./marks.ts";
import type { Outbox } from "./outbox.ts";
import { fundingRateRow, hoursOf, type Market, openInterestRow } from "./rows.ts";

export interface FetchTask {
  /** Absent when the call is for all symbols. */
  readonly symbol?: string | undefined;
  /** Makes one attempt. `slotUs` is the `ts` of the rows, where they are observations. */
  readonly run: (slotUs: number) => Promise<Outcome>;
}

export interface TaskContext extends AttemptContext {
  readonly ccxt: CcxtExchange;
  readonly outbox: Outbox;
  readonly marks: Marks;
  /** Hours between charges by symbol, for venues whose rates don't tell. Filled by `fundingIntervalsTask`. */
  readonly intervals: Map<string, number>;
  readonly liquidationsEveryMs: number;
}

type PollPlan = Extract<DatasetPlan, { kind: "bulk" | "per_symbol" }>;

/** The tasks of a dataset for the given markets, of which there must be at least one. */
export function fetchTasks(
  context: TaskContext,
  dataset: Dataset,
  plan: PollPlan,
  markets: readonly Market[],
): readonly FetchTask[] {
  if (dataset === "liquidations") return markets.map((market) => liquidationsTask(context, market));
  const questions = plan.kind === "bulk" ? [forAll(context.ccxt, plan.method, markets)] : [];
  if (plan.kind === "per_symbol") {
    for (const market of markets) questions.push(forOne(context.ccxt, plan.method, market));
  }
  const task = dataset === "open_interest" ? openInterestTask : fundingRatesTask;
  return questions.map((question) => task(context, question));
}

/** Asks for the hours between two charges; no rows of its own. Undefined when the exchange can't tell. */
export function fundingIntervalsTask(
  context: TaskContext,
  markets: readonly Market[],
): FetchTask | undefined {
  const { ccxt, intervals } = context;
  const method = "fetchFundingIntervals";
  if (ccxt.has[method] !== true) return undefined;
  const ask = () => ccxt[method](markets.map(({ symbol }) => symbol));
  const run = async () => {
    const outcome = await attempt(context, { dataset: "funding_rates", method, ask });
    if (outcome.kind !== "ok") return outcome;
    for (const { symbol } of markets) {
      const entry = isRecord(outcome.answer) ? outcome.answer[symbol] : undefined;
      const hours = isRecord(entry) ? hoursOf(entry["interval"]) : undefined;
      if (hours !== undefined) intervals.set(symbol, hours);
    }
    return outcome;
  };
  return { run };
}

/** One call for one or all symbols, and how to find a symbol's entry in the answer. */
interface Question {
  readonly method: string;
  readonly symbol?: string | undefined;
  readonly markets: readonly Market[];
  readonly ask: () => Promise<unknown>;
  readonly entry: (answer: unknown, symbol: string) => unknown;
}

function forAll(ccxt: CcxtExchange, method: BulkMethod, markets: readonly Market[]): Question {
  const symbols = markets.map(({ symbol }) => symbol);
  const ask = () =>
    method === "fetchOpenInterests" ? ccxt.fetchOpenInterests(symbols) : ccxt.fetchFundingRates(symbols);
  const entry = (answer: unknown, symbol: string) => {
    if (!isRecord(answer)) throw new MalformedResponse("the answer is not an object by symbol");
    return answer[symbol];
  };
  return { method, markets, ask, entry };
}

function forOne(ccxt: CcxtExchange, method: SymbolMethod, market: Market): Question {
  const { symbol } = market;
  const ask = () =>
    method === "fetchOpenInterest" ? ccxt.fetchOpenInterest(symbol) : ccxt.fetchFundingRate(symbol);
  return { method, symbol, markets: [market], ask, entry: (answer) => answer };
}

function openInterestTask(context: TaskContext, question: Question): FetchTask {
  const { exchange, outbox, marks } = context;
  const table = "open_interest";
  const run = (slotUs: number) =>
    attempt(
      context,
      { dataset: table, ...question },
      {
        table,
        lane: outbox.open_interest,
        harvest: (answer) =>
          harvest(question, answer, (market, entry) =>
            openInterestRow(slotUs, exchange, market, entry, marks.get(market.symbol)),
          ),
      },
    );
  return { symbol: question.symbol, run };
}

function fundingRatesTask(context: TaskContext, question: Question): FetchTask {
  const { exchange, outbox, marks, intervals } = context;
  const table = "funding_rates";
  const rowOf = (slotUs: number, market: Market, entry: unknown) => {
    const row = fundingRateRow(slotUs, exchange, market, entry, intervals.get(market.symbol));
    if (typeof row?.mark_price === "number") marks.set(market.symbol, row.mark_price);
    return row;
  };
  const run = (slotUs: number) =>
    attempt(
      context,
      { dataset: table, ...question },
      {
        table,
        lane: outbox.funding_rates,
        harvest: (answer) => harvest(question, answer, (market, entry) => rowOf(slotUs, market, entry)),
      },
    );
  return { symbol: question.symbol, run };
}

function liquidationsTask(context: TaskContext, market: Market): FetchTask {
  const { outbox, ccxt, clock, liquidationsEveryMs } = context;
  const { symbol } = market;
  const since = new LiquidationsSince(ccxt.id, market, clock, liquidationsEveryMs);
  const run = async () => {
    const asked = since.ask(ccxt);
    const call = { dataset: "liquidations", method: "fetchLiquidations", symbol, ask: asked.call };
    const table = "liquidations";
    const into = { table, lane: outbox.liquidations, harvest: asked.harvest } satisfies Yield<"liquidations">;
    const outcome = await attempt(context, call, into);
    if (outcome.kind === "ok") asked.done();
    return outcome;
  };
  return { symbol, run };
}

function harvest<Row>(
  { markets, entry }: Question,
  answer: unknown,
  rowOf: (market: Market, entry: unknown) => Row | undefined,
): { rows: readonly Row[]; usable: number; malformed: number } {
  const made = markets.map((market) => rowOf(market, entry(answer, market.symbol)));
  const rows = made.filter((row) => row !== undefined);
  return { rows, usable: rows.length, malformed: made.length - rows.length };
}
