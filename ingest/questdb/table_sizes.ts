// How much disk each table takes.
import * as z from "zod";
import type { TableSize } from "../sources/storage_usage.ts";
import type { Sql } from "./sql.ts";
import { quotedText } from "./sql_text.ts";

const SizeRow = z.object({ bytes: z.number().nullable(), partitions: z.number() });

/** Bytes and partitions of each table; a table that does not exist is left out. Errors are those of `Sql`. */
export async function readTableSizes(
  sql: Sql,
  tables: readonly string[],
  signal: AbortSignal,
): Promise<readonly TableSize[]> {
  const sizes: TableSize[] = [];
  // One after the other: the sum of them is no hurry, and connections are few.
  for (const table of tables) {
    const text = `SELECT sum(diskSize) AS bytes, count() AS partitions FROM table_partitions(${quotedText(table)})`;
    const [row] = await sql.select(SizeRow, text, [], signal);
    if (row !== undefined) sizes.push({ table, bytes: row.bytes ?? 0, partitions: row.partitions });
  }
  return sizes;
}
