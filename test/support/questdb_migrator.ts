// A process that migrates once and reports, or waits to be killed on the way. Run by tests through questdb_child.ts.
import * as z from "zod";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { migrate } from "../../ingest/questdb/migrate.ts";
import { openSql } from "../../ingest/questdb/sql.ts";
import { sampleEvent } from "./questdb_events.ts";

const Input = z.object({
  pg: z.object({
    host: z.string(),
    port: z.number(),
    database: z.string(),
    user: z.string(),
    password: z.string(),
  }),
  tables: z.array(z.string()),
  migrationsDir: z.string(),
  deadAfterMs: z.number(),
});

const { pg, tables, migrationsDir, deadAfterMs } = Input.parse(JSON.parse(process.argv[2] ?? ""));
const sql = openSql(pg);
const report = await migrate(
  sql,
  tables.map(sampleEvent),
  {
    ttlDaysByTable: new Map(),
    migrationsDir,
    log: createLog({ level: "info", format: "text" }),
    clock: systemClock(),
    beatMs: 50,
    deadAfterMs,
  },
  new AbortController().signal,
);
await sql.close();
console.log(JSON.stringify(report));
