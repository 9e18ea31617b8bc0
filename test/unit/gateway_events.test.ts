// What POST /v1/events/:table answers, and what it hands to the intake.
import { Agent } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { TickwatchError } from "../../ingest/errors.ts";
import { MalformedLine } from "../../ingest/intake/malformed.ts";
import {
  checkRows,
  eventually,
  healthLines,
  healthRow,
  rawRequest,
  startTestGateway,
} from "./gateway_fixture.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

describe("bodies", () => {
  test("one JSON object is one row", async () => {
    const gateway = await startTestGateway();
    const row = healthRow();
    const answer = await gateway.post("daemon_health", JSON.stringify(row));
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({ accepted: 1, rejected: [], rejectedCount: 0 });
    expect(gateway.pushed).toEqual([{ table: "daemon_health", rows: [row] }]);
  });

  test("an array is one row per element", async () => {
    const gateway = await startTestGateway();
    const rows = [healthRow(), healthRow(), healthRow()];
    const answer = await gateway.post("daemon_health", JSON.stringify(rows));
    expect(answer.json).toEqual({ accepted: 3, rejected: [], rejectedCount: 0 });
    expect(gateway.pushed).toEqual([{ table: "daemon_health", rows }]);
  });

  test.each([
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "Application/X-NDJSON; charset=UTF-8",
  ])("%s is one row per line", async (type) => {
    const gateway = await startTestGateway();
    const answer = await gateway.post("daemon_health", healthLines(3).join("\n"), { "content-type": type });
    expect(answer.status).toBe(202);
    expect(answer.json.accepted).toBe(3);
  });

  test("ten thousand lines of NDJSON are handed over in one call and in order", async () => {
    const gateway = await startTestGateway({ config: { bodyBytesMax: 16_777_216 } });
    const lines = healthLines(10_000);
    const answer = await gateway.post("daemon_health", `${lines.join("\n")}\n`, NDJSON);
    expect(answer.json).toEqual({ accepted: 10_000, rejected: [], rejectedCount: 0 });
    expect(gateway.pushed).toHaveLength(1);
    expect(gateway.pushed[0]?.rows).toEqual(lines.map((line) => JSON.parse(line)));
  });

  test.each(["gzip", "x-gzip", "GZIP"])("a body with content-encoding %s is unpacked", async (encoding) => {
    const gateway = await startTestGateway();
    const body = gzipSync(healthLines(100).join("\n"));
    const answer = await gateway.post("daemon_health", body, { ...NDJSON, "content-encoding": encoding });
    expect(answer.json).toEqual({ accepted: 100, rejected: [], rejectedCount: 0 });
  });

  test("a body sent in chunks of unknown total length is taken", async () => {
    const gateway = await startTestGateway();
    const chunks = healthLines(3).map((line) => new TextEncoder().encode(`${line}\n`));
    const body = new ReadableStream<Uint8Array>({
      pull: (to) => {
        const chunk = chunks.shift();
        if (chunk === undefined) to.close();
        else to.enqueue(chunk);
      },
    });
    const init = { method: "POST", headers: NDJSON, body, duplex: "half" } as RequestInit;
    const answer = await gateway.get("/v1/events/daemon_health", init);
    expect(answer.json.accepted).toBe(3);
  });

  test("an address with a slash at the end is the same address", async () => {
    const gateway = await startTestGateway();
    const answer = await gateway.post("daemon_health/", JSON.stringify(healthRow()));
    expect(answer.status).toBe(202);
  });
});

