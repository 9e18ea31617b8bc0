// Protects what a newcomer sees first: the demo fills every table within a minute, its figures agree with QuestDB, it
// records the loss of its exchanges and recovers by itself, and Ctrl-C leaves nothing running.
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import { loadCredentials } from "../../ingest/questdb/credentials.ts";
import { findQuestdb } from "../../ingest/questdb/local.ts";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { type RunInfo, readRunFile } from "../../ingest/run_file.ts";
import { EVENTS } from "../../schema/registry.ts";
import { ownQuestdbChoice, quickStartEnv } from "../support/questdb_choice.ts";
import { testSql } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";
import { type ServicePlace, servicePlace } from "../support/service_process.ts";
import { byTable, metricsText } from "../support/service_proof.ts";

const TABLES = EVENTS.map((event) => event.name);
/** A gap's row is replaced while it grows: it is written more often than it is there. */
const REPLACED = ["data_gaps"];

/** Where the demo keeps what is its own, apart from recorded data. */
function questdbRoot({ dataDir }: ServicePlace): string {
  return join(dataDir, "demo", "questdb");
}

async function sqlOf(place: ServicePlace, { questdb }: RunInfo): Promise<Sql> {
  const { user, password } = await loadCredentials(questdbRoot(place));
  const [host = "", port] = questdb.pg.split(":");
  return testSql({ host, port: Number(port), database: "qdb", user, password });
}

async function rowCounts(sql: Sql): Promise<ReadonlyMap<string, number>> {
  const selects = TABLES.map((table) => `SELECT '${table}' AS name, count() AS n FROM ${table}`);
  const rows = await sql.query<{ name: string; n: number }>(selects.join(" UNION ALL "));
  return new Map(rows.map(({ name, n }) => [name, n]));
}

/** Every table shows, at some moment at which nothing is written to it, as many rows as /metrics counts. */
async function figuresAgree(sql: Sql, http: string): Promise<void> {
  const open = new Map(TABLES.filter((table) => !REPLACED.includes(table)).map((table) => [table, ""]));
  const written = async () => byTable(await metricsText(http), "tickwatch_rows_written_total");
  await until("the figures to agree", async () => {
    const before = await written();
    const stored = await rowCounts(sql);
    const after = await written();
    for (const table of open.keys()) {
      const figures = [before, stored, after].map((values) => values.get(table));
      if (new Set(figures).size === 1) open.delete(table);
      else open.set(table, figures.join(", "));
    }
    return open.size === 0;
  }).catch(() => undefined);
  expect(open, "tables with: written, stored, written").toEqual(new Map());
}

/** The change of state of each channel since `afterUs`, in order of time. */
async function changes(sql: Sql, { instance }: ServicePlace, afterUs: number) {
  return await sql.query<{
    ts: number;
    channel: string;
    state: string;
    reason: string;
    downtime_ms: number | null;
  }>(
    `SELECT ts, exchange || ' ' || channel AS channel, state, reason, downtime_ms FROM connections
     WHERE instance = $1 AND ts > $2 ORDER BY ts`,
    [instance, afterUs],
  );
}

const CHANNELS = ["binanceusdm rest", "binanceusdm ws:liquidations", "okx rest", "okx ws:liquidations"];

async function untilAllAre(state: string, sql: Sql, place: ServicePlace, afterUs: number) {
  return await until(
    `every channel to be ${state}`,
    async () => {
      const now = (await changes(sql, place, afterUs)).filter((change) => change.state === state);
      return new Set(now.map((change) => change.channel)).size === CHANNELS.length && now;
    },
    90_000,
  );
}

async function health(sql: Sql, { instance }: ServicePlace) {
  return await sql.query<{ uptime_s: number; rss_bytes: number; open_fds: number }>(
    "SELECT uptime_s, rss_bytes, open_fds FROM daemon_health WHERE instance = $1 AND daemon = 'tickwatch' ORDER BY ts",
    [instance],
  );
}

test("the demo fills every table, agrees with its metrics, survives the loss of its exchanges, and Ctrl-C ends all of it", {
  timeout: 300_000,
}, async () => {
  const place = await servicePlace({ command: "demo" });
  const service = await place.run();
  const info = await service.ready();
  const sql = await sqlOf(place, info);
  await until(
    "rows in every table",
    async () => [...(await rowCounts(sql)).values()].every((n) => n > 0),
    90_000,
  );
  await figuresAgree(sql, place.http);

  const killedUs = Date.now() * 1000;
  process.kill(info.simulator?.pid ?? 0, "SIGKILL");
  const lost = await untilAllAre("disconnected", sql, place, killedUs);
  for (const { reason } of lost) expect(reason).toMatch(/ECONNREFUSED|ECONNRESET|closed with code 1006/);
  const found = await untilAllAre("connected", sql, place, killedUs);
  for (const { ts, channel, downtime_ms } of found) {
    const since = lost.find((change) => change.channel === channel)?.ts ?? 0;
    // Away for 30 s, and then for as long as starting again and connecting again take.
    expect(downtime_ms).toBeGreaterThan(28_000);
    expect(downtime_ms).toBeLessThan(60_000);
    expect(Math.abs((ts - since) / 1000 - (downtime_ms ?? 0)), channel).toBeLessThan(2_000);
  }
  const { simulator, ...rest } = info;
  const now = await until("run.json to have the new simulator", async () => {
    const read = await readRunFile(place.dataDir);
    return read?.simulator?.pid !== simulator?.pid && read;
  });
  expect(now).toEqual({ ...rest, simulator: { ...simulator, pid: expect.any(Number) } });
  const backUs = Math.max(...found.map((change) => change.ts));
  await until("data of both exchanges again", async () => {
    const query = "SELECT exchange FROM open_interest WHERE ts > $1 GROUP BY exchange";
    return (await sql.query(query, [backUs])).length === 2;
  });
  await figuresAgree(sql, place.http);
  const metrics = await metricsText(place.http);
  for (const name of ["tickwatch_rows_rejected_total", "tickwatch_rows_dead_lettered_total"])
    expect([...byTable(metrics, name).values()].filter((rows) => rows > 0)).toEqual([]);
  const [, ...samples] = await health(sql, place);
  expect(Math.max(...samples.map((sample) => sample.rss_bytes))).toBeLessThan(300e6);
  expect(Math.max(...samples.map((sample) => sample.open_fds))).toBeLessThan(80);

  const askedMs = performance.now();
  service.interrupt();
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - askedMs).toBeLessThan(10_000);
  expect(service.stdout()).toMatch(/^stopped; \d+ rows written since the start, none waits$/m);
  expect(await place.family.members()).toEqual([]);
  expect(await readRunFile(place.dataDir)).toBeUndefined();
  expect(await lastEvents(place)).toEqual([
    { daemon: "demo-trader", event: "stopped" },
    { daemon: "tickwatch", event: "stopped" },
  ]);
});

/** What each daemon told last, read from the tables that the demo has left. */
async function lastEvents(place: ServicePlace) {
  const log = createLog({ level: "silent", format: "json" });
  const env = { ...quickStartEnv(), ...place.family.env };
  const questdb = await findQuestdb(
    {
      questdb: { ...ownQuestdbChoice(), start: "java" },
      ...{ root: questdbRoot(place), env, clock: systemClock(), log, onProgress: () => undefined },
    },
    new AbortController().signal,
  );
  onTestFinished(() => questdb.stop());
  return await testSql(questdb.pg).query(
    "SELECT daemon, event FROM daemon_events LATEST ON ts PARTITION BY daemon ORDER BY daemon",
  );
}
