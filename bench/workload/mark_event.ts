// The ten-column row of the speed figures: three symbols, five doubles, a long, a ts; about 174 bytes on the wire, DEDUP on.
// Known to the benchmarks alone; the shipped tables are what `sustained` and the 90-day workload write.
import { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { double, long, oneOf, symbol } from "../../schema/columns.ts";
import { defineEvent, type EventDefinition, type InputOf } from "../../schema/define.ts";
import { W90_COINS } from "./w90/coins.ts";
import { EXCHANGES } from "./w90/exchanges.ts";
import { W90Market } from "./w90/market.ts";

const columns = {
  exchange: symbol("CCXT id of the exchange."),
  symbol: symbol("CCXT unified symbol."),
  side: oneOf(["buy", "sell"], "Side."),
  price: double("Price in quote currency."),
  amount: double("Size in base currency."),
  mark: double("Mark price."),
  index: double("Index price."),
  rate: double("Funding rate."),
  id: long("Number of the trade."),
};

/** A row as a producer hands it over. */
export type MarkRow = { -readonly [K in keyof InputOf<typeof columns>]: InputOf<typeof columns>[K] };

export const MARKS: EventDefinition = defineEvent({
  name: "bench_marks",
  why: "How fast is it?",
  sampling: "as fast as it goes",
  keys: ["exchange", "symbol"],
  columns,
});

/** Rows with the values of a market. Their times are to be set by `stamp`. */
export function markRows(count: number, seed: number): MarkRow[] {
  const random = new RandomStream(seed, "marks");
  const market = new W90Market(seed);
  return Array.from({ length: count }, (_, index): MarkRow => {
    if (index % 250 === 0) market.step();
    const coin = Math.floor(random.next() * W90_COINS.length);
    const exchange = Math.floor(random.next() * EXCHANGES.length);
    const price = market.markPrice(exchange, coin);
    return {
      // A number of the size that will be there: the engine then keeps one layout for all rows.
      ts: 1e15 + index,
      exchange: EXCHANGES[exchange] ?? "",
      symbol: W90_COINS[coin]?.symbol ?? "",
      side: random.next() < 0.5 ? "buy" : "sell",
      price,
      amount: market.lots(coin, 2_000 * random.exponential(1)),
      mark: market.markPrice(exchange, coin),
      index: market.indexPrice(coin),
      rate: market.fundingRate(exchange, coin),
      id: 100_000_000 + index,
    };
  });
}

/** Gives rows rising times, one microsecond apart from `firstUs` on: no two rows of a table share one. */
export function stamp(rows: readonly { ts: number }[], firstUs: number): void {
  let ts = firstUs;
  for (const row of rows) row.ts = ts++;
}
