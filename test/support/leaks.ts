// Vitest's setup file: a test file fails when something that it started outlives it, and the failure names it. Looks
// at what Node itself reports, so tests need not know that this file exists.
import { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";

/** What was closed in the last test may still be on its way out, on a loaded machine too. */
const PATIENCE_MS = 5_000;

const children: ChildProcess[] = [];
const servers: Server[] = [];
let before = new Map<string, number>();

subscribe("child_process", (message) => {
  const child = fieldOf(message, "process");
  if (child instanceof ChildProcess) children.push(child);
});
subscribe("tracing:net.server.listen:asyncEnd", (message) => {
  const server = fieldOf(message, "server");
  if (server instanceof Server) servers.push(server);
});

// Standard streams are opened when they are first used; that must not look like a leak of whoever uses them first.
void [process.stdout, process.stderr];

// Vitest's own connection to its workers lasts; its timers come and go.
beforeAll(() => {
  before = countByKind(process.getActiveResourcesInfo().filter((kind) => kind !== "Timeout"));
});

// Registered before the hooks of the test file, so it runs after them.
afterAll(async () => {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (leaks().length > 0 && performance.now() < deadlineMs) await delay(20);
  const found = leaks();
  for (const child of runningChildren()) child.kill("SIGKILL");
  if (found.length === 0) return;
  const advice = "`npx vitest run --detectAsyncLeaks FILE` shows where timers and sockets were made";
  throw new Error(`still there after the last test:\n- ${found.join("\n- ")}\n${advice}`);
}, PATIENCE_MS + 5_000);

/** One line for each thing that is still there. Processes and servers count even when nobody waits for them. */
function leaks(): string[] {
  const processes = runningChildren().map(({ pid, spawnargs }) => `process ${pid}: ${spawnargs.join(" ")}`);
  const listening = servers.filter((server) => server.listening);
  const others = countByKind(process.getActiveResourcesInfo());
  for (const [kind, count] of before) others.set(kind, (others.get(kind) ?? 0) - count);
  // Named above already, if they are seen at all.
  for (const named of ["ProcessWrap", "TCPServerWrap"]) others.delete(named);
  return [
    ...processes,
    ...listening.map((server) => `server on ${JSON.stringify(server.address())}`),
    ...[...others].filter(([, count]) => count > 0).map(([kind, count]) => `${count} x ${kind}`),
  ];
}

function runningChildren(): ChildProcess[] {
  return children.filter(
    (child) => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
  );
}

function countByKind(kinds: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

function fieldOf(message: unknown, field: string): unknown {
  if (typeof message !== "object" || message === null) return undefined;
  return Reflect.get(message, field);
}
