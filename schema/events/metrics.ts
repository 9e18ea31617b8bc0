import { derived, double, optional, symbol, varchar } from "../columns.ts";
import { contentId } from "../content_id.ts";
import { defineEvent } from "../define.ts";

function labelsHash(row: Readonly<Record<string, unknown>>): string {
  return contentId([row["labels"] ?? "", row["exchange"], row["symbol"], row["strategy"], row["instance"]]);
}

export const metrics = defineEvent({
  name: "metrics",
  why: "Any other measurement, so that nothing needs a new table to be seen.",
  sampling: "as the source sends it",
  keys: ["name", "source", "labels_hash"],
  columns: {
    name: symbol("Name of the measurement, unit last."),
    source: symbol("Who measured."),
    labels_hash: derived(
      symbol("Tells series of one name apart; made from the labels when absent."),
      labelsHash,
    ),
    value: double("The measured value."),
    labels: optional(varchar("Labels as JSON, keys sorted.")),
    exchange: optional(symbol("CCXT id of the exchange, if it is about one.")),
    symbol: optional(symbol("CCXT unified symbol, if it is about one.")),
    strategy: optional(symbol("Strategy, if it is about one.")),
    instance: optional(symbol("Process, if it is about one.")),
  },
});
