// Protects what a user sees of one run of the program: where everything is, that it answers, and that it stops, in order
// or at once, without losing what it has acknowledged.
import { existsSync } from "node:fs";
import { mkdir, readFile, rmdir } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Sql } from "../../ingest/questdb/sql.ts";
import { type QuestdbInstance, startQuestdbInstance } from "../support/questdb_instance.ts";
import { testSql } from "../support/questdb_sql.ts";
import { until } from "../support/questdb_until.ts";
import { startLoad } from "../support/service_load.ts";
import { type ServicePlace, type ServiceProcess, servicePlace } from "../support/service_process.ts";
import { byTable, delivered, metricsText, provesEveryRowOnce } from "../support/service_proof.ts";

let questdb: QuestdbInstance;
beforeAll(async () => {
  questdb = await startQuestdbInstance({ keep: true });
});
afterAll(() => questdb.remove());

const LONG_MS = 180_000;

async function eventsOf({ instance }: ServicePlace, sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query<{ event: string }>(
    "SELECT event FROM daemon_events WHERE instance = $1 ORDER BY ts",
    [instance],
  );
  return rows.map((row) => row.event);
}

async function answerOf(url: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await fetch(url);
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.includes("json");
  return { status: answer.status, body: isJson ? JSON.parse(text) : text };
}

test("a run.json that cannot be written keeps nobody from recording, and is there as soon as it can be", {
  timeout: LONG_MS,
}, async () => {
  const place = await servicePlace({ questdb });
  const inTheWay = join(place.dataDir, "run.json.tmp");
  await mkdir(inTheWay, { recursive: true });
  const service = await place.run();
  await until("the service to take rows", async () => {
    const answer = await fetch(`${place.http}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  });
  expect(existsSync(join(place.dataDir, "run.json"))).toBe(false);
  expect(service.stderr()).toContain("run.json could not be written");
  await rmdir(inTheWay);
  await service.ready();
  service.kill("SIGTERM");
  expect(await service.ended).toEqual({ code: 0, signal: null });
});

test("a run says where everything is, answers there, and SIGTERM ends it in order with every row delivered", {
  timeout: LONG_MS,
}, async () => {
  const sql = testSql(questdb.pg);
  const place = await servicePlace({ questdb });
  const beforeMs = Date.now();
  const service = await place.run();
  await service.ready();

  const info = JSON.parse(await readFile(join(place.dataDir, "run.json"), "utf8"));
  const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  const pg = `${questdb.pg.host}:${questdb.pg.port}`;
  expect(info).toEqual({
    ...{ pid: service.pid, version, http: place.http, startedAt: expect.any(String) },
    questdb: { http: questdb.http, pg, version: questdb.version, pid: null },
  });
  expect(new Date(info.startedAt).toISOString().slice(0, 23)).toBe(info.startedAt.slice(0, 23));
  expect(Date.parse(info.startedAt)).toBeGreaterThanOrEqual(beforeMs);
  expect(Date.parse(info.startedAt)).toBeLessThanOrEqual(Date.now());
  for (const address of [`${place.http}/metrics`, `${place.http}/v1/tables`, questdb.http])
    expect(service.stdout()).toContain(address);

  expect(await answerOf(`${place.http}/livez`)).toEqual({ status: 200, body: { status: "alive" } });
  expect(await answerOf(`${place.http}/readyz`)).toEqual({
    status: 200,
    body: {
      ...{ state: "running", ready: true, problems: [] },
      questdb: { up: true, since: expect.any(Number) },
    },
  });
  expect(await answerOf(`${place.http}/openapi.json`)).toMatchObject({
    status: 200,
    body: { openapi: expect.stringMatching(/^3\.1/), info: { version } },
  });
  const metrics = await metricsText(place.http);
  expect(byTable(metrics, "tickwatch_rows_accepted_total").get("daemon_events")).toBe(1);
  expect(metrics).toMatch(/^process_resident_memory_bytes \d/m);

  const load = startLoad({ http: place.http, mark: place.instance, seed: 1 });
  await load.acknowledges(1_000);
  await load.stop();
  const askedMs = performance.now();
  service.kill("SIGTERM");
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - askedMs).toBeLessThan(10_000);
  const [, written] =
    /^stopped; (\d+) rows written since the start, none waits$/m.exec(service.stdout()) ?? [];
  expect(Number(written)).toBeGreaterThanOrEqual(load.acknowledged.size + 2);
  expect(existsSync(join(place.dataDir, "run.json"))).toBe(false);
  expect(await place.family.members()).toEqual([]);
  await delivered(sql);
  expect(await eventsOf(place, sql)).toEqual(["started", "stopped"]);
  await provesEveryRowOnce(sql, load);
});

/** A request that never ends: an ordered stop waits for it for a while. */
function unfinishedRequest({ httpPort }: ServicePlace): Promise<void> {
  const headers = { "content-type": "application/x-ndjson", "content-length": 1_000, expect: "100-continue" };
  const pending = request({ port: httpPort, method: "POST", path: "/v1/events/signals", headers });
  onTestFinished(() => void pending.destroy());
  // It is cut off in the end, as it has to be.
  pending.on("error", () => undefined);
  return new Promise((resolve) => {
    pending.once("continue", () => {
      pending.write("{");
      resolve();
    });
    pending.flushHeaders();
  });
}

/** What a person does whose first Ctrl-C shows no effect. Resolves with the milliseconds until the end. */
async function insist(service: ServiceProcess, signal: "SIGINT" | "SIGTERM"): Promise<number> {
  service.kill(signal);
  await until("the ordered stop to begin", () => service.stderr().includes("stopping…"));
  const beganMs = performance.now();
  await until("the end", () => {
    service.kill(signal);
    return service.hasEnded();
  });
  return performance.now() - beganMs;
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)(
  "a second %s ends it at once with exit code %i, and the next run delivers every acknowledged row",
  {
    timeout: LONG_MS,
  },
  async (signal, code) => {
    const sql = testSql(questdb.pg);
    // Nothing is delivered by itself, so that the rows are in the spool alone.
    const writer = { lingerMinMs: 60_000, lingerMaxMs: 60_000 };
    const place = await servicePlace({ questdb, config: { writer } });
    const service = await place.run();
    await service.ready();
    const load = startLoad({ http: place.http, mark: place.instance, seed: 2 });
    await load.acknowledges(1_000);
    await load.stop();
    await unfinishedRequest(place);
    const insistedMs = await insist(service, signal);
    expect(await service.ended).toEqual({ code, signal: null });
    expect(insistedMs).toBeLessThan(1_500);
    expect(service.stdout()).not.toContain("stopped;");

    const next = await place.run();
    await next.ready();
    next.kill("SIGTERM");
    expect(await next.ended).toEqual({ code: 0, signal: null });
    await delivered(sql);
    await provesEveryRowOnce(sql, load);
  },
);
