// Event definitions for tests of migrations and drift: like a real one, under a name of the test's own.
import { boolean, double, long, optional, symbol, timestamp, uuid, varchar } from "../../schema/columns.ts";
import { defineEvent } from "../../schema/define.ts";

/** One column of every type; keys: exchange, fill_id. */
export function sampleEvent(name: string) {
  return defineEvent({
    name,
    why: "a table for a test",
    sampling: "never",
    keys: ["exchange", "fill_id"],
    columns: {
      exchange: symbol("an exchange"),
      fill_id: varchar("an id"),
      price: double("a price"),
      amount: optional(long("an amount")),
      is_maker: boolean("a flag"),
      trace: optional(uuid("a trace")),
      seen_ts: optional(timestamp("a time")),
    },
  });
}
