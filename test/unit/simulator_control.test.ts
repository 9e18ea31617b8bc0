// The simulator's remote control over HTTP, as a person with curl or a test in another process uses it.

import { expect, test } from "vitest";
import { startExchangeSimulator } from "../../ingest/demo/simulator/simulator.ts";
import { exchangeForTest, simulatorForTest, until, watchForTest } from "./simulator_exchange.ts";

async function post(url: string, body: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/control`, { method: "POST", body });
  return { status: response.status, text: await response.text() };
}

test("a fault sent over HTTP is in force when the answer comes, and GET shows it with what it did", async () => {
  const { url } = await simulatorForTest();
  const exchange = await exchangeForTest("okx", { url });
  const set = await post(url, '{"fault": "status", "venue": "okx", "status": 503, "count": 5}');
  expect(set.status).toBe(200);
  await expect(exchange.fetchTime()).rejects.toMatchObject({ name: "ExchangeNotAvailable" });
  const state = await (await fetch(`${url}/control`)).json();
  expect(state).toMatchObject({
    url,
    faults: [
      {
        venue: "okx",
        channel: "rest",
        remaining: 4,
        fault: { fault: "status", status: 503, retryAfterS: 5 },
      },
    ],
    stats: { okx: { faulted: 1, requests: { "/api/v5/public/time": 1 } } },
  });
  expect((await post(url, '{"fault": "clear"}')).status).toBe(200);
  expect(await exchange.fetchTime()).toBeTypeOf("number");
});

test("a burst asked for over HTTP has been sent when the answer comes", async () => {
  const { url, stats } = await simulatorForTest().then((s) => ({ url: s.url, stats: () => s.stats() }));
  const { parsed } = watchForTest(await exchangeForTest("binanceusdm", { url }), undefined);
  await until("connected", () => stats().binanceusdm.wsOpen === 1);
  await post(url, '{"fault": "burst", "count": 100, "withinMs": 10}');
  expect(stats().binanceusdm.liquidations).toBe(100);
  expect(stats().okx.liquidations).toBe(100);
  expect(parsed.length).toBeLessThanOrEqual(100);
});

test.each([
  ['{"fault": "explode"}', /Invalid|fault/],
  ['{"fault": "status"}', /status/],
  ['{"fault": "status", "status": 200}', /status/],
  ['{"fault": "status", "status": 429, "count": 1, "forMs": 1}', /count or forMs, not both/],
  ['{"fault": "drop", "venue": "kraken"}', /binanceusdm.*okx/],
  ['{"fault": "drop", "closeCode": 1006}', /not a close code/],
  ['{"fault": "silence", "channel": "rest"}', /channel/],
  ['{"fault": "burst", "symbols": ["NOPE"]}', /symbols/],
  ['{"fault": "slow"}', /delayMs/],
  ['{"fault": "clear", "typo": 1}', /typo/],
  ["{", /isn't JSON/],
  ["[]", /object/],
  [`{"fault": "${"x".repeat(70_000)}"}`, /over 65536 bytes/],
])("an ill-formed order is refused in words and changes nothing: %.60s", async (body, words) => {
  const { url } = await simulatorForTest();
  const { status, text } = await post(url, body);
  expect(status).toBe(400);
  expect(JSON.parse(text)).toMatchObject({ error: expect.stringMatching(words) });
  expect(await (await fetch(`${url}/control`)).json()).toMatchObject({ faults: [] });
});

test("a method other than GET and POST is refused with a hint", async () => {
  const { url } = await simulatorForTest();
  const response = await fetch(`${url}/control`, { method: "DELETE" });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("POST");
});

test("a programmatic fault that is ill-formed is refused the same way", async () => {
  const simulator = await simulatorForTest();
  await expect(simulator.control({ fault: "status", status: 200 })).rejects.toMatchObject({ code: "USAGE" });
});

test("a port that is taken is reported with its remedy", async () => {
  const { port } = await simulatorForTest();
  await expect(startExchangeSimulator({ port })).rejects.toMatchObject({
    code: "ENVIRONMENT",
    message: expect.stringMatching(new RegExp(`${port}.*EADDRINUSE.*Choose another port`)),
  });
});

test("stop ends held requests, held handshakes, open streams and bursts, and frees the port", async () => {
  const simulator = await startExchangeSimulator({ liquidationsPerMinute: 600 });
  const open = watchForTest(await exchangeForTest("okx", simulator), undefined);
  await until("a stream", () => simulator.stats().okx.wsOpen === 1);
  const late = await exchangeForTest("binanceusdm", simulator);
  await late.loadMarkets();
  await simulator.control({ fault: "stall" });
  const held = fetch(`${simulator.url}/okx/api/v5/public/time`).then(
    () => "answered",
    () => "cut",
  );
  const waiting = watchForTest(late, undefined);
  const burst = simulator.control({ fault: "burst", count: 1_000, withinMs: 60_000 });
  await until("the request held", () => simulator.stats().okx.faulted > 0);
  await until("the handshake held", () => simulator.stats().binanceusdm.faulted > 0);
  await simulator.stop();
  await burst;
  expect(["answered", "cut"]).toContain(await held);
  await until("the streams' ends", () => open.failures.length > 0 && waiting.failures.length > 0);
  const again = await startExchangeSimulator({ port: simulator.port, liquidationsPerMinute: 0 });
  await again.stop();
});
