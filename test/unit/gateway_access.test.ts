// Who may write: API keys, and web pages when there are none.
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  healthRow,
  type RawAnswer,
  rawRequest,
  startTestGateway,
  type TestGateway,
} from "./gateway_fixture.ts";

const KEYS = [
  { name: "desk", key: "desk-key-0123456789abcdef" },
  { name: "lab", key: "lab-key-0123456789abcdefg" },
];
const PATH = "/v1/events/daemon_health";
const JSON_TYPE = { "content-type": "application/json" };

function post(gateway: TestGateway, headers: Readonly<Record<string, string>>): Promise<RawAnswer> {
  return rawRequest(gateway, "POST", PATH, { ...JSON_TYPE, ...headers }, JSON.stringify(healthRow()));
}

const codeOf = (answer: RawAnswer): unknown => JSON.parse(answer.text).error.code;

describe("API keys", () => {
  const start = () => startTestGateway({ config: { keys: KEYS } });

  test("a push without a key is 401 and tells how to send one", async () => {
    const gateway = await start();
    const answer = await post(gateway, {});
    expect(answer.status).toBe(401);
    expect(codeOf(answer)).toBe("key_missing");
    expect(answer.text).toContain("Authorization: Bearer KEY");
    expect(answer.headers["www-authenticate"]).toContain("Bearer");
    expect(gateway.pushed).toEqual([]);
  });

  test.each([
    ["another text", "nothing-like-a-configured-key"],
    ["the beginning of a key", "desk-key-0123456789abcde"],
    ["a key with more behind it", "desk-key-0123456789abcdef0"],
    ["a key in other case", "DESK-KEY-0123456789ABCDEF"],
    ["the name of a key", "desk"],
    ["two keys", "desk-key-0123456789abcdef,lab-key-0123456789abcdefg"],
  ])("%s instead of a key is 403, in either header", async (_, key) => {
    const gateway = await start();
    for (const headers of [{ authorization: `Bearer ${key}` }, { "x-api-key": key }]) {
      const answer = await post(gateway, headers);
      expect(answer.status).toBe(403);
      expect(codeOf(answer)).toBe("key_wrong");
    }
    expect(gateway.pushed).toEqual([]);
  });

  test.each(["Bearer ", "Bearer", "Basic ZGVzazprZXk=", "Basic desk-key-0123456789abcdef"])(
    "authorization %j is no key: 401",
    async (authorization) => {
      const gateway = await start();
      expect((await post(gateway, { authorization })).status).toBe(401);
    },
  );

  test("each of several keys opens the door, in either header", async () => {
    const gateway = await start();
    for (const { key } of KEYS) {
      expect((await post(gateway, { authorization: `Bearer ${key}` })).status).toBe(202);
      expect((await post(gateway, { authorization: `bearer  ${key}` })).status).toBe(202);
      expect((await post(gateway, { "x-api-key": key })).status).toBe(202);
      expect((await post(gateway, { authorization: "Basic proxy", "x-api-key": key })).status).toBe(202);
    }
  });

  test("the log names the key by its name, and neither log nor metrics ever hold a key", async () => {
    const gateway = await start();
    await post(gateway, { authorization: `Bearer ${KEYS[1]?.key}` });
    await post(gateway, { "x-api-key": "wrong-key-that-somebody-sent" });
    const written = JSON.stringify(gateway.logged) + (await gateway.metrics.text());
    expect(gateway.logged).toContainEqual(expect.objectContaining({ msg: "request answered", key: "lab" }));
    expect(written).not.toContain("key-0123456789");
    expect(written).not.toContain("wrong-key-that-somebody-sent");
  });

  test("wrong keys are warned of once, not once per request", async () => {
    const gateway = await start();
    for (let i = 0; i < 10; i++) await post(gateway, { "x-api-key": "wrong" });
    expect(gateway.logged.filter((line) => line["level"] === 40)).toHaveLength(1);
  });

  test("the key is checked before the body is looked at", async () => {
    const gateway = await start();
    const answer = await rawRequest(
      gateway,
      "POST",
      PATH,
      { "content-type": "text/plain" },
      "{".repeat(2_000_000),
    );
    expect(answer.status).toBe(401);
  });

  test("reading needs no key", async () => {
    const gateway = await start();
    for (const path of ["/", "/v1/tables", "/openapi.json", "/metrics", "/livez", "/readyz"]) {
      expect((await gateway.get(path)).status).toBe(200);
    }
  });

  test("with keys any host name is fine, so that a proxy may stand in front", async () => {
    const gateway = await start();
    const headers = { host: "tickwatch.example.com", "x-api-key": KEYS[0]?.key ?? "" };
    expect((await post(gateway, headers)).status).toBe(202);
  });
});

