// Messages of Grafana's webhook become rows of `alerts`, each change once, and acknowledgements do; whatever else comes
// is answered in words.
import { describe, expect, test } from "vitest";
import type { AlertState } from "../../ingest/alerting/alert_states.ts";
import { TickwatchError } from "../../ingest/errors.ts";
import { microsToIso } from "../../schema/timestamp_text.ts";
import { startTestGateway, type TestGateway } from "./gateway_fixture.ts";

const STARTED_US = Math.floor(Date.now() / 1000) * 1_000_000 - 60_000_000;
const FINGERPRINT = "2f9cdb4b7d2f1b0e";

type Fields = Readonly<Record<string, unknown>>;

/** One alert as Grafana 13 sends it. */
function alert(more: Fields = {}): Fields {
  return {
    status: "firing",
    labels: {
      alertname: "ExchangeDown5m",
      channel: "rest",
      exchange: "okx",
      grafana_folder: "tickwatch alerts",
      severity: "critical",
    },
    annotations: { summary: "okx rest has been away for 5m 0s", runbook_url: "docs/runbook.md" },
    startsAt: microsToIso(STARTED_US),
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "http://127.0.0.1:3000/alerting/grafana/tickwatch-exchange-down-5m/view?orgId=1",
    fingerprint: FINGERPRINT,
    silenceURL: "",
    dashboardURL: "",
    panelURL: "",
    values: { A: 301, C: 1 },
    valueString: "[ var='A' labels={} value=301 ]",
    orgId: 1,
    ...more,
  };
}

function resolved(afterS: number, more: Fields = {}): Fields {
  const endsAt = microsToIso(STARTED_US + afterS * 1_000_000);
  return alert({ status: "resolved", endsAt, values: { A: 0, C: 0 }, ...more });
}

function message(alerts: readonly Fields[] | null, more: Fields = {}): Fields {
  return {
    receiver: "tickwatch-history",
    status: "firing",
    alerts,
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: "http://127.0.0.1:3000/",
    version: "1",
    groupKey: "{}:{}",
    truncatedAlerts: 0,
    orgId: 1,
    title: "",
    state: "alerting",
    message: "",
    ...more,
  };
}

function post(gateway: TestGateway, path: string, body?: unknown, headers: Record<string, string> = {}) {
  return gateway.get(path, {
    method: "POST",
    ...(body === undefined
      ? { headers }
      : {
          body: typeof body === "string" ? body : JSON.stringify(body),
          headers: { "content-type": "application/json", ...headers },
        }),
  });
}

const tell = (gateway: TestGateway, ...alerts: Fields[]) => post(gateway, "/v1/alerts", message(alerts));
const rowsOf = (gateway: TestGateway) => gateway.pushed.flatMap(({ rows }) => rows) as Fields[];
const NOTHING = { accepted: 0, rejected: [], rejectedCount: 0, repeated: 0, tests: 0, truncated: 0 };

