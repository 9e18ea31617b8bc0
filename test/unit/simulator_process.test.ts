// The simulator as a child process: it reports its address, ends when told to or when its parent is gone, and
// leaves nothing running.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { exchangeForTest } from "./simulator_exchange.ts";

const MODULE = new URL("../../ingest/demo/simulator/process.ts", import.meta.url).href;

/** Runs `code` in a Node that understands TypeScript, with an IPC channel unless told otherwise. */
function nodeForTest(code: string, ipc = true): ChildProcess {
  const stdio = ["ignore", "pipe", "inherit", ...(ipc ? ["ipc" as const] : [])] as const;
  const args = ["--import", "tsx", "--input-type=module", "--eval", code];
  const child = spawn(process.execPath, args, { stdio: [...stdio] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

const RUN = `import { runSimulatorProcess } from ${JSON.stringify(MODULE)}; await runSimulatorProcess();`;

async function listening(child: ChildProcess): Promise<string> {
  const [message] = (await once(child, "message")) as [{ type: string; url: string }];
  expect(message.type).toBe("listening");
  return message.url;
}

async function exitOf(child: ChildProcess): Promise<string> {
  const [code, signal] = await once(child, "exit");
  return `${code ?? signal}`;
}

test("a forked simulator tells its address, serves, ignores SIGINT and ends on SIGTERM", async () => {
  const child = nodeForTest(RUN);
  const url = await listening(child);
  const exchange = await exchangeForTest("binanceusdm", { url });
  expect(await exchange.fetchTime()).toBeTypeOf("number");
  child.kill("SIGINT");
  expect(await exchange.fetchTime()).toBeTypeOf("number");
  const exit = exitOf(child);
  child.kill("SIGTERM");
  expect(await exit).toBe("0");
});

test("a forked simulator ends when its parent disconnects", async () => {
  const child = nodeForTest(RUN);
  await listening(child);
  const exit = exitOf(child);
  child.disconnect();
  expect(await exit).toBe("0");
});

test("a simulator that a person started tells its address through a callback and ends on SIGINT", async () => {
  const code = `${RUN.replace("runSimulatorProcess()", "runSimulatorProcess({ onListening: console.log })")}`;
  const child = nodeForTest(code, false);
  const [line] = await once(child.stdout ?? child, "data");
  expect(String(line)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/);
  const exit = exitOf(child);
  child.kill("SIGINT");
  expect(await exit).toBe("0");
});

test("a simulator that was stopped keeps nothing alive", async () => {
  const simulator = JSON.stringify(MODULE.replace("process.ts", "simulator.ts"));
  const child = nodeForTest(
    `import { startExchangeSimulator } from ${simulator};
     const s = await startExchangeSimulator({ liquidationsPerMinute: 6000 });
     await s.control({ fault: "away", forMs: 60000 });
     void s.control({ fault: "burst", withinMs: 60000 });
     await s.stop();`,
    false,
  );
  expect(await exitOf(child)).toBe("0");
});
