// How QuestDB's tables are doing, from queries that read no data: suspended or not, backlog of the write-ahead log,
// memory pressure, rows. Judges nothing: what deserves an alert is decided elsewhere.
import * as z from "zod";
import type { Sql } from "./sql.ts";
import { readWalProgress } from "./wal_progress.ts";

/** One table at one moment. Figures that an older server does not tell (before 9.3) are null. */
export interface TableHealth {
  readonly table: string;
  /** It takes rows but shows none of them until a person resumes it. */
  readonly suspended: boolean;
  /** Why it is suspended; empty when it is not. */
  readonly suspendReason: string;
  /** Newest committed and newest applied transaction; the difference is the backlog. */
  readonly walTxn: number;
  readonly writerTxn: number;
  /** Rows committed but not yet applied. */
  readonly pendingRows: number | null;
  /** 0 none, 1 less parallelism, 2 waiting for memory. */
  readonly memoryPressure: number | null;
  /** Rows that replaced an earlier one, or were dropped as identical, since the server started. */
  readonly dedupRows: number | null;
  readonly rowCount: number | null;
  /** Rows per transaction: small ones stall the apply. */
  readonly walTxSizeP90: number | null;
  /** Rows written on disk per row received. */
  readonly writeAmpP99: number | null;
}

const figure = z.number().nullish();

const TableRow = z.object({
  table_name: z.string(),
  walEnabled: z.boolean(),
  table_row_count: figure,
  table_memory_pressure_level: figure,
  wal_pending_row_count: figure,
  wal_dedup_row_count_since_start: figure,
  wal_tx_size_p90: figure,
  table_write_amp_p99: figure,
});

/** Health of every WAL table, by name. Errors are those of `Sql`. */
export async function pollTables(sql: Sql, signal?: AbortSignal): Promise<ReadonlyMap<string, TableHealth>> {
  const progress = await readWalProgress(sql, signal);
  const rows = await sql.select(TableRow, "SELECT * FROM tables()", [], signal);
  const health = new Map<string, TableHealth>();
  for (const row of rows) {
    // Made between the two queries, or without WAL: there is nothing to tell.
    const wal = progress.get(row.table_name);
    if (wal === undefined) continue;
    health.set(row.table_name, {
      table: row.table_name,
      suspended: wal.suspended,
      suspendReason: wal.reason,
      walTxn: wal.sequencerTxn,
      writerTxn: wal.writerTxn,
      pendingRows: row.wal_pending_row_count ?? null,
      memoryPressure: row.table_memory_pressure_level ?? null,
      dedupRows: row.wal_dedup_row_count_since_start ?? null,
      rowCount: row.table_row_count ?? null,
      walTxSizeP90: row.wal_tx_size_p90 ?? null,
      writeAmpP99: row.table_write_amp_p99 ?? null,
    });
  }
  return health;
}
