import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ENV_OVERRIDES } from "../../ingest/config/env.ts";
import { type ConfigRequest, type LoadedConfig, loadConfig } from "../../ingest/config/load.ts";
import { TickwatchError } from "../../ingest/errors.ts";

const KEY = "a-key-of-enough-length";

function folder(files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "tickwatch-config-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text, { mode: 0o600 });
  return path;
}

function load(yaml: string, env: ConfigRequest["env"] = {}): LoadedConfig {
  return loadConfig({ env, cwd: folder({ "tickwatch.yaml": yaml }), hostname: "host-1" });
}

/** The lines of the refusal, without the first (a count) and the last (where to look). */
function mistakesOf(run: () => unknown): { head: string; lines: string[] } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TickwatchError)) throw error;
    expect(error.code).toBe("CONFIG_INVALID");
    const [head = "", ...lines] = error.message.split("\n");
    return { head, lines: lines.slice(0, -1).map((line) => line.trim()) };
  }
  throw new Error("the configuration was accepted");
}

test("without a file and variables the defaults hold, named after the host", () => {
  const { config, file, origins, warnings } = loadConfig({ env: {}, cwd: folder(), hostname: "host-1" });
  expect(file).toBeUndefined();
  expect(origins.size).toBe(0);
  expect(warnings).toEqual([]);
  expect(config.instance).toBe("host-1");
  expect(config.http).toMatchObject({ host: "127.0.0.1", port: 8080, keys: [] });
  expect(config.pipeline.exchanges.map((e) => e.id)).toEqual([
    "binanceusdm",
    "okx",
    "bybit",
    "bitget",
    "gate",
  ]);
  expect(config.log).toEqual({ level: "info", format: "text" });
});

test("five mistakes of five kinds are reported at once, each with its path and line", () => {
  const { head, lines } = mistakesOf(() =>
    load(
      [
        "http:",
        "  prot: 8081",
        "questdb:",
        "  start: dcoker",
        "writer:",
        "  lingerMinMs: 900",
        "pipeline:",
        "  staleAfterMs: soon",
        "log:",
        "  level: ${LEVEL}",
      ].join("\n"),
    ),
  );
  expect(head).toBe("5 mistakes in the configuration tickwatch.yaml:");
  expect(lines).toHaveLength(5);
  expect(lines).toContain("http.prot (tickwatch.yaml line 2): no such setting; did you mean port?");
  expect(lines).toContain(
    'questdb.start (tickwatch.yaml line 4): must be one of auto, docker, java, never, not "dcoker"; did you mean docker?',
  );
  expect(lines).toContain(
    "writer.lingerMinMs (tickwatch.yaml line 6): 900 is above writer.lingerMaxMs (800)",
  );
  expect(lines).toContain(
    'pipeline.staleAfterMs (tickwatch.yaml line 8): must be an integer from 1, not "soon"',
  );
  expect(lines).toContainEqual(
    expect.stringContaining("log.level (tickwatch.yaml line 10): the environment variable LEVEL is not set"),
  );
});

test.each([
  ["prt: 1", "prt (tickwatch.yaml line 1): no such setting; did you mean http.port?"],
  ["port: 1", "port (tickwatch.yaml line 1): no such setting; did you mean http.port?"],
  ["http: {port: 0}", "http.port (tickwatch.yaml line 1): must be an integer from 1 to 65535, not 0"],
  [
    "http: {port: }",
    "http.port (tickwatch.yaml line 1): has no value; it must be an integer from 1 to 65535",
  ],
  [
    "retention: {tables: {order: 3}}",
    "retention.tables.order (tickwatch.yaml line 1): no such table; did you mean orders?",
  ],
  [
    "questdb: {url: here}",
    'questdb.url (tickwatch.yaml line 1): must be a URL such as http://127.0.0.1:9000, not "here"',
  ],
  [
    "pipeline: {exchanges: [{symbols: [A]}]}",
    "pipeline.exchanges[0].id (tickwatch.yaml line 1): is missing; it must be text",
  ],
  [
    "pipeline: {exchanges: [{id: okx}, {id: okx}]}",
    "pipeline.exchanges (tickwatch.yaml line 1): an exchange is listed twice",
  ],
  ["http: {keys: [{name: a}]}", "http.keys[0] (tickwatch.yaml line 1): give either key or keyFile"],
  [
    "questdb: {start: never}",
    "questdb.start (tickwatch.yaml line 1): never leaves no QuestDB to write to; set questdb.url or let one be started",
  ],
  ["- 1", "(tickwatch.yaml): must be settings (`name: value`), one a line"],
])("%s is refused in words", (yaml, line) => {
  expect(mistakesOf(() => load(yaml)).lines).toEqual([line]);
});

test("a rule over several settings is silent while one of them is wrong by itself", () => {
  const { lines } = mistakesOf(() => load("writer: {lingerMinMs: 900, lingerMaxMs: x}"));
  expect(lines).toEqual(['writer.lingerMaxMs (tickwatch.yaml line 1): must be an integer from 0, not "x"']);
});

