// Request bodies for the gateway: NDJSON of the table `pnl`, the shipped one that is nearest to the ten-column row of the other
// figures (nine columns, about 180 bytes a row on QuestDB's wire). The digits of each `ts` can be renewed in place.
import { RandomStream } from "../../ingest/demo/simulator/random.ts";
import { ACCOUNTS, STRATEGY_NAMES } from "./w90/portfolio.ts";
import { decimals } from "./w90/stream.ts";

export const NDJSON_TABLE = "pnl";

export interface NdjsonBody {
  readonly rows: number;
  /** The first `rows` rows with rising times from `firstUs` on. Shares memory with the body: one request at a time. */
  stamped(firstUs: number, rows: number): Buffer;
}

/** A time of sixteen digits, as all of this century are. */
const PLACEHOLDER = "1000000000000000";
const PREFIX = '{"ts":';

/** `count` bodies of about `bytes` bytes with different values. */
export function pnlBodies(bytes: number, count: number): NdjsonBody[] {
  const random = new RandomStream(1, "ndjson");
  return Array.from({ length: count }, () => bodyOf(linesOf(bytes, random)));
}

function linesOf(bytes: number, random: RandomStream): string[] {
  const lines: string[] = [];
  for (let length = 0; length < bytes; length += lines.at(-1)?.length ?? 0) lines.push(lineOf(random));
  return lines;
}

function lineOf(random: RandomStream): string {
  const realized = decimals(5_000 * random.normal(), 4);
  const unrealized = decimals(800 * random.normal(), 4);
  const equity = decimals(100_000 + realized + unrealized, 4);
  const peak = decimals(equity * (1 + 0.02 * random.next()), 4);
  const row = {
    account: ACCOUNTS[Math.floor(random.next() * ACCOUNTS.length)],
    strategy: STRATEGY_NAMES[Math.floor(random.next() * STRATEGY_NAMES.length)],
    currency: "USDT",
    realized_pnl: realized,
    unrealized_pnl: unrealized,
    equity,
    peak_equity: peak,
    drawdown: decimals(equity / peak - 1, 6),
  };
  return `${PREFIX}${PLACEHOLDER},${JSON.stringify(row).slice(1)}\n`;
}

function bodyOf(lines: readonly string[]): NdjsonBody {
  const buffer = Buffer.from(lines.join(""));
  const starts = new Uint32Array(lines.length + 1);
  for (const [index, line] of lines.entries()) starts[index + 1] = (starts[index] ?? 0) + line.length;
  return {
    rows: lines.length,
    stamped(firstUs, rows) {
      for (let row = 0; row < rows; row++) {
        let rest = firstUs + row;
        const first = (starts[row] ?? 0) + PREFIX.length;
        for (let at = first + PLACEHOLDER.length - 1; at >= first; at--) {
          const tenth = Math.floor(rest / 10);
          buffer[at] = 0x30 + rest - 10 * tenth;
          rest = tenth;
        }
      }
      return buffer.subarray(0, starts[rows]);
    },
  };
}