describe("web pages, while there are no keys", () => {
  test.each(["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]"])(
    "host name %s is this machine's and may write",
    async (host) => {
      const gateway = await startTestGateway();
      expect((await post(gateway, { host })).status).toBe(202);
    },
  );

  test.each([
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "[::2]:8080",
  ])("host name %j is another's: 403, for reading too", async (host) => {
    const gateway = await startTestGateway();
    const answer = await post(gateway, { host });
    expect(answer.status).toBe(403);
    expect(codeOf(answer)).toBe("host_not_allowed");
    expect((await rawRequest(gateway, "GET", "/v1/tables", { host })).status).toBe(403);
    expect(gateway.pushed).toEqual([]);
  });

  test.each(["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1.evil.example"])(
    "a page of %s may not write: 403",
    async (origin) => {
      const gateway = await startTestGateway({ config: { corsOrigins: ["https://desk.example"] } });
      const answer = await post(gateway, { origin });
      expect(answer.status).toBe(403);
      expect(codeOf(answer)).toBe("origin_not_allowed");
      expect(gateway.pushed).toEqual([]);
    },
  );

  test("a request that names no host is 403", async () => {
    const gateway = await startTestGateway();
    const socket = connect(gateway.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.end("GET /v1/tables HTTP/1.0\r\n\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 403 [\s\S]*host_not_allowed/);
  });

  test("a page of the gateway's own address may write", async () => {
    const gateway = await startTestGateway();
    const host = `localhost:${gateway.port}`;
    expect((await post(gateway, { host, origin: `http://${host}` })).status).toBe(202);
  });
});

describe("CORS", () => {
  const config = { corsOrigins: ["https://desk.example"] };
  const PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type,x-api-key",
  };

  test("a listed origin gets leave in the preflight and may write", async () => {
    const gateway = await startTestGateway({ config });
    const origin = "https://desk.example";
    const preflight = await rawRequest(gateway, "OPTIONS", PATH, { origin, ...PREFLIGHT });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe(origin);
    expect(preflight.headers["access-control-allow-methods"]).toContain("POST");
    expect(preflight.headers["access-control-allow-headers"]).toContain("x-api-key");
    const answer = await post(gateway, { origin });
    expect(answer.status).toBe(202);
    expect(answer.headers["access-control-allow-origin"]).toBe(origin);
  });

  test("a listed origin can read errors as well", async () => {
    const gateway = await startTestGateway({ config: { ...config, keys: KEYS } });
    const answer = await post(gateway, { origin: "https://desk.example" });
    expect(answer.status).toBe(401);
    expect(answer.headers["access-control-allow-origin"]).toBe("https://desk.example");
  });

  test.each([
    ["without keys", []],
    ["with keys", KEYS],
  ])("an origin that is not listed gets no leave, %s", async (_, keys) => {
    const gateway = await startTestGateway({ config: { ...config, keys } });
    const preflight = await rawRequest(gateway, "OPTIONS", PATH, {
      origin: "https://evil.example",
      ...PREFLIGHT,
    });
    expect(preflight.headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("without a list no origin gets leave", async () => {
    const gateway = await startTestGateway({ config: { keys: KEYS } });
    const preflight = await rawRequest(gateway, "OPTIONS", PATH, {
      origin: "https://desk.example",
      ...PREFLIGHT,
    });
    expect(preflight.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

describe("refusing to start", () => {
  test("without a key the gateway does not listen beyond this machine", async () => {
    await expect(startTestGateway({ config: { host: "0.0.0.0" } })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("without an API key"),
    });
  });

  test("without a key not every origin may write", async () => {
    await expect(startTestGateway({ config: { corsOrigins: ["*"] } })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("http.keys"),
    });
  });
});
