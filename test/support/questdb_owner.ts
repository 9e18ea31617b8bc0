// A process that finds or starts a QuestDB, reports it, and lives until it is killed or told to stop by SIGTERM.
// Run by tests through questdb_child.ts.
import * as z from "zod";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { findQuestdb } from "../../ingest/questdb/local.ts";

const Input = z.object({
  root: z.string(),
  version: z.string(),
  start: z.enum(["java", "docker"]).default("java"),
});

const { root, version, start } = Input.parse(JSON.parse(process.argv[2] ?? ""));
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort(new Error("told to stop")));
const questdb = await findQuestdb(
  {
    questdb: { start, version, httpPort: 0, pgPort: 0 },
    root,
    env: process.env,
    clock: systemClock(),
    log: createLog({ level: "info", format: "text" }),
    onProgress: () => undefined,
  },
  stopping.signal,
);
console.log(JSON.stringify({ http: questdb.http, pid: questdb.pid, started: questdb.started }));
// Lives on for ever, as the service would: the server's process keeps this one alive.
setInterval(() => undefined, 60_000);
stopping.signal.addEventListener("abort", () => {
  void questdb.stop().then(() => process.exit(0));
});
