// Protects the promise to the operator: an exchange that stops is told of within seconds, its return too, and both are
// in the history. TEST_GRAFANA_TICK=default takes Grafana's own tick of 10 s instead of the 2 s of Compose.
import { afterAll, beforeAll, expect, test } from "vitest";
import { percentile } from "../../bench/harness/statistics.ts";
import { readCatalogue, ruleUid } from "../../ingest/alerting/catalogue.ts";
import { until } from "../support/questdb_until.ts";
import { cli } from "../unit/cli_fixture.ts";
import { RULE, stops, type TryResult, tryStop } from "./alert_tries.ts";
import { type DemoStack, startDemoStack } from "./demo_stack.ts";
import type { RuleState } from "./grafana_api.ts";
import type { Tick } from "./grafana_server.ts";
import { findEquipment } from "./installation.ts";

const TICK: Tick = process.env["TEST_GRAFANA_TICK"] === "default" ? "default" : "2s";
const LIMIT_MS: Readonly<Record<Tick, number>> = { "2s": 5_000, default: 15_000 };
const TRIES = 10;

let stack: DemoStack;
const results: TryResult[] = [];

beforeAll(async () => {
  const { grafana } = await findEquipment();
  stack = await startDemoStack(grafana, TICK);
});
afterAll(() => stack?.stop());

test("every rule of the catalogue is evaluated and healthy", async () => {
  const expected = readCatalogue().rules.map(({ name }) => ruleUid(name));
  const rules = await until(
    "every rule to be evaluated",
    async () => {
      const found = await stack.grafana.api.rules();
      const isOld = ({ lastEvaluation = "0001" }: RuleState) => !lastEvaluation.startsWith("0001");
      return found.length >= expected.length && found.every(isOld) && found;
    },
    90_000,
  );
  expect(rules.map(({ uid }) => uid)).toEqual(expect.arrayContaining(expected));
  const unhealthy = rules.filter(({ health }) => health !== "ok");
  expect(stack.grafana.log()).not.toContain("Error in expanding template");
  expect(unhealthy.map(({ name, health, lastError }) => ({ name, health, lastError }))).toEqual([]);
});

test(`a stopped exchange is told of within ${LIMIT_MS[TICK] / 1000} s, and so is its return`, async () => {
  await until("all channels to be connected", async () => {
    const rows = await stack.sql.query<{ state: string }>(
      "SELECT state FROM connections LATEST ON ts PARTITION BY exchange, channel",
    );
    return rows.length === 4 && rows.every(({ state }) => state === "connected");
  });
  for (const stop of stops(TRIES)) {
    const result = await tryStop(stack, stop);
    results.push(result);
    const { venue, channel = "all", firedMs, resolvedMs } = result;
    console.log(
      `${venue} ${channel}: told after ${inS(firedMs)} s, of its return after ${inS(resolvedMs)} s`,
    );
  }
  const fired = results.flatMap(({ firedMs }) => firedMs);
  const resolved = results.flatMap(({ resolvedMs }) => resolvedMs);
  const summary = (values: readonly number[]) =>
    `p50 ${inS([percentile(values, 0.5) ?? 0])} s, p95 ${inS([percentile(values, 0.95) ?? 0])} s, longest ${inS([Math.max(...values)])} s`;
  console.log(`tick ${TICK}: told after ${summary(fired)}; of the return after ${summary(resolved)}`);
  expect(percentile(fired, 0.95)).toBeLessThan(LIMIT_MS[TICK]);
});

