// The rendered dashboards cannot part from their sources unseen. Where jsonnet or grafonnet is not there, a stand-in
// that only prints plays jsonnet; the real one is used by the last test.
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { evaluate, whatIsMissing } from "../../scripts/jsonnet.ts";
import { renderDashboards } from "../../scripts/render_dashboards.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const missing = await whatIsMissing(join(import.meta.dirname, "../.."), process.env);
const ROOT = join(import.meta.dirname, "../..");
const OUTPUT = "provisioning/dashboards/files/tickwatch/one.json";
const MAIN = "dashboards-jsonnet/vendor/github.com/grafana/grafonnet/gen/x/main.libsonnet";

interface Project {
  readonly root: string;
  /** Runs the command there. */
  run(...args: string[]): Promise<{ code: number; said: string }>;
}

/** A project of one dashboard, which its jsonnet renders as `rendered`. */
async function project(rendered: unknown): Promise<Project> {
  const root = await temporaryFolder();
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text, { mode: 0o755 });
  };
  const git = { remote: "https://example.invalid/grafonnet.git", subdir: "gen/x" };
  const sum = createHash("sha256").update("{}").digest("base64");
  write(
    "dashboards-jsonnet/jsonnetfile.lock.json",
    JSON.stringify({ dependencies: [{ source: { git }, sum }] }),
  );
  write("dashboards-jsonnet/dashboards/one.jsonnet", "{ uid: 'one' }\n");
  write("schema/generated/columns.libsonnet", "{}\n");
  write(MAIN, "{}");
  const values = JSON.stringify({ "dashboards-jsonnet/dashboards/one.jsonnet": rendered });
  write("bin/jsonnet", `#!/bin/sh\ncat <<'END'\n${values}\nEND\n`);
  const env = { ...process.env, PATH: `${join(root, "bin")}:/usr/bin:/bin` };
  return {
    root,
    async run(...args) {
      const lines: string[] = [];
      const code = await renderDashboards([...args, "--root", root], (line) => lines.push(line), env);
      return { code, said: lines.join("\n") };
    },
  };
}

async function renderedProject(): Promise<Project> {
  const made = await project({ uid: "one" });
  expect((await made.run()).code).toBe(0);
  return made;
}

test("a rendering writes the dashboard and a manifest that --check then agrees with", async () => {
  const { root, run } = await project({ uid: "one" });
  expect(await run()).toEqual({ code: 0, said: `wrote ${OUTPUT}` });
  expect(readFileSync(join(root, OUTPUT), "utf8")).toBe('{\n  "uid": "one"\n}\n');
  expect(await run("--check")).toEqual({ code: 0, said: "" });
  expect(await run()).toEqual({ code: 0, said: "1 files are up to date" });
});

test("a source that changed since the rendering is named", async () => {
  const { root, run } = await renderedProject();
  appendFileSync(join(root, "dashboards-jsonnet/dashboards/one.jsonnet"), "// changed\n");
  const { code, said } = await run("--check");
  expect(code).toBe(1);
  expect(said).toContain(
    "dashboards-jsonnet/dashboards/one.jsonnet is not what the dashboards were rendered from",
  );
  expect(said).toContain("npm run dashboards");
});

test("a rendered file that was edited, or has no source, is named; the next rendering removes the latter", async () => {
  const { root, run } = await renderedProject();
  appendFileSync(join(root, OUTPUT), " ");
  writeFileSync(join(root, OUTPUT.replace("one", "two")), "{}");
  const { code, said } = await run("--check");
  expect(code).toBe(1);
  expect(said).toContain("one.json is not what was rendered");
  expect(said).toContain("two.json is not what was rendered");
  expect((await run()).said).toContain("two.json: its source is gone");
  expect((await run("--check")).code).toBe(0);
});

test("without jsonnet, --check goes by the manifest and says so, and rendering says what to install", async () => {
  const { root, run } = await renderedProject();
  rmSync(join(root, MAIN));
  const unchanged = await run("--check");
  expect(unchanged.code).toBe(0);
  expect(unchanged.said).toContain("compared with the manifest only");
  const rendering = await run();
  expect(rendering.code).toBe(1);
  expect(rendering.said).toContain("run `jb install`");
  rmSync(join(root, OUTPUT));
  expect((await run("--check")).code).toBe(1);
});

test("another grafonnet than the pinned one is refused", async () => {
  const { root, run } = await renderedProject();
  writeFileSync(join(root, MAIN), "{ other: true }");
  expect(await run()).toMatchObject({ code: 1 });
  expect((await run()).said).toContain("is not what jsonnetfile.lock.json pins");
});

test("a fresh rendering that differs is found even when all hashes agree", async () => {
  const { root, run } = await renderedProject();
  const other = await project({ uid: "other" });
  cpSync(join(other.root, "bin/jsonnet"), join(root, "bin/jsonnet"));
  const { code, said } = await run("--check");
  expect(code).toBe(1);
  expect(said).toBe(`${OUTPUT} differs from a fresh rendering; run \`npm run dashboards\``);
});

test("the committed dashboards are what the sources say", { timeout: 60_000 }, async () => {
  const lines: string[] = [];
  const code = await renderDashboards(["--check"], (line) => lines.push(line));
  const said = missing === undefined ? [] : [`compared with the manifest only: ${missing}`];
  expect({ code, lines }).toEqual({ code: 0, lines: said });
});

test.skipIf(missing !== undefined)("a panel that lacks what a reader needs is not rendered", async () => {
  const folder = join(await temporaryFolder(), "bad.jsonnet");
  const lib = join(ROOT, "dashboards-jsonnet/lib/tickwatch.libsonnet");
  const panel = `{ id: 1, title: 'Lag', min: 0, unit: 'ms', noValue: '-', targets: [], threshold: 1 }`;
  writeFileSync(folder, `local tw = import '${lib}'; tw.panel.timeSeries(${panel})`);
  await expect(evaluate(ROOT, [folder], process.env)).rejects.toThrow(
    'panel 1 "Lag" lacks description, thresholds',
  );
});
