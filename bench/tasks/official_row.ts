// A ten-column row written with the official Node client, whose sender and whose buffer take the same calls.
import { MARKS, type MarkRow } from "../workload/mark_event.ts";

/** What the client's `Sender` and its buffers have in common. */
export interface OfficialRow {
  table(name: string): OfficialRow;
  symbol(name: string, value: unknown): OfficialRow;
  floatColumn(name: string, value: number): OfficialRow;
  intColumn(name: string, value: number): OfficialRow;
}

/** All but the end of the row, which is the caller's `at()`. */
export function writeOfficialRow(target: OfficialRow, row: MarkRow): void {
  target
    .table(MARKS.name)
    .symbol("exchange", row.exchange)
    .symbol("symbol", row.symbol)
    .symbol("side", row.side)
    .floatColumn("price", row.price)
    .floatColumn("amount", row.amount)
    .floatColumn("mark", row.mark)
    .floatColumn("index", row.index)
    .floatColumn("rate", row.rate)
    .intColumn("id", row.id);
}
