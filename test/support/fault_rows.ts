// The rows of the fault suite's workload: every value follows from the row's number, so that the workload, its journal
// and the oracle need to agree on numbers only. Pure.

/** Who sends a row, and the how-manieth of its table it is for that producer; counts from 1. */
export interface RowNumber {
  readonly table: FaultTable;
  readonly producer: number;
  readonly number: number;
}

/** What all rows of one workload share. */
export interface Workload {
  /** Tells them from all other rows. */
  readonly mark: string;
  /** When it began, µs. */
  readonly startUs: number;
}

/** `signals` and `orders` have one row per number; in `data_gaps` a later number replaces an earlier one of its key. */
export const FAULT_TABLES = ["signals", "orders", "data_gaps"] as const;
export type FaultTable = (typeof FAULT_TABLES)[number];

/** Keys of one producer in `data_gaps`. */
export const GAP_KEYS = 16;

const DAY_US = 86_400_000_000;
const STATUS = ["open", "closed", "backfilled"] as const;

/** The column that holds the mark, by table. */
export const MARK_COLUMN: Readonly<Record<FaultTable, string>> = {
  signals: "strategy",
  orders: "account",
  data_gaps: "exchange",
};

export type FaultRow = Readonly<Record<string, string | number>>;

/** The row as it is sent and as it must be stored. */
export function faultRow({ table, producer, number }: RowNumber, { mark, startUs }: Workload): FaultRow {
  // Rows of two days, by the time a service runs through midnight also of three: several partitions are written.
  const ts = startUs - DAY_US + number * 1_000 + producer;
  // Characters that the line protocol has to escape, and some that need several bytes.
  const id = `${producer} "${number}", =\\é€😀`;
  switch (table) {
    case "signals":
      return {
        ...{ ts, strategy: mark, exchange: `p${producer}`, symbol: symbolOf(number), event_id: id },
        ...{ indicator: `r ${number % 7}, =\\`, signal: number % 2 ? "buy" : "sell" },
        ...{ strength: (number % 101) / 101, price: number },
      };
    case "orders":
      return {
        ...{ ts, account: mark, exchange: `p${producer}`, order_id: id, seq: number },
        ...{ symbol: symbolOf(number), side: "sell", order_type: "limit", status: "new" },
        ...{ price: number / 3, amount: producer + 0.1 },
      };
    case "data_gaps": {
      const key = number % GAP_KEYS;
      const start = startUs - 2 * DAY_US + key * 1_000;
      return {
        ...{ ts: start, exchange: mark, symbol: `p${producer}`, dataset: `key ${key}` },
        ...{ gap_end: start + number, duration_s: number / 8, missing_rows: number },
        status: STATUS[number % STATUS.length] ?? "open",
      };
    }
  }
}

/** Which row of the workload a stored row claims to be. */
export function numberOf(table: FaultTable, row: Readonly<Record<string, unknown>>): RowNumber {
  const producer = Number(String(row[table === "data_gaps" ? "symbol" : "exchange"]).slice(1));
  const number = { signals: row["price"], orders: row["seq"], data_gaps: row["missing_rows"] }[table];
  return { table, producer, number: Number(number) };
}

function symbolOf(number: number): string {
  return `${"BTC ETH SOL XRP".split(" ")[number % 4]}/USDT:USDT`;
}