test("listening beyond this machine without an API key is refused, with one it is not", () => {
  expect(mistakesOf(() => load("http: {host: 0.0.0.0}")).lines[0]).toContain("refusing to listen on 0.0.0.0");
  expect(load("http: {host: 0.0.0.0}", { TICKWATCH_API_KEY: KEY }).config.http.host).toBe("0.0.0.0");
});

test("production needs an API key and writes its log as JSON", () => {
  expect(mistakesOf(() => load("profile: production")).lines[0]).toContain("needs at least one API key");
  expect(load("profile: production", { TICKWATCH_API_KEY: KEY }).config.log.format).toBe("json");
});

test("a YAML error is reported with line and column", () => {
  const { lines } = mistakesOf(() => load("http:\n  port: [1\nlog: {}\n"));
  expect(lines[0]).toMatch(/^\(tickwatch.yaml line 3, column 1\): /);
});

test("a key that stands twice is a mistake, and the rest is still checked", () => {
  const { lines } = mistakesOf(() => load("http:\n  port: 1\n  port: 2\nlog: {level: x}\n"));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^\(tickwatch.yaml line 3, column 3\): .*unique/);
});

test("a section whose lines are all comments counts as absent", () => {
  expect(load("http:\n  # port: 1\n").config.http.port).toBe(8080);
});

test("JSON is read like YAML", () => {
  const cwd = folder({ "tickwatch.json": '{"http": {"port": 8081}}' });
  const loaded = loadConfig({ env: {}, cwd, hostname: "h" });
  expect(loaded.config.http.port).toBe(8081);
  expect(loaded.file).toBe("tickwatch.json");
});

test("the command line goes before TICKWATCH_CONFIG, and that before the files that are looked for", () => {
  const cwd = folder({ "a.yaml": "instance: a", "b.yaml": "instance: b", "tickwatch.yaml": "instance: c" });
  const env = { TICKWATCH_CONFIG: "b.yaml" };
  const named = (request: Partial<ConfigRequest>) =>
    loadConfig({ env: {}, cwd, hostname: "h", ...request }).config.instance;
  expect([named({ file: "a.yaml", env }), named({ env }), named({})]).toEqual(["a", "b", "c"]);
});

test("a second file that could be meant is named in a warning", () => {
  const cwd = folder({ "tickwatch.yaml": "", "tickwatch.yml": "" });
  expect(loadConfig({ env: {}, cwd, hostname: "h" }).warnings).toEqual([
    "tickwatch.yml is ignored because tickwatch.yaml exists; keep one of them",
  ]);
});

test("a named file that does not exist is a mistake", () => {
  const { lines } = mistakesOf(() => loadConfig({ file: "no.yaml", env: {}, cwd: folder(), hostname: "h" }));
  expect(lines[0]).toContain("cannot be read: ENOENT");
});

test("${VAR} takes the value of the variable, as a number where one is due, and $${VAR} stays", () => {
  const yaml = "instance: ${WHO}-1\nhttp: {port: '${PORT}'}\ndaemon: {name: '$${WHO}'}";
  const { config, origins } = load(yaml, { WHO: "desk", PORT: "8099" });
  expect([config.instance, config.http.port, config.daemon.name]).toEqual(["desk-1", 8099, "${WHO}"]);
  expect(origins.get("instance")).toBe("tickwatch.yaml line 1, from WHO");
});

test("the file's own values keep their origin, overridden ones name the variable", () => {
  const { origins } = load("http:\n  port: 1\n  host: 127.0.0.1\n", { TICKWATCH_HTTP_PORT: "2" });
  expect(origins.get("http.port")).toBe("TICKWATCH_HTTP_PORT");
  expect(origins.get("http.host")).toBe("tickwatch.yaml line 3");
});

const OVERRIDDEN: Readonly<Record<string, readonly [text: string, value: unknown]>> = {
  TICKWATCH_PROFILE: ["development", "development"],
  TICKWATCH_INSTANCE: ["desk", "desk"],
  TICKWATCH_DATA_DIR: ["/var/lib/tickwatch", "/var/lib/tickwatch"],
  TICKWATCH_HTTP_HOST: ["localhost", "localhost"],
  TICKWATCH_HTTP_PORT: ["8181", 8181],
  TICKWATCH_API_KEY: [KEY, [{ name: "env", key: KEY }]],
  TICKWATCH_API_KEYS: [
    `a=${KEY}, b=x=${KEY}`,
    [
      { name: "a", key: KEY },
      { name: "b", key: `x=${KEY}` },
    ],
  ],
  QUESTDB_URL: ["https://db.example:9001", "https://db.example:9001"],
  QUESTDB_USER: ["writer", "writer"],
  QUESTDB_PASSWORD: ["pw", "pw"],
  TICKWATCH_QUESTDB_VERSION: ["9.2.3", "9.2.3"],
  TICKWATCH_QUESTDB_START: ["java", "java"],
  TICKWATCH_QUESTDB_HTTP_PORT: ["9100", 9100],
  TICKWATCH_QUESTDB_PG_PORT: ["8912", 8912],
  TICKWATCH_LOG_LEVEL: ["debug", "debug"],
  TICKWATCH_LOG_FORMAT: ["json", "json"],
  TICKWATCH_EXCHANGES: ["none", []],
};

