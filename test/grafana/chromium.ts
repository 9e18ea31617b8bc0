// A headless Chromium of its own: found on this machine, started with an empty profile, ended with all its processes.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import * as z from "zod";
import { newFamily } from "../support/service_family.ts";
import { BrowserPage, type PageOptions } from "./browser_page.ts";
import { DevTools } from "./devtools.ts";

export interface Chromium {
  /** A new tab without cookies of the others. */
  open(options: PageOptions): Promise<BrowserPage>;
  stop(): Promise<void>;
}

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const START_MS = 30_000;

const FLAGS = [
  "--headless=new",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--disable-extensions",
  "--disable-component-update",
  "--disable-background-networking",
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--no-first-run",
  "--hide-scrollbars",
  "--force-color-profile=srgb",
  "--remote-debugging-port=0",
];

/** Path of the browser: CHROMIUM, or the first on the PATH. */
export function chromiumPath(): string | undefined {
  const named = process.env["CHROMIUM"];
  if (named) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}

/** Starts it and resolves when it takes commands. */
export async function startChromium(path: string): Promise<Chromium> {
  const profile = await mkdtemp(join(tmpdir(), "tickwatch-test-chromium-"));
  const family = newFamily();
  // Its sandbox does not work for root.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const child = spawn(path, [...FLAGS, ...sandbox, `--user-data-dir=${profile}`, "about:blank"], {
    env: { ...process.env, ...family.env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let devtools: DevTools | undefined;
  const stop = async () => {
    await devtools?.close();
    const gone = child.exitCode !== null || new Promise((resolve) => child.once("close", resolve));
    await family.end();
    await gone;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const connected = await DevTools.connect(await devtoolsUrl(child.stderr));
    devtools = connected;
    return { stop, open: (options) => openPage(connected, options) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address that it prints when it is ready. */
function devtoolsUrl(stderr: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const fail = (why: string) => reject(new Error(`Chromium did not start: ${why}\n${text}`));
    const timer = setTimeout(() => fail(`silent for ${START_MS} ms`), START_MS);
    stderr.setEncoding("utf8");
    stderr.on("data", (more: string) => {
      text = (text + more).slice(-20_000);
      const url = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
    stderr.once("close", () => {
      clearTimeout(timer);
      fail("it ended");
    });
  });
}

async function openPage(devtools: DevTools, options: PageOptions): Promise<BrowserPage> {
  const context = z.object({ browserContextId: z.string() });
  const { browserContextId } = await devtools.send("Target.createBrowserContext", {}, context);
  const { targetId } = await devtools.send(
    "Target.createTarget",
    { url: "about:blank", browserContextId },
    z.object({ targetId: z.string() }),
  );
  const { sessionId } = await devtools.send(
    "Target.attachToTarget",
    { targetId, flatten: true },
    z.object({ sessionId: z.string() }),
  );
  return await BrowserPage.prepare(devtools, sessionId, browserContextId, options);
}
