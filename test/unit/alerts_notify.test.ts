// `tickwatch notify test` against a stand-in with Grafana's answers, those of 13 and those of before: what is asked,
// and what a person is told. That a real Grafana delivers is tested in test/grafana.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { cli, workingFolder } from "./cli_fixture.ts";

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are asserted on, field by field
  readonly body: any;
}

type Answer = readonly [status: number, body: unknown];

const GROUP = "/apis/notifications.alerting.grafana.app";
const RECEIVERS = "/namespaces/default/receivers";

const item = (channel: string, type: string) => ({
  metadata: { name: `id-of-${channel}` },
  spec: {
    title: channel === "empty" ? "empty" : `tickwatch-${channel}`,
    integrations: [
      { uid: `tickwatch-${channel}`, type, version: "v1", settings: { a: 1 }, secureFields: { url: true } },
    ],
  },
});
const LIST: Answer = [
  200,
  { items: [item("empty", "email"), item("history", "webhook"), item("slack", "slack")] },
];

async function grafana(answer: (asked: Asked) => Answer): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const one = await read(request);
    asked.push(one);
    const [status, body] = answer(one);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function read(request: IncomingMessage): Promise<Asked> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  const { method = "", url = "", headers } = request;
  const body = text === "" ? undefined : JSON.parse(text);
  return { method, path: url, authorization: headers.authorization, body };
}

function notify(url: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  return cli(["notify", "test", ...args], { env: { GRAFANA_URL: url, ...env } });
}

const success: Answer = [200, { status: "success", duration: "2ms" }];

test("every contact point of ours is tested, with the secrets that Grafana keeps", async () => {
  const { url, asked } = await grafana(({ method }) => (method === "GET" ? LIST : success));
  const run = await notify(url, [], { GRAFANA_TOKEN: "glsa_secret" });
  expect(run).toMatchObject({ code: 0, out: "history: delivered\nslack: delivered" });
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `GET ${GROUP}/v1beta1${RECEIVERS}`,
    `POST ${GROUP}/v1beta1${RECEIVERS}/id-of-history/test`,
    `POST ${GROUP}/v1beta1${RECEIVERS}/id-of-slack/test`,
  ]);
  for (const { authorization } of asked) expect(authorization).toBe("Bearer glsa_secret");
  expect(asked[2]?.body).toMatchObject({
    integration: { uid: "tickwatch-slack", type: "slack", version: "v1", secureFields: { url: true } },
    alert: { labels: { tickwatch_test: "true" } },
  });
});

test("one that does not arrive is told with Grafana's reason, and the others are tried", async () => {
  const { url } = await grafana(({ method, path }) => {
    if (method === "GET") return LIST;
    return path.includes("history") ? [200, { status: "failure", error: "connection refused" }] : success;
  });
  const run = await notify(url);
  expect(run).toMatchObject({ code: 1, out: "history: not delivered: connection refused\nslack: delivered" });
});

test("one channel alone, by the name that it has in alerts.yaml", async () => {
  const { url, asked } = await grafana(({ method }) => (method === "GET" ? LIST : success));
  expect(await notify(url, ["--channel", "slack"])).toMatchObject({ code: 0, out: "slack: delivered" });
  expect(asked).toHaveLength(2);
  const wrong = await notify(url, ["--channel", "slak"]);
  expect(wrong.code).toBe(2);
  expect(wrong.err).toContain('Grafana has no channel "slak"; did you mean slack?');
});

test("a Grafana before 13 is asked where it has the test", async () => {
  const { url, asked } = await grafana(({ method, path }) => {
    if (path.startsWith(`${GROUP}/v1beta1`)) return [404, { message: "not found" }];
    if (method === "GET") return LIST;
    if (path.startsWith("/apis")) return [404, { message: "not found" }];
    const status = path.includes("receivers/test") ? "ok" : "?";
    return [200, { receivers: [{ grafana_managed_receiver_configs: [{ status }] }] }];
  });
  expect(await notify(url, ["--channel", "slack"])).toMatchObject({ code: 0, out: "slack: delivered" });
  expect(asked.map(({ path }) => path)).toEqual([
    `${GROUP}/v1beta1${RECEIVERS}`,
    `${GROUP}/v0alpha1${RECEIVERS}`,
    `${GROUP}/v0alpha1${RECEIVERS}/id-of-slack/test`,
    "/api/alertmanager/grafana/config/api/v1/receivers/test",
  ]);
  expect(asked[3]?.body.receivers[0]).toMatchObject({
    name: "tickwatch-slack",
    grafana_managed_receiver_configs: [{ uid: "tickwatch-slack", name: "tickwatch-slack", type: "slack" }],
  });
});

test("the failure of a Grafana before 13 is told as well", async () => {
  const { url } = await grafana(({ method, path }) => {
    if (method === "GET") return LIST;
    if (path.startsWith("/apis")) return [404, {}];
    return [
      207,
      { receivers: [{ grafana_managed_receiver_configs: [{ status: "failed", error: "no route" }] }] },
    ];
  });
  const run = await notify(url, ["--channel", "slack"]);
  expect(run).toMatchObject({ code: 1, out: "slack: not delivered: no route" });
});

test.each<[string, Answer, RegExp]>([
  ["a login that is refused", [401, {}], /refuses this login \(401\): set GRAFANA_TOKEN/],
  ["one that Grafana knows but does not allow", [403, {}], /refuses this login \(403\)/],
  ["something that is no Grafana", [404, {}], /too old: this needs 12\.3 or later/],
  ["a Grafana in trouble", [500, { message: "database is locked" }], /answers 500: database is locked/],
  ["contact points that are none of ours", [200, { items: [item("empty", "email")] }], /npm run alerts/],
])("%s is told in words", async (_, answer, words) => {
  const { url } = await grafana(() => answer);
  const run = await notify(url, [], { GRAFANA_ADMIN_PASSWORD: "hush" });
  expect(run.code).toBe(3);
  expect(run.err).toMatch(words);
  expect(run.err).not.toContain("hush");
});

test("a login with a password, from .env, and an address from alerts.yaml", async () => {
  const { url, asked } = await grafana(({ method }) => (method === "GET" ? LIST : success));
  const cwd = workingFolder({
    "alerts.yaml": `grafana: {url: ${url}}`,
    ".env": "GRAFANA_ADMIN_PASSWORD=pw\n",
  });
  expect((await cli(["notify", "test"], { cwd })).code).toBe(0);
  const login = `Basic ${Buffer.from("admin:pw").toString("base64")}`;
  expect(asked[0]?.authorization).toBe(login);
});

test("a Grafana that is not there is told in words", async () => {
  const run = await notify("http://127.0.0.1:9");
  expect(run.code).toBe(3);
  expect(run.err).toMatch(
    /Grafana does not answer at http:\/\/127\.0\.0\.1:9 .*start it, or set grafana\.url/,
  );
});
