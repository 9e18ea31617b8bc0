// What the gateway tells about itself: tables, OpenAPI, metrics, health, and addresses that don't exist.
import { describe, expect, test } from "vitest";
import { EVENTS, findEvent } from "../../schema/registry.ts";
import { eventually, healthRow, RUNNING, rawRequest, startTestGateway } from "./gateway_fixture.ts";

type Json = Readonly<Record<string, unknown>>;

/** Every `$ref` in a document. */
function refsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : refsIn(inner),
  );
}

/** What a `#/a/b` reference points to; undefined when there is nothing. */
function resolve(document: Json, ref: string): unknown {
  let value: unknown = document;
  for (const step of ref.slice(2).split("/")) value = (value as Json | undefined)?.[step];
  return value;
}

describe("tables", () => {
  test("all tables are listed with every column, its type, presence and meaning", async () => {
    const gateway = await startTestGateway({ ttlDaysOf: (table) => (table === "fills" ? 30 : 90) });
    const { json } = await gateway.get("/v1/tables");
    expect(json.tables.map((table: Json) => table["name"])).toEqual(EVENTS.map((event) => event.name));
    for (const table of json.tables) {
      const event = findEvent(table.name);
      expect(table.columns.map((c: Json) => c["name"])).toEqual(["ts", ...Object.keys(event?.columns ?? {})]);
      for (const column of table.columns) {
        expect(column.doc).not.toBe("");
        expect(["required", "optional", "derived"]).toContain(column.presence);
      }
    }
  });

  test("one table shows keys, allowed values and the configured days", async () => {
    const gateway = await startTestGateway({ ttlDaysOf: (table) => (table === "fills" ? 30 : 90) });
    const { json } = await gateway.get("/v1/tables/fills");
    expect(json).toMatchObject({
      name: "fills",
      keys: ["ts", "account", "exchange", "fill_id"],
      ttlDays: 30,
    });
    expect(json.columns).toContainEqual({
      name: "side",
      type: "SYMBOL",
      presence: "required",
      values: ["buy", "sell"],
      doc: "Side.",
    });
    const unknown = await gateway.get("/v1/tables/fils");
    expect(unknown.status).toBe(404);
    expect(unknown.json.error.message).toContain("did you mean fills?");
  });
});

describe("OpenAPI", () => {
  test("every reference points to something, and nothing shared is unused", async () => {
    const gateway = await startTestGateway();
    const { json } = await gateway.get("/openapi.json");
    expect(json.openapi).toBe("3.1.0");
    expect(json.info).toMatchObject({ title: "tickwatch gateway", version: "1.2.3" });
    const refs = new Set(refsIn(json));
    for (const ref of refs) expect(resolve(json, ref), ref).toBeDefined();
    for (const kind of ["schemas", "responses"]) {
      for (const name of Object.keys(json.components[kind]))
        expect(refs).toContain(`#/components/${kind}/${name}`);
    }
  });

  test("every table has a path and a strict schema with exactly its columns", async () => {
    const gateway = await startTestGateway();
    const { json } = await gateway.get("/openapi.json");
    const ids = new Set<string>();
    for (const event of EVENTS) {
      const { post } = json.paths[`/v1/events/${event.name}`];
      ids.add(post.operationId);
      expect(Object.keys(post.requestBody.content)).toEqual(["application/json", "application/x-ndjson"]);
      for (const status of [202, 400, 401, 403, 408, 413, 415, 429, 500, 503])
        expect(post.responses).toHaveProperty(String(status));
      const schema = json.components.schemas[event.name];
      expect(Object.keys(schema.properties)).toEqual(["ts", ...Object.keys(event.columns)]);
      expect(schema.additionalProperties).toBe(false);
      const required = Object.entries(event.columns).filter(([, column]) => column.presence === "required");
      expect(schema.required).toEqual(["ts", ...required.map(([name]) => name)]);
      for (const [name, property] of Object.entries<Json>(schema.properties)) {
        const absent = JSON.stringify(property).includes('{"type":"null"}');
        const mayBeAbsent = name !== "ts" && !required.some(([key]) => key === name);
        expect(absent, `${event.name}.${name}`).toBe(mayBeAbsent);
        expect(property["description"], `${event.name}.${name}`).toBeTruthy();
        expect("type" in property || "anyOf" in property || "enum" in property, `${event.name}.${name}`).toBe(
          true,
        );
      }
    }
    expect(ids.size).toBe(EVENTS.length);
  });

  test("the example of every table, as JSON and as NDJSON, is accepted as it stands", async () => {
    const gateway = await startTestGateway();
    const { json } = await gateway.get("/openapi.json");
    for (const { name } of EVENTS) {
      const { content } = json.paths[`/v1/events/${name}`].post.requestBody;
      for (const [type, { examples }] of Object.entries<{ examples: Record<string, { value: unknown }> }>(
        content,
      )) {
        for (const { value } of Object.values(examples)) {
          const body = typeof value === "string" ? value : JSON.stringify(value);
          const answer = await gateway.post(name, body, { "content-type": type });
          expect(answer.json, `${name} ${body}`).toEqual({ accepted: 1, rejected: [], rejectedCount: 0 });
        }
      }
    }
  });

  test("keys are optional in the document when none is configured, and demanded when one is", async () => {
    const open = await startTestGateway();
    const { json: without } = await open.get("/openapi.json");
    expect(without.paths["/v1/events/fills"].post.security).toEqual([{ bearer: [] }, { apiKey: [] }, {}]);
    const closed = await startTestGateway({
      config: { keys: [{ name: "desk", key: "desk-key-0123456789" }] },
    });
    const { json } = await closed.get("/openapi.json");
    expect(json.paths["/v1/events/fills"].post.security).toEqual([{ bearer: [] }, { apiKey: [] }]);
    expect(Object.keys(json.components.securitySchemes)).toEqual(["bearer", "apiKey"]);
  });

  test("every address in the document that can be read answers 200", async () => {
    const gateway = await startTestGateway();
    const { json } = await gateway.get("/openapi.json");
    const readable = Object.keys(json.paths).filter((path) => "get" in json.paths[path]);
    expect(readable).toHaveLength(5);
    for (const path of readable)
      expect((await gateway.get(path.replace("{table}", "fills"))).status, path).toBe(200);
  });
});