test("every override is tried here", () => {
  expect(Object.keys(OVERRIDDEN).sort()).toEqual(ENV_OVERRIDES.map((entry) => entry.env).sort());
});

test.each(ENV_OVERRIDES)("$env goes before the file", ({ env, path }) => {
  const [text, value] = OVERRIDDEN[env] ?? ["", undefined];
  const { config, origins } = load("http: {}", { [env]: text });
  const effective = path.reduce<unknown>((at, key) => Reflect.get(Object(at), key), config);
  expect(effective).toEqual(value);
  expect(origins.get(path.join("."))).toContain(env);
});

test("an empty variable counts as not set, a wrong one is named", () => {
  expect(load("", { TICKWATCH_HTTP_PORT: "" }).config.http.port).toBe(8080);
  expect(mistakesOf(() => load("", { TICKWATCH_HTTP_PORT: "web" })).lines).toEqual([
    'http.port (TICKWATCH_HTTP_PORT): must be an integer from 1 to 65535, not "web"',
  ]);
});

test("TICKWATCH_EXCHANGES chooses exchanges and keeps what the file says about them", () => {
  const yaml = "pipeline: {exchanges: [{id: okx, symbols: [BTC/USDT:USDT]}, {id: gate}]}";
  const { config, origins } = load(yaml, { TICKWATCH_EXCHANGES: "bybit, okx" });
  expect([...origins.keys()].filter((path) => path.startsWith("pipeline.exchanges["))).toEqual([]);
  expect(config.pipeline.exchanges.map((e) => [e.id, e.symbols.length])).toEqual([
    ["bybit", 10],
    ["okx", 1],
  ]);
});

test("keys from variables are added to those of the file, and two of one name are refused", () => {
  const yaml = `http: {keys: [{name: file, key: ${KEY}}]}`;
  const { config } = load(yaml, { TICKWATCH_API_KEY: KEY });
  expect(config.http.keys.map((k) => k.name)).toEqual(["file", "env"]);
  const again = mistakesOf(() => load(yaml, { TICKWATCH_API_KEYS: `file=${KEY}` }));
  expect(again.lines[0]).toContain("two keys are named file");
});

test("an unknown TICKWATCH_ variable is a warning that names the right one", () => {
  expect(load("", { TICKWATCH_HTTP_PROT: "1", OTHER: "2" }).warnings).toEqual([
    "the environment variable TICKWATCH_HTTP_PROT is unknown and has no effect; did you mean TICKWATCH_HTTP_PORT?",
  ]);
  expect(load("instance: ${TICKWATCH_NAME}", { TICKWATCH_NAME: "x" }).warnings).toEqual([]);
});

test("a key is read from its file, and its path stays visible", () => {
  const cwd = folder({ "tickwatch.yaml": "http: {keys: [{name: a, keyFile: key}]}", key: `${KEY}\n` });
  const { config, warnings } = loadConfig({ env: {}, cwd, hostname: "h" });
  expect(config.http.keys).toEqual([{ name: "a", keyFile: "key", key: KEY }]);
  expect(warnings).toEqual([]);
  chmodSync(join(cwd, "key"), 0o644);
  expect(loadConfig({ env: {}, cwd, hostname: "h" }).warnings[0]).toContain("chmod 600 key");
});

test.each([
  ["empty", "", "key is empty"],
  ["short", "abc", "must have at least 16 characters"],
])("a key file that is %s is a mistake", (_, text, expected) => {
  const cwd = folder({ "tickwatch.yaml": "http: {keys: [{name: a, keyFile: key}]}", key: text });
  const { lines } = mistakesOf(() => loadConfig({ env: {}, cwd, hostname: "h" }));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(expected);
});

test("a key file that is missing is a mistake beside the others", () => {
  const { lines } = mistakesOf(() => load("http: {port: x, keys: [{name: a, keyFile: none}]}"));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain("http.keys[0].keyFile (tickwatch.yaml line 1): none cannot be read");
});

test.each([
  ["a short key", "http: {keys: [{name: a, key: hush}]}"],
  ["a key of the wrong type", "http: {keys: [{name: a, key: {hush: hush}}]}"],
  ["keys of the wrong type", "http: {keys: hush}"],
  ["a password of the wrong type", "questdb: {password: [hush]}"],
  ["a whole section of the wrong type", "questdb: hush"],
  ["a value from the environment", "log: {level: '${HUSH}'}"],
  ["a password in the address", "questdb: {url: 'htp://me:hush@127.0.0.1:9000'}"],
])("a refusal does not repeat %s", (_, yaml) => {
  const { lines } = mistakesOf(() => load(yaml, { HUSH: "hush" }));
  expect(lines.join("\n")).not.toContain("hush");
});

test("the result cannot be changed", () => {
  const { config } = load("");
  expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
  expect(() => Object.assign(config.pipeline.exchanges, { length: 0 })).toThrow(TypeError);
});
