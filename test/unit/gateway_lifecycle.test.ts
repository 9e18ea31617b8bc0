// Starting, time limits, stopping.
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { portOwner } from "../../ingest/gateway/port_owner.ts";
import { checkRows, eventually, healthRow, startTestGateway, type TestGateway } from "./gateway_fixture.ts";

/** A bare connection; `received` grows as bytes come. */
async function connection(gateway: { port: number }) {
  const socket: Socket = connect(gateway.port, "127.0.0.1");
  const seen = { received: "", closed: false, socket };
  socket.setEncoding("utf8").on("data", (text: string) => {
    seen.received += text;
  });
  socket
    .on("error", () => {})
    .on("close", () => {
      seen.closed = true;
    });
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return seen;
}

/** An intake that holds what it gets until told. */
function heldIntake() {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const accept = async (table: string, rows: readonly unknown[]) => {
    await held;
    return checkRows(table, rows);
  };
  return { accept, release: () => release() };
}

const counted = (gateway: TestGateway, route: string, status: string) =>
  gateway.metrics.total("tickwatch_http_requests_total", { route, status });

const HEAD =
  "POST /v1/events/daemon_health HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

describe("starting", () => {
  test("a port in use is refused with who uses it and how to choose another", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await new Promise<void>((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const owner = process.platform === "linux" ? `(process ${process.pid})` : "another program";
    await expect(startTestGateway({ config: { port } })).rejects.toMatchObject({
      name: "TickwatchError",
      code: "ENVIRONMENT",
      message: expect.stringMatching(
        new RegExp(`port ${port} on 127.0.0.1 is in use by .*TICKWATCH_HTTP_PORT`),
      ),
    });
    await expect(startTestGateway({ config: { port } })).rejects.toThrow(owner);
  });

  test("a port that nobody uses has no owner", async () => {
    const gateway = await startTestGateway();
    await gateway.stop();
    expect(await portOwner(gateway.port)).toBeUndefined();
  });

  test("an address of another machine is refused in plain words", async () => {
    const config = { host: "192.0.2.1", keys: [{ name: "desk", key: "desk-key-0123456789abcdef" }] };
    await expect(startTestGateway({ config })).rejects.toMatchObject({
      code: "ENVIRONMENT",
      message: expect.stringContaining("192.0.2.1 is not an address of this machine"),
    });
  });

  test("localhost means 127.0.0.1", async () => {
    const gateway = await startTestGateway({ config: { host: "localhost" } });
    expect(gateway.url).toBe(`http://127.0.0.1:${gateway.port}`);
    expect((await gateway.get("/livez")).status).toBe(200);
  });
});

describe("time limits", () => {
  const config = { requestTimeoutMs: 200 };

  test("a body that does not arrive in time is 408, and nothing of it is taken", async () => {
    const gateway = await startTestGateway({ config });
    const client = await connection(gateway);
    client.socket.write(`${HEAD}content-length: 100\r\n\r\n{"ts":`);
    await eventually("the connection is closed", () => client.closed);
    expect(client.received).toMatch(/^HTTP\/1\.1 408 /);
    expect(client.received).toContain('"request_timeout"');
    expect(client.received.toLowerCase()).toContain("connection: close");
    expect(gateway.pushed).toEqual([]);
    // The peer may see the end before it is counted.
    await eventually("it is counted", async () => (await counted(gateway, "/v1/events/:table", "408")) === 1);
  });

  test("headers that do not arrive in time are 408", async () => {
    const gateway = await startTestGateway({ config });
    const client = await connection(gateway);
    client.socket.write("POST /v1/events/daemon_health HTTP/1.1\r\nhost: loc");
    await eventually("the connection is closed", () => client.closed);
    expect(client.received).toMatch(/^HTTP\/1\.1 408 /);
    expect(client.received).toContain('"request_timeout"');
    await eventually("it is counted", async () => (await counted(gateway, "none", "408")) === 1);
  });

  test("the time of the intake does not count", async () => {
    const intake = heldIntake();
    const gateway = await startTestGateway({ config, accept: intake.accept });
    const pending = gateway.post("daemon_health", JSON.stringify(healthRow()));
    await eventually("the intake has the row", () => gateway.pushed.length === 1);
    // Three times the limit has passed when three slow clients, one after the other, have met it.
    for (let slow = 0; slow < 3; slow++) {
      const client = await connection(gateway);
      client.socket.write("GET /livez HTTP/1.1\r\n");
      await eventually("a slow client is closed", () => client.closed);
    }
    intake.release();
    expect((await pending).status).toBe(202);
  });

  test("a client that goes away in the middle of its body is counted, and nothing is taken", async () => {
    const gateway = await startTestGateway();
    const client = await connection(gateway);
    client.socket.write(`${HEAD}content-length: 100\r\n\r\n{"ts":`);
    await gateway.get("/livez");
    client.socket.destroy();
    await eventually("it is counted", async () => (await counted(gateway, "/v1/events/:table", "499")) === 1);
    expect(gateway.pushed).toEqual([]);
  });
});

describe("what is no HTTP", () => {
  test.each([
    ["bytes that are no request", "hello\r\n\r\n", 400, "bad_request"],
    [
      "headers beyond 16 kB",
      `GET / HTTP/1.1\r\nx-long: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
      "headers_too_large",
    ],
    ["chunks without a length", `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`, 400, "bad_request"],
  ])("%s get an answer of the usual shape", async (_, text, status, code) => {
    const gateway = await startTestGateway();
    const client = await connection(gateway);
    client.socket.write(text);
    await eventually("the connection is closed", () => client.closed);
    expect(client.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(client.received.split("\r\n\r\n")[1] ?? "")).toMatchObject({ error: { code } });
    expect((await gateway.get("/livez")).status).toBe(200);
  });
});

describe("stopping", () => {
  test("a request under way is finished and answered, a new one is 503, then nothing listens", async () => {
    const intake = heldIntake();
    const gateway = await startTestGateway({ accept: intake.accept });
    const pending = gateway.post("daemon_health", JSON.stringify(healthRow()));
    await eventually("the intake has the row", () => gateway.pushed.length === 1);
    let stopped = false;
    const stop = gateway.stop().then(() => {
      stopped = true;
    });

    const refused = await gateway.post("daemon_health", JSON.stringify(healthRow()));
    expect(refused.status).toBe(503);
    expect(refused.json.error.code).toBe("stopping");
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(refused.headers.get("connection")).toBe("close");
    expect(gateway.pushed).toHaveLength(1);
    const ready = await gateway.get("/readyz");
    expect(ready.status).toBe(503);
    expect(ready.json).toMatchObject({ state: "stopping", ready: false });
    expect((await gateway.get("/livez")).status).toBe(200);
    expect((await gateway.get("/metrics")).status).toBe(200);
    expect(stopped).toBe(false);

    intake.release();
    const answer = await pending;
    expect(answer.status).toBe(202);
    expect(answer.json.accepted).toBe(1);
    expect(answer.headers.get("connection")).toBe("close");
    await stop;
    await expect(fetch(`${gateway.url}/livez`)).rejects.toThrow();
  });

  test("a body that is still arriving is taken before the gateway closes", async () => {
    const gateway = await startTestGateway();
    const client = await connection(gateway);
    const row = JSON.stringify(healthRow());
    client.socket.write(`${HEAD}content-length: ${row.length}\r\n\r\n${row.slice(0, 10)}`);
    await gateway.get("/livez");
    const stop = gateway.stop();
    client.socket.write(row.slice(10));
    await stop;
    await eventually("the connection is closed", () => client.closed);
    expect(client.received).toMatch(/^HTTP\/1\.1 202 /);
    expect(gateway.pushed).toHaveLength(1);
  });

  test("a request that takes longer than the limit is cut off without an answer, and that is logged", async () => {
    const intake = heldIntake();
    const gateway = await startTestGateway({ accept: intake.accept, stopTimeoutMs: 50 });
    const pending = gateway.post("daemon_health", JSON.stringify(healthRow()));
    const outcome = expect(pending).rejects.toThrow();
    await eventually("the intake has the row", () => gateway.pushed.length === 1);
    await gateway.stop();
    await outcome;
    expect(gateway.logged).toContainEqual(
      expect.objectContaining({ level: 40, msg: "requests cut off while stopping", requests: 1 }),
    );
    intake.release();
  });

  test("idle connections do not hold it up, and it may be called twice", async () => {
    const gateway = await startTestGateway({ stopTimeoutMs: 10_000 });
    const idle = await connection(gateway);
    idle.socket.write("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await eventually("it is answered", () => idle.received.includes("alive"));
    const silent = await connection(gateway);
    const began = performance.now();
    await Promise.all([gateway.stop(), gateway.stop()]);
    expect(performance.now() - began).toBeLessThan(5000);
    await eventually("both are closed", () => idle.closed && silent.closed);
  });
});
