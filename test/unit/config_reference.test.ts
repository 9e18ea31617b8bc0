import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readDocument } from "../../ingest/config/document.ts";
import { ENV_OVERRIDES } from "../../ingest/config/env.ts";
import { loadConfig } from "../../ingest/config/load.ts";
import { HIDDEN, redact } from "../../ingest/config/redact.ts";
import { configReference, configTable } from "../../ingest/config/reference.ts";
import { listSettings, settingOf } from "../../ingest/config/settings.ts";

const ROOT = join(import.meta.dirname, "../..");
const EXAMPLE = join(ROOT, "tickwatch.example.yaml");
const KEY = "a-key-of-enough-length";

function folder(yaml: string): string {
  const path = mkdtempSync(join(tmpdir(), "tickwatch-reference-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  writeFileSync(join(path, "tickwatch.yaml"), yaml);
  return path;
}

/** The example with every commented setting in effect instead of the line it is an alternative to. */
function everythingUncommented(): string {
  const lines = readFileSync(EXAMPLE, "utf8").split("\n");
  const commented = lines.flatMap((line) => /^( *)#([a-zA-Z]+):/.exec(line)?.slice(1, 3).join("") ?? []);
  const isAlternative = (line: string) => commented.some((start) => line.startsWith(`${start}:`));
  const kept: string[] = [];
  let replacing = false;
  for (const line of lines) {
    if (isAlternative(line)) replacing = true;
    else if (replacing && !/^ {4}- /.test(line)) replacing = false;
    if (!replacing) kept.push(line.replace(/^( *)#(?=[^ ]| {2})/, "$1"));
  }
  return kept.join("\n");
}

test("the example says exactly the defaults", () => {
  const request = { env: {}, cwd: folder(""), hostname: "h" };
  const { config, warnings } = loadConfig({ ...request, file: EXAMPLE });
  expect(config).toEqual(loadConfig(request).config);
  expect(warnings).toEqual([]);
});

test("the example shows every setting, with values that are accepted", () => {
  const yaml = everythingUncommented();
  const cwd = folder(yaml.replace("/run/secrets/backfill_key", "key"));
  writeFileSync(join(cwd, "key"), KEY, { mode: 0o600 });
  const env = { TRADING_DAEMON_KEY: KEY, QUESTDB_PASSWORD: "pw" };
  expect(() => loadConfig({ env, cwd, hostname: "h" })).not.toThrow();
  const shown = new Set([...readDocument(undefined, cwd).places.keys()].map(settingOf));
  for (const { path } of listSettings()) expect(shown).toContain(path);
});

test("every setting of the reference has a type and a sentence", () => {
  for (const row of configReference()) {
    expect(row.doc, row.path).toMatch(/\.$/);
    expect(row.type, row.path).not.toBe("anything");
  }
});

test("the reference knows defaults, limits and variables", () => {
  const rows = new Map(configReference().map((row) => [row.path, row]));
  expect(rows.get("http.port")).toMatchObject({
    type: "integer from 1 to 65535",
    default: "8080",
    env: "TICKWATCH_HTTP_PORT",
  });
  expect(rows.get("http.keys[].name")).toMatchObject({ default: "required" });
  expect(rows.get("spool.whenFull")).toMatchObject({ type: "one of reject, block", default: "reject" });
});

test("every override points at a setting that exists", () => {
  const paths = listSettings().map((setting) => setting.path);
  for (const { path } of ENV_OVERRIDES) expect(paths).toContain(path.join("."));
});

test("docs/configuration.md holds the table as generated", () => {
  expect(readFileSync(join(ROOT, "docs/configuration.md"), "utf8")).toContain(configTable());
});

test("no secret is left in a redacted configuration, and what is absent stays absent", () => {
  const yaml = `http: {keys: [{name: a, key: ${KEY}}]}\nquestdb: {url: 'http://me:hush@127.0.0.1:9000', password: hush, httpPassword: hush}`;
  const { config } = loadConfig({ env: {}, cwd: folder(yaml), hostname: "h" });
  const shown = redact(config);
  expect(JSON.stringify(shown)).not.toMatch(new RegExp(`${KEY}|hush`));
  expect(shown).toMatchObject({
    http: { keys: [{ name: "a", key: HIDDEN }] },
    questdb: { url: "http://***@127.0.0.1:9000", password: HIDDEN, httpPassword: HIDDEN },
  });
  expect(shown).not.toHaveProperty("questdb.user");
});

test("every setting named like a secret is marked as one", () => {
  for (const { path, secret } of listSettings()) {
    expect([path, secret]).toEqual([path, /(password|secret|token|\.key)$/i.test(path)]);
  }
});