describe("refused rows", () => {
  test("good rows are taken and bad ones listed with index, reason and words", async () => {
    const gateway = await startTestGateway();
    const rows = [healthRow(), healthRow({ uptime_s: "long" }), healthRow({ prize: 1 }), healthRow()];
    const answer = await gateway.post("daemon_health", JSON.stringify(rows));
    expect(answer.status).toBe(202);
    expect(answer.json.accepted).toBe(2);
    expect(answer.json.rejectedCount).toBe(2);
    expect(answer.json.rejected).toEqual([
      { index: 1, reason: "wrong_type", message: 'uptime_s: "long" is not a number' },
      { index: 2, reason: "unknown_field", message: expect.stringContaining('"prize"') },
    ]);
  });

  test("a line that is not JSON is refused alone, and the intake gets it to count and keep it", async () => {
    const gateway = await startTestGateway();
    const [first, last] = healthLines(2);
    const answer = await gateway.post("daemon_health", `${first}\n{"ts": oops\n${last}\n`, NDJSON);
    expect(answer.status).toBe(202);
    expect(answer.json.accepted).toBe(2);
    expect(answer.json.rejected).toEqual([
      { index: 1, reason: "malformed_json", message: expect.stringMatching(/^not JSON: /) },
    ]);
    const marker = gateway.pushed[0]?.rows[1];
    expect(marker).toBeInstanceOf(MalformedLine);
    expect(marker).toMatchObject({ text: '{"ts": oops' });
  });

  test("when every row is bad the answer is 400, with the same lists and an error", async () => {
    const gateway = await startTestGateway();
    const answer = await gateway.post("daemon_health", JSON.stringify([{}, 42]));
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ accepted: 0, rejectedCount: 2 });
    expect(answer.json.rejected.map((r: { reason: string }) => r.reason)).toEqual([
      "missing_field",
      "not_an_object",
    ]);
    expect(answer.json.error).toMatchObject({ code: "all_rows_refused", message: "all 2 rows were refused" });
  });

  test("a JSON body that is not JSON is 400 as a whole, and the intake gets it to count and keep it", async () => {
    const gateway = await startTestGateway();
    const answer = await gateway.post("daemon_health", '{"ts": 1,}');
    expect(answer.status).toBe(400);
    expect(answer.json.error.code).toBe("malformed_json");
    expect(answer.json.error.message).toMatch(/^the body is not JSON: /);
    expect(answer.json.rejected).toHaveLength(1);
    expect(gateway.pushed[0]?.rows).toEqual([expect.objectContaining({ text: '{"ts": 1,}' })]);
  });

  test("of many refused rows the first thousand are listed and all are counted", async () => {
    const gateway = await startTestGateway();
    const rows = Array.from({ length: 1500 }, () => ({}));
    const answer = await gateway.post("daemon_health", JSON.stringify([healthRow(), ...rows]));
    expect(answer.status).toBe(202);
    expect(answer.json.rejected).toHaveLength(1000);
    expect(answer.json.rejectedCount).toBe(1500);
  });
});

describe("bodies that are refused before the intake sees them", () => {
  test.each([
    ["no body at all", "", {}],
    ["an empty array", "[]", {}],
    ["NDJSON of blank lines", "\n \r\n\n", NDJSON],
    ["gzip of nothing", gzipSync(""), { ...NDJSON, "content-encoding": "gzip" }],
  ])("%s is 400 empty_body", async (_, body, headers) => {
    const gateway = await startTestGateway();
    const answer = await gateway.post("daemon_health", body, headers);
    expect(answer.status).toBe(400);
    expect(answer.json.error.code).toBe("empty_body");
    expect(gateway.pushed).toEqual([]);
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "text/csv",
    "application/json; charset=utf-16",
    "nonsense",
  ])("content-type %s is 415 and the hint shows what to write", async (type) => {
    const gateway = await startTestGateway();
    const answer = await gateway.post("daemon_health", JSON.stringify(healthRow()), { "content-type": type });
    expect(answer.status).toBe(415);
    expect(answer.json.error.code).toBe("media_type_unsupported");
    expect(answer.json.error.hint).toContain("application/json");
    expect(gateway.pushed).toEqual([]);
  });

  test("a body without a content-type is 415, no body and no type is 400", async () => {
    const gateway = await startTestGateway();
    const path = "/v1/events/daemon_health";
    const typeless = await rawRequest(gateway, "POST", path, { "content-length": "2" }, "{}");
    expect(typeless.status).toBe(415);
    const bodiless = await rawRequest(gateway, "POST", path, { "content-length": "0" });
    expect(bodiless.status).toBe(400);
  });

  test("an encoding other than gzip is 415 and the answer names gzip", async () => {
    const gateway = await startTestGateway();
    const answer = await gateway.post("daemon_health", "{}", { "content-encoding": "br" });
    expect(answer.status).toBe(415);
    expect(answer.json.error.code).toBe("encoding_unsupported");
    expect(answer.headers.get("accept-encoding")).toContain("gzip");
  });

  test.each([
    ["that is none", Buffer.from("hello, this is no gzip")],
    ["that is cut off", gzipSync(healthLines(100).join("\n")).subarray(0, 200)],
  ])("gzip %s is 400 malformed_gzip", async (_, body) => {
    const gateway = await startTestGateway();
    const answer = await gateway.post("daemon_health", body, { ...NDJSON, "content-encoding": "gzip" });
    expect(answer.status).toBe(400);
    expect(answer.json.error.code).toBe("malformed_gzip");
  });

  test("a table that does not exist is 404 and near names are offered", async () => {
    const gateway = await startTestGateway();
    const answer = await gateway.post("daemon-helth", JSON.stringify(healthRow()));
    expect(answer.status).toBe(404);
    expect(answer.json.error.code).toBe("table_unknown");
    expect(answer.json.error.message).toContain("did you mean daemon_health?");
    const far = await gateway.post("zzzzzzzzzz", JSON.stringify(healthRow()));
    expect(far.json.error.message).toBe('there is no table "zzzzzzzzzz"');
    expect(far.json.error.hint).toContain("GET /v1/tables");
    expect(gateway.pushed).toEqual([]);
  });
});

