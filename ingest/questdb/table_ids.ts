// Which table a name stands for: one that was dropped and made again has another id. Reads only.
import * as z from "zod";
import type { Sql } from "./sql.ts";

const TableRow = z.object({ table_name: z.string(), id: z.number() });

/** Ids of all tables by name, in one cheap query. QuestDB gives an id to one table only, ever. */
export async function readTableIds(sql: Sql, signal?: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.select(TableRow, "SELECT table_name, id FROM tables()", [], signal);
  return new Map(rows.map(({ table_name, id }) => [table_name, id]));
}