describe("messages", () => {
  test("a firing alert is a row with the alert's own time", async () => {
    const gateway = await startTestGateway();
    const answer = await tell(gateway, alert());
    expect([answer.status, answer.json]).toEqual([202, { ...NOTHING, accepted: 1 }]);
    expect(gateway.pushed.map(({ table }) => table)).toEqual(["alerts"]);
    expect(rowsOf(gateway)).toEqual([
      {
        ts: STARTED_US,
        fingerprint: FINGERPRINT,
        state: "firing",
        rule: "ExchangeDown5m",
        severity: "critical",
        value: 301,
        labels: '{"channel":"rest","exchange":"okx"}',
        summary: "okx rest has been away for 5m 0s",
        receiver: "tickwatch-history",
        started_at: STARTED_US,
        ended_at: undefined,
        notified_at: expect.any(Number),
      },
    ]);
  });

  test("its end is another row, with both times", async () => {
    const gateway = await startTestGateway();
    await tell(gateway, alert());
    await tell(gateway, resolved(30));
    const endedUs = STARTED_US + 30_000_000;
    expect(rowsOf(gateway)[1]).toMatchObject({
      ts: endedUs,
      state: "resolved",
      started_at: STARTED_US,
      ended_at: endedUs,
    });
  });

  test("what is told again writes nothing, in any order, also after the end", async () => {
    const gateway = await startTestGateway();
    await tell(gateway, alert());
    expect((await tell(gateway, alert({ values: { A: 900, C: 1 } }))).json).toEqual({
      ...NOTHING,
      repeated: 1,
    });
    await tell(gateway, resolved(30));
    expect((await tell(gateway, resolved(30))).json.repeated).toBe(1);
    expect((await tell(gateway, alert())).json.repeated).toBe(1);
    expect(rowsOf(gateway)).toHaveLength(2);
  });

  test("an alert that fires again is a new row", async () => {
    const gateway = await startTestGateway();
    await tell(gateway, alert());
    await tell(gateway, resolved(30));
    const again = await tell(gateway, alert({ startsAt: microsToIso(STARTED_US + 40_000_000) }));
    expect(again.json.accepted).toBe(1);
    expect(rowsOf(gateway)).toHaveLength(3);
  });

  test("what was told before a restart of tickwatch is known from the table", async () => {
    const known: AlertState = {
      ...{ fingerprint: FINGERPRINT, state: "firing", rule: "ExchangeDown5m", severity: "critical" },
      ...{ labels: "{}", summary: null, value: 301, receiver: null },
      ...{ ts: STARTED_US, startedUs: STARTED_US, notifiedUs: STARTED_US + 1 },
    };
    const gateway = await startTestGateway({ findStates: async () => [known] });
    expect((await tell(gateway, alert())).json).toEqual({ ...NOTHING, repeated: 1 });
  });

  test("without QuestDB every message is taken as the first", async () => {
    const gateway = await startTestGateway({ findStates: away });
    expect((await tell(gateway, alert())).json.accepted).toBe(1);
  });

  test("several alerts of one message are taken in one call", async () => {
    const gateway = await startTestGateway();
    const other = alert({ fingerprint: "b", labels: { alertname: "FeedStale", severity: "warning" } });
    const answer = await post(gateway, "/v1/alerts", message([alert(), other], { truncatedAlerts: 3 }));
    expect(answer.json).toEqual({ ...NOTHING, accepted: 2, truncated: 3 });
    expect(gateway.pushed).toHaveLength(1);
  });

  test.each([
    ["Grafana's own test", { labels: { alertname: "TestAlert", instance: "Grafana" } }],
    ["tickwatch notify test", { labels: { alertname: "TickwatchTest", tickwatch_test: "true" } }],
  ])("a test message arrives and leaves no row: %s", async (_, more) => {
    const gateway = await startTestGateway();
    expect((await tell(gateway, alert(more))).json).toEqual({ ...NOTHING, tests: 1 });
    expect(gateway.pushed).toEqual([]);
  });

  test.each<[string, Fields, Fields]>([
    ["an alert about missing data", noData("DatasourceNoData"), { rule: "FeedStale", value: undefined }],
    ["an alert about an error", noData("DatasourceError"), { rule: "FeedStale", severity: "warning" }],
    ["values that are null", { values: null }, { value: null }],
    ["a value that is null", { values: { A: null, C: 1 } }, { value: null }],
    ["what was watched is gone", { values: { A: -1, C: -1 } }, { value: null }],
    ["no annotations", { annotations: null }, { summary: null }],
    ["a time with an offset and nanoseconds", { startsAt: withOffset(STARTED_US) }, { ts: STARTED_US }],
    [
      "an Alertmanager without fingerprints",
      { fingerprint: "" },
      { fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ],
  ])("is taken: %s", async (_, more, row) => {
    const gateway = await startTestGateway();
    expect((await tell(gateway, alert(more))).status).toBe(202);
    expect(rowsOf(gateway)[0]).toMatchObject(
      Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? null])),
    );
  });

  test.each<[string, unknown, RegExp]>([
    ["no message", {}, /alerts/],
    ["an array", [], /JSON object with `alerts`/],
    ["a message of Grafana 8", { ruleId: 1, ruleName: "x", state: "alerting" }, /before version 9/],
    ["a status of its own", message([alert({ status: "pending" })]), /alerts\.0\.status/],
    ["no name", message([alert({ labels: {} })]), /alerts\[0\]: it has no label alertname/],
    ["no time", message([alert({ startsAt: "yesterday" })]), /startsAt "yesterday" is no time/],
    ["resolved, and never ended", message([alert({ status: "resolved" })]), /endsAt .* is no time/],
    ["a number as a label", message([alert({ labels: { alertname: 1 } })]), /alerts\.0\.labels\.alertname/],
  ])("is refused in words: %s", async (_, body, words) => {
    const gateway = await startTestGateway();
    const answer = await post(gateway, "/v1/alerts", body);
    expect(answer.status).toBe(400);
    expect(answer.json.error.code).toBe("message_unreadable");
    expect(answer.json.error.message).toMatch(words);
    expect(gateway.pushed).toEqual([]);
  });

  test("a message without alerts is no mistake", async () => {
    const gateway = await startTestGateway();
    for (const alerts of [null, []])
      expect((await post(gateway, "/v1/alerts", message(alerts))).json).toEqual(NOTHING);
  });

  test("text that is not JSON, and rows of lines, are refused", async () => {
    const gateway = await startTestGateway();
    expect((await post(gateway, "/v1/alerts", "{")).json.error.code).toBe("malformed_json");
    const lines = await post(gateway, "/v1/alerts", message([]), { "content-type": "application/x-ndjson" });
    expect(lines.json.error.code).toBe("malformed_json");
    expect((await post(gateway, "/v1/alerts")).json.error.code).toBe("empty_body");
  });

  test("a full spool is told as for any other row, and the alert is not taken for known", async () => {
    let full = true;
    const gateway = await startTestGateway({
      accept: async () => {
        if (full) throw new TickwatchError("SPOOL_FULL", "full");
        return { accepted: 1, rejected: [] };
      },
    });
    expect((await tell(gateway, alert())).json.error.code).toBe("spool_full");
    full = false;
    expect((await tell(gateway, alert())).json.accepted).toBe(1);
  });

  test("an alert that began before the table's retention is refused with its reason", async () => {
    const rejected = [{ index: 0, reason: "time_too_old" as const, message: "ts is 91 days ago" }];
    const gateway = await startTestGateway({ accept: async () => ({ accepted: 0, rejected }) });
    const answer = await tell(gateway, alert());
    expect([answer.status, answer.json.error.code]).toEqual([400, "all_rows_refused"]);
    expect(answer.json.rejected).toEqual(rejected);
  });
});