describe("sizes", () => {
  const config = { bodyBytesMax: 100_000 };

  test("a body as large as the limit is taken, one byte more is 413", async () => {
    const gateway = await startTestGateway({ config });
    const row = JSON.stringify(healthRow());
    const fitting = await gateway.post("daemon_health", row.padEnd(100_000));
    expect(fitting.status).toBe(202);
    const over = await gateway.post("daemon_health", row.padEnd(100_001));
    expect(over.status).toBe(413);
    expect(over.json.error).toMatchObject({
      code: "body_too_large",
      message: expect.stringContaining("100000"),
    });
  });

  test.each([
    ["of unknown length", { "transfer-encoding": "chunked" }],
    ["of known length", { "content-length": "5000000" }],
  ])("a body %s that is too large is 413, and its connection serves the next request", async (_, length) => {
    const gateway = await startTestGateway({ config });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const path = "/v1/events/daemon_health";
    const large = "x".repeat(5_000_000);
    const refused = await rawRequest(gateway, "POST", path, { ...NDJSON, ...length }, large, agent);
    expect(refused.status).toBe(413);
    expect(JSON.parse(refused.text).error.code).toBe("body_too_large");
    expect(gateway.pushed).toEqual([]);
    await eventually("the rest is sent and thrown away", () => Object.keys(agent.freeSockets).length === 1);
    const next = await rawRequest(gateway, "POST", path, NDJSON, healthLines(1)[0], agent);
    expect(next).toMatchObject({ status: 202, reused: true });
  });

  test("a small gzip body that unpacks to more than the limit is 413", async () => {
    const gateway = await startTestGateway({ config });
    const bomb = gzipSync(Buffer.alloc(50_000_000, " "));
    expect(bomb.length).toBeLessThan(100_000);
    const answer = await gateway.post("daemon_health", bomb, { ...NDJSON, "content-encoding": "gzip" });
    expect(answer.status).toBe(413);
    expect(answer.json.error.code).toBe("body_too_large");
    expect(gateway.pushed).toEqual([]);
  });

  test("when large bodies fill the memory set aside for them the next one is 429, and is taken later", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const accept = async (table: string, rows: readonly unknown[]) => {
      await held;
      return checkRows(table, rows);
    };
    const gateway = await startTestGateway({ config, accept });
    const body = JSON.stringify(healthRow()).padEnd(100_000);
    const first = [1, 2, 3, 4].map(() => gateway.post("daemon_health", body));
    await eventually("four are held by the intake", () => gateway.pushed.length === 4);
    const refused = await gateway.post("daemon_health", body);
    expect(refused.status).toBe(429);
    expect(refused.json.error.code).toBe("too_busy");
    expect(refused.headers.get("retry-after")).toBe("1");
    release();
    expect((await Promise.all(first)).map((answer) => answer.status)).toEqual([202, 202, 202, 202]);
    expect((await gateway.post("daemon_health", body)).status).toBe(202);
  });
});

describe("the intake's refusals", () => {
  test.each([
    ["SPOOL_FULL", 429, "spool_full", "5"],
    ["SPOOL_FAILED", 503, "spool_failed", "10"],
    ["STOPPING", 503, "stopping", "5"],
  ] as const)("%s is %i %s with Retry-After", async (code, status, problem, seconds) => {
    const accept = () => Promise.reject(new TickwatchError(code, "secret details"));
    const gateway = await startTestGateway({ accept });
    const answer = await gateway.post("daemon_health", JSON.stringify(healthRow()));
    expect(answer.status).toBe(status);
    expect(answer.headers.get("retry-after")).toBe(seconds);
    expect(answer.json.error).toMatchObject({
      code: problem,
      message: expect.stringContaining("nothing of this"),
    });
    expect(answer.text).not.toContain("secret");
  });

  test("an unexpected error is 500 without its details, and the log has them once a minute", async () => {
    const gateway = await startTestGateway({ accept: () => Promise.reject(new Error("secret details")) });
    for (let i = 0; i < 5; i++) {
      const answer = await gateway.post("daemon_health", JSON.stringify(healthRow()));
      expect(answer.status).toBe(500);
      expect(answer.json.error.code).toBe("internal");
      expect(answer.text).not.toContain("secret");
    }
    const warnings = gateway.logged.filter((line) => line["level"] === 40);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ kind: "internal", err: { message: "secret details" } });
  });

  test("the answer comes only after the intake has resolved", async () => {
    let durable = () => {};
    const written = new Promise<void>((resolve) => {
      durable = resolve;
    });
    const gateway = await startTestGateway({
      accept: async (table, rows) => {
        await written;
        return checkRows(table, rows);
      },
    });
    let answered = false;
    const pending = gateway.post("daemon_health", JSON.stringify(healthRow())).finally(() => {
      answered = true;
    });
    await eventually("the intake has the row", () => gateway.pushed.length === 1);
    await gateway.get("/livez");
    expect(answered).toBe(false);
    durable();
    expect((await pending).status).toBe(202);
  });
});