describe("operation", () => {
  test("requests are counted by route and status, never by address", async () => {
    const gateway = await startTestGateway();
    await gateway.post("fills", "{}");
    await gateway.post("daemon_health", JSON.stringify(healthRow()));
    await gateway.post("no_such_table", "{}");
    await gateway.get("/v1/tables/fills");
    await gateway.get("/somewhere/else?secret=1");
    const counts = () => gateway.get("/metrics").then(({ text }) => text);
    const label = (route: string, status: number) =>
      `tickwatch_http_requests_total{route="${route}",status="${status}"} 1`;
    await eventually("all are counted", async () => (await counts()).includes(label("none", 404)));
    const text = await counts();
    for (const status of [202, 400, 404]) expect(text).toContain(label("/v1/events/:table", status));
    expect(text).toContain(label("/v1/tables/:table", 200));
    expect(text).not.toContain("secret");
    expect(text).not.toContain("no_such_table");
  });

  test("/metrics is in the text format of Prometheus", async () => {
    const gateway = await startTestGateway();
    const answer = await gateway.get("/metrics");
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(answer.text).toContain("# TYPE tickwatch_rows_accepted_total counter");
  });

  test("/readyz is 200 while rows are accepted and 503 with the problems while not", async () => {
    let status = RUNNING;
    const gateway = await startTestGateway({ status: () => status });
    const ready = await gateway.get("/readyz");
    expect([ready.status, ready.json]).toEqual([200, RUNNING]);
    status = { ...RUNNING, state: "starting", ready: false, problems: ["the spool is full"] };
    const unready = await gateway.get("/readyz");
    expect([unready.status, unready.json]).toEqual([503, status]);
    const alive = await gateway.get("/livez");
    expect([alive.status, alive.json]).toEqual([200, { status: "alive" }]);
  });

  test("the first page tells where to look", async () => {
    const gateway = await startTestGateway();
    const { json } = await gateway.get("/");
    expect(json).toMatchObject({ service: "tickwatch", version: "1.2.3" });
    expect(Object.keys(json.see)).toContain("POST /v1/events/TABLE");
  });

  test("requests are logged at debug only, with an id", async () => {
    const gateway = await startTestGateway();
    await gateway.get("/livez");
    await eventually("it is logged", () => gateway.logged.length > 0);
    expect(gateway.logged).toEqual([
      expect.objectContaining({
        level: 20,
        msg: "request answered",
        route: "/livez",
        requestId: expect.any(String),
      }),
    ]);
  });
});

describe("addresses and methods", () => {
  test.each([
    ["GET", "/v2/events"],
    ["POST", "/nowhere"],
    ["OPTIONS", "/nowhere"],
    ["GET", "/v1/events/a/b"],
    ["GET", "/%zz"],
    ["GET", `/v1/tables/${"x".repeat(300)}`],
  ])("%s %s is 404 in plain words", async (method, path) => {
    const gateway = await startTestGateway({ config: { corsOrigins: ["https://desk.example"] } });
    const answer = await rawRequest(gateway, method, path, {});
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text).error).toMatchObject({
      code: "route_unknown",
      hint: expect.stringContaining("GET /"),
    });
  });

  test.each([
    ["GET", "/v1/events/fills", "POST, OPTIONS"],
    ["PUT", "/v1/events/fills", "POST, OPTIONS"],
    ["POST", "/metrics", "GET, HEAD, OPTIONS"],
    ["DELETE", "/v1/tables/fills", "GET, HEAD, OPTIONS"],
  ])("%s %s is 405 and says what is possible", async (method, path, allow) => {
    const gateway = await startTestGateway();
    const body = method === "POST" ? { "content-type": "nonsense" } : {};
    const answer = await rawRequest(gateway, method, path, body, method === "POST" ? "x" : "");
    expect(answer.status).toBe(405);
    expect(answer.headers["allow"]).toBe(allow);
    expect(JSON.parse(answer.text).error.code).toBe("method_not_allowed");
  });

  test("HEAD answers like GET without a body, OPTIONS says what is possible", async () => {
    const gateway = await startTestGateway();
    const head = await rawRequest(gateway, "HEAD", "/v1/tables", {});
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(Number(head.headers["content-length"])).toBeGreaterThan(1000);
    const options = await rawRequest(gateway, "OPTIONS", "/v1/events/fills", {});
    expect([options.status, options.headers["allow"]]).toEqual([204, "POST, OPTIONS"]);
  });

  test("no answer tells what software gives it, and browsers don't guess types", async () => {
    const gateway = await startTestGateway();
    for (const path of ["/", "/nowhere", "/metrics"]) {
      const { headers } = await gateway.get(path);
      expect(headers.get("server")).toBeNull();
      expect(headers.get("x-powered-by")).toBeNull();
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
  });
});