describe("acknowledgements", () => {
  const ack = (gateway: TestGateway, body?: unknown, fingerprint = FINGERPRINT) =>
    post(gateway, `/v1/alerts/${fingerprint}/ack`, body);

  test("a note and a name are a row of the same alert", async () => {
    const gateway = await startTestGateway();
    await tell(gateway, alert());
    const answer = await ack(gateway, { note: "restarting it", by: "ana" });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      fingerprint: FINGERPRINT,
      rule: "ExchangeDown5m",
      labels: '{"channel":"rest","exchange":"okx"}',
      acknowledgedAt: expect.stringMatching(/^20\d\d-.*Z$/),
      already: false,
    });
    expect(rowsOf(gateway)[1]).toMatchObject({
      fingerprint: FINGERPRINT,
      state: "acknowledged",
      rule: "ExchangeDown5m",
      severity: "critical",
      started_at: STARTED_US,
      summary: "restarting it",
      receiver: "ana",
    });
  });

  test("it needs no body, and happens once", async () => {
    const gateway = await startTestGateway();
    await tell(gateway, alert());
    const first = await ack(gateway);
    const second = await ack(gateway);
    expect(second.json).toEqual({ ...first.json, already: true });
    expect(rowsOf(gateway)).toHaveLength(2);
  });

  test("a repeated message does not undo it, the end and a new beginning do", async () => {
    const gateway = await startTestGateway();
    await tell(gateway, alert());
    await ack(gateway);
    await tell(gateway, alert());
    expect((await ack(gateway)).json.already).toBe(true);
    await tell(gateway, resolved(3600));
    expect((await ack(gateway)).status).toBe(409);
    await tell(gateway, alert({ startsAt: microsToIso(STARTED_US + 3700 * 1_000_000) }));
    expect((await ack(gateway)).json.already).toBe(false);
  });

  test("what nobody told of is 404; what only QuestDB can know is 503 while it is away", async () => {
    const gateway = await startTestGateway();
    const unknown = await ack(gateway, {}, "nothing");
    expect([unknown.status, unknown.json.error.code]).toEqual([404, "alert_unknown"]);
    expect(unknown.json.error.hint).toContain("alerts list");
    const alone = await startTestGateway({ findStates: away });
    const later = await ack(alone);
    expect([later.status, later.json.error.code]).toEqual([503, "questdb_away"]);
    expect(later.headers.get("retry-after")).toBe("10");
  });

  test.each([[{ not: "x" }], [{ note: 1 }], ["text"], [{ note: "x".repeat(1001) }]])(
    "%j is refused",
    async (body) => {
      const gateway = await startTestGateway();
      await tell(gateway, alert());
      const answer = await ack(gateway, JSON.stringify(body));
      expect([answer.status, answer.json.error.code]).toEqual([400, "message_unreadable"]);
    },
  );

  test("both addresses ask for a key where one is configured", async () => {
    const gateway = await startTestGateway({
      config: { keys: [{ name: "desk", key: "desk-key-0123456789" }] },
    });
    expect((await tell(gateway, alert())).status).toBe(401);
    expect((await ack(gateway)).status).toBe(401);
    const headers = { authorization: "Bearer desk-key-0123456789 " };
    expect((await post(gateway, "/v1/alerts", message([alert()]), headers)).status).toBe(202);
  });
});

async function away(): Promise<never> {
  throw new TickwatchError("DB_UNAVAILABLE", "QuestDB has not answered yet");
}

/** As Grafana names an alert when the rule of that name has no data or an error. */
function noData(alertname: string): Fields {
  return {
    labels: { alertname, rulename: "FeedStale", severity: "warning", datasource_uid: "questdb", ref_id: "A" },
    values: {},
  };
}

function withOffset(micros: number): string {
  return microsToIso(micros + 7_200_000_000).replace("Z", "789+02:00");
}
