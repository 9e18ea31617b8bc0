// Protects the fault suite from itself: the proxy does exactly what each fault says, to the byte where that matters.
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createIlpHttp, type IlpHttp } from "../../ingest/deliver/ilp_http.ts";
import { type FalseStatus, MALFORMED, type MalformedForm } from "../support/fault_kinds.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault_proxy.ts";
import { until } from "../support/questdb_until.ts";

interface Bench {
  readonly proxy: FaultProxy;
  /** Bodies that the server has got whole, in order. */
  readonly got: string[];
  /** Bytes of bodies, whole or not. */
  gotBytes(): number;
  send(body: string): ReturnType<IlpHttp["send"]>;
}

/** A server that confirms whatever comes, behind the proxy, and the sender of the program in front of it. */
async function bench(timeoutMs = 10_000): Promise<Bench> {
  const got: string[] = [];
  let bytes = 0;
  const collect = async (request: IncomingMessage) => {
    let body = "";
    for await (const piece of request) {
      bytes += piece.length;
      body += piece;
    }
    got.push(body);
  };
  const server = createServer((request, response) => {
    collect(request).then(
      () => response.writeHead(204).end(),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const proxy = await startFaultProxy(`http://127.0.0.1:${address.port}`);
  const sender = createIlpHttp({ url: proxy.url, connections: 2, timeoutMs });
  onTestFinished(async () => {
    await sender.close();
    await proxy.close();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const signal = new AbortController().signal;
  return { proxy, got, gotBytes: () => bytes, send: (body) => sender.send([Buffer.from(body)], signal) };
}

const BIG = "x".repeat(300_000);

test("without a fault everything passes unchanged, on one connection after the other", async () => {
  const { got, send } = await bench();
  for (const body of ["one", BIG, "three"]) expect(await send(body)).toEqual({ kind: "written" });
  expect(got).toEqual(["one", BIG, "three"]);
});

test("refuse: nobody listens, and the same port is back afterwards", async () => {
  const { proxy, got, send } = await bench();
  await send("before");
  const { url } = proxy;
  await proxy.set({ kind: "refuse" });
  expect(await send("lost")).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("REFUSED"),
  });
  await proxy.set({ kind: "none" });
  expect(proxy.url).toBe(url);
  expect(await send("after")).toEqual({ kind: "written" });
  expect(got).toEqual(["before", "after"]);
});

test("reset: connections are taken and cut at once, open ones too", async () => {
  const { proxy, got, send } = await bench();
  await send("before");
  await proxy.set({ kind: "reset" });
  expect((await send("lost")).kind).toBe("unavailable");
  await proxy.hit();
  expect(got).toEqual(["before"]);
});

test.each([0, 1, 200, 100_000])(
  "reset_after: %i bytes of a request reach the server, and no more",
  async (bytes) => {
    const { proxy, got, gotBytes, send } = await bench();
    await proxy.set({ kind: "reset_after", bytes });
    expect((await send(BIG)).kind).toBe("unavailable");
    expect(got).toEqual([]);
    expect(gotBytes()).toBeLessThanOrEqual(bytes);
    if (bytes > 10_000) await until("what was let through", () => gotBytes() > bytes - 1_000);
  },
);

test("reset_after: a request that is small enough passes", async () => {
  const { proxy, got, send } = await bench();
  await proxy.set({ kind: "reset_after", bytes: 2_000 });
  expect(await send("small")).toEqual({ kind: "written" });
  expect(got).toEqual(["small"]);
});

test("swallow_answer: the server has the request whole and the client does not know", async () => {
  const { proxy, got, send } = await bench();
  await proxy.set({ kind: "swallow_answer" });
  expect((await send(BIG)).kind).toBe("unavailable");
  expect(got).toEqual([BIG]);
});

test("stall: the connection stands, nothing passes, and nothing of it passes later", async () => {
  const { proxy, gotBytes, got, send } = await bench(300);
  await proxy.set({ kind: "stall" });
  expect((await send("stalled")).kind).toBe("timeout");
  await proxy.hit();
  expect(gotBytes()).toBe(0);
  await proxy.set({ kind: "none" });
  expect(await send("after")).toEqual({ kind: "written" });
  expect(got).toEqual(["after"]);
});

test("late: the server gets the request of a client that has gone behind the next one, and before that one is told", async () => {
  const { proxy, got, send } = await bench(300);
  await proxy.set({ kind: "late" });
  expect((await send("old")).kind).toBe("timeout");
  await proxy.set({ kind: "none" });
  expect(await send("new")).toEqual({ kind: "written" });
  expect(got).toEqual(["new", "old"]);
});

test("stumble: only requests that hold the text are answered with the status", async () => {
  const { proxy, got, send } = await bench();
  await proxy.set({ kind: "stumble", text: "bad row", status: 500 });
  expect(await send("fine")).toEqual({ kind: "written" });
  expect(await send(`${BIG} a bad row`)).toMatchObject({ kind: "server_error", status: 500 });
  expect(await send(BIG)).toEqual({ kind: "written" });
  expect(got).toEqual(["fine", BIG]);
});

test("delay: the answer comes so much later", async () => {
  const { proxy, got, send } = await bench();
  await proxy.set({ kind: "delay", ms: 250 });
  const sinceMs = performance.now();
  expect(await send("slow")).toEqual({ kind: "written" });
  expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(245);
  expect(got).toEqual(["slow"]);
});

test("throttle: a request passes at its pace, and stops when its client has gone", async () => {
  const { proxy, got, gotBytes, send } = await bench(600);
  await proxy.set({ kind: "throttle", bytesPerSecond: 100_000 });
  const sinceMs = performance.now();
  expect(await send("x".repeat(30_000))).toEqual({ kind: "written" });
  expect(performance.now() - sinceMs).toBeGreaterThan(200);
  expect((await send(BIG)).kind).toBe("timeout");
  await proxy.set({ kind: "none" });
  await send("after");
  expect(got).toEqual(["x".repeat(30_000), "after"]);
  expect(gotBytes()).toBeLessThan(150_000);
});

test.each<[FalseStatus, string]>([
  [200, "unavailable"],
  [401, "not_allowed"],
  [413, "request_refused"],
  [421, "not_allowed"],
  [500, "server_error"],
  [503, "server_error"],
])("answer %i: the client reads it as it is, and the server gets nothing", async (status, kind) => {
  const { proxy, got, send } = await bench();
  await proxy.set({ kind: "answer", status });
  expect(await send(BIG)).toMatchObject({ kind });
  expect(await send("again")).toMatchObject({ kind });
  expect(proxy.hits).toBe(2);
  expect(got).toEqual([]);
});

const FORMS = Object.keys(MALFORMED) as MalformedForm[];

test.each(FORMS)("malformed %s: what reaches the client are these bytes", async (form) => {
  const { proxy } = await bench();
  await proxy.set({ kind: "malformed", form });
  const { bytes, ending } = MALFORMED[form];
  const answer = await rawAnswer(proxy.url, bytes.length + (ending === "endless" ? 20_000 : 0));
  expect(answer.startsWith(bytes)).toBe(true);
  if (ending === "endless") expect(answer.match(/X-Header-/g)?.length).toBeGreaterThan(20);
  else expect(answer.length).toBe(bytes.length);
});

/** The first so many bytes that come back for a small request, or fewer when the connection ends before. */
async function rawAnswer(url: string, bytes: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
  onTestFinished(() => void socket.destroy());
  socket.write("POST /write HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  let text = "";
  for await (const piece of socket.setEncoding("latin1")) {
    text += piece;
    if (text.length >= bytes) break;
  }
  return text;
}

test("malformed: what confirms rows was handed on, and nothing else was", async () => {
  for (const form of FORMS) {
    const { proxy, got, send } = await bench(500);
    await proxy.set({ kind: "malformed", form });
    const outcome = await send("row");
    expect(got, form).toEqual(MALFORMED[form].handedOn ? ["row"] : []);
    if (!MALFORMED[form].handedOn) expect(outcome.kind, form).not.toBe("written");
    // Nothing that was left on the connection is taken for an answer to the next request.
    await proxy.set({ kind: "reset" });
    expect((await send("next")).kind, form).toBe("unavailable");
  }
});