test("each alert and its end are in the history, with who was told", async () => {
  const expected = new Set(results.flatMap(({ fingerprints }) => fingerprints));
  expect(expected.size).toBe(4);
  const rows = await until("firing and resolved rows of every alert", async () => {
    const found = await stack.sql.query<{
      fingerprint: string;
      state: string;
      severity: string;
      started_at: number | null;
      ended_at: number | null;
    }>(
      `SELECT fingerprint, state, severity, started_at, ended_at FROM alerts WHERE rule = '${RULE}' ORDER BY ts`,
    );
    const states = new Set(found.map(({ fingerprint, state }) => `${fingerprint} ${state}`));
    const wanted = [...expected].flatMap((print) => [`${print} firing`, `${print} resolved`]);
    return wanted.every((key) => states.has(key)) && found;
  });
  const firings = rows.filter(({ state }) => state === "firing");
  const times = results.reduce((sum, { fingerprints }) => sum + new Set(fingerprints).size, 0);
  expect(firings.length, "one row for each time").toBe(times);
  for (const row of rows) {
    expect(row.severity).toBe("critical");
    expect(row.started_at).not.toBeNull();
    if (row.state === "resolved") expect(row.ended_at).toBeGreaterThan(row.started_at ?? Infinity);
  }
});

test("a message says what, where, since when, how much and where to look; the end of it says until when", () => {
  const notices = stack.webhook.received.filter(({ labels }) => labels["alertname"] === RULE);
  const fired = notices.find(({ status }) => status === "firing");
  expect(fired?.annotations).toMatchObject({
    summary: `${fired?.labels["exchange"]} ${fired?.labels["channel"]} is disconnected`,
    value: expect.stringMatching(/^\d+s$/),
    runbook_url: "docs/runbook.md#exchangedisconnected",
  });
  const { exchange, channel } = fired?.labels ?? {};
  expect(fired?.message).toContain(
    `${exchange} ${channel} is disconnected\nWhere: channel ${channel}, exchange ${exchange}\n`,
  );
  for (const part of [
    /^Since: 20.* UTC$/m,
    /^Value: \d+s$/m,
    /^Dashboard: http.*viewPanel=\d+$/m,
    /^Runbook: /m,
  ])
    expect(fired?.message).toMatch(part);
  expect(fired?.message).toContain(`tickwatch alerts ack ${fired?.fingerprint}`);
  const over = notices.find(({ status }) => status === "resolved");
  expect(over?.message).toMatch(/^ExchangeDisconnected is over$/m);
  expect(over?.message).toMatch(/^Until: 20.* UTC$/m);
});

test("tickwatch notify test reaches every channel, and leaves no row in the history", async () => {
  const run = await cli(["notify", "test"], {
    env: { GRAFANA_URL: stack.grafana.url, GRAFANA_ADMIN_PASSWORD: stack.grafana.password },
  });
  expect(run).toMatchObject({ code: 0, out: "history: delivered\nwebhook: delivered" });
  expect(stack.webhook.received.map(({ labels }) => labels["alertname"])).toContain("TickwatchTest");
  const rows = await stack.sql.query("SELECT rule FROM alerts WHERE rule = 'TickwatchTest'");
  expect(rows).toEqual([]);
});

test("what nobody acknowledges goes to the next channel, until somebody does", async () => {
  const startsAt = new Date(Date.now() - 20 * 60_000).toISOString();
  const labels = { alertname: "MadeUp", severity: "critical", exchange: "nowhere" };
  const alerts = [{ status: "firing", labels, startsAt, fingerprint: "made-up" }];
  const post = (path: string, body: unknown) =>
    fetch(`${stack.place.http}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  expect((await post("/v1/alerts", { alerts })).status).toBe(202);
  const told = (status: string) =>
    until(
      `the next channel to be told: ${status}`,
      () =>
        stack.webhook.received.find(
          (one) => one.status === status && one.labels["fingerprint"] === "made-up",
        ),
      90_000,
    );
  const escalated = await told("firing");
  expect(escalated.labels).toMatchObject({ alertname: "AlertUnacknowledged", rule: "MadeUp" });
  expect(escalated.message).toContain("tickwatch alerts ack made-up");
  expect((await post("/v1/alerts/made-up/ack", {})).status).toBe(200);
  await told("resolved");
});

function inS(values: readonly number[]): string {
  return values.map((ms) => (ms / 1000).toFixed(1)).join(", ");
}
