// SQL access and table names for tests on the QuestDB of the run; closes and drops what a test made.
import { randomBytes } from "node:crypto";
import { inject, onTestFinished } from "vitest";
import type { PgAddress } from "../../ingest/questdb/local.ts";
import { openSql, type Sql, type SqlOptions } from "../../ingest/questdb/sql.ts";
import { quotedName } from "../../ingest/questdb/sql_text.ts";

/** Open until the test ends. Without an address: the QuestDB of the run. */
export function testSql(address: PgAddress = inject("questdb").pg, options: Partial<SqlOptions> = {}): Sql {
  const sql = openSql({ ...address, ...options });
  onTestFinished(() => sql.close());
  return sql;
}

/** A name nobody else has; the table, if the test makes it, is dropped when the test ends. */
export function testTable(sql: Sql, prefix: string): string {
  const name = `${prefix}_${randomBytes(4).toString("hex")}`;
  onTestFinished(async () => {
    await sql.query(`DROP TABLE IF EXISTS ${quotedName(name)}`);
  });
  return name;
}
