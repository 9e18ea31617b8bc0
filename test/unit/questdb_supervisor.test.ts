// Promises of the supervisor: it tries on for ever with growing pauses, tells each outage once, and stops at any moment.
import { expect, test, vi } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { createLog } from "../../ingest/log.ts";
import type { ServerExit, ServerProcess } from "../../ingest/questdb/server_process.ts";
import { type Restart, supervise } from "../../ingest/questdb/supervisor.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { until } from "../support/questdb_until.ts";

function server(pid: number) {
  let end = (_: ServerExit): void => undefined;
  const ended = new Promise<ServerExit>((resolve) => {
    end = resolve;
  });
  let terminated = 0;
  const process: ServerProcess = {
    pid,
    ended: () => ended,
    async terminate() {
      terminated += 1;
      end({ exitCode: 0, signal: null });
    },
  };
  return { process, crash: () => end({ exitCode: 137, signal: null }), terminated: () => terminated };
}

function silentLog() {
  const log = createLog({ level: "silent", format: "json" });
  return { log, warn: vi.spyOn(log, "warn"), error: vi.spyOn(log, "error"), info: vi.spyOn(log, "info") };
}

test("failed attempts are repeated with pauses that double up to half a minute, and reported once each way", async () => {
  const clock = new ManualClock();
  const { log, warn, error, info } = silentLog();
  const first = server(1);
  const second = server(2);
  const attemptsAtMs: number[] = [];
  const beganMs = clock.monotonicMs();
  const restarts: Restart[] = [];
  const supervisor = supervise(first.process, {
    clock,
    log,
    async relaunch() {
      attemptsAtMs.push(clock.monotonicMs() - beganMs);
      if (attemptsAtMs.length < 10) throw new Error("port in use");
      return second.process;
    },
  });
  supervisor.onRestart((restart) => restarts.push(restart));
  first.crash();
  for (let i = 0; restarts.length === 0; i++) {
    if (i > 1000) throw new Error("no restart");
    await clock.advance(250);
  }
  const pauses = attemptsAtMs.map((at, i) => at - (attemptsAtMs[i - 1] ?? 0));
  expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  expect(supervisor.pid()).toBe(2);
  expect(restarts).toMatchObject([{ attempts: 10, exit: { exitCode: 137 }, downtimeMs: 121_750 }]);
  expect([warn.mock.calls.length, error.mock.calls.length, info.mock.calls.length]).toEqual([1, 1, 1]);
  await supervisor.stop();
  expect([first.terminated(), second.terminated()]).toEqual([0, 1]);
});

test("stop while a start is under way ends that start and leaves nothing running", async () => {
  const first = server(1);
  const late = server(2);
  let relaunching = false;
  const supervisor = supervise(first.process, {
    clock: systemClock(),
    log: silentLog().log,
    relaunch: (signal) =>
      new Promise((resolve) => {
        relaunching = true;
        signal.addEventListener("abort", () => resolve(late.process));
      }),
  });
  first.crash();
  await until("the start", () => relaunching);
  await supervisor.stop();
  await supervisor.stop();
  expect(late.terminated()).toBe(1);
});

test("a server that is stopped is not started again", async () => {
  const relaunch = vi.fn();
  const first = server(1);
  const supervisor = supervise(first.process, { clock: systemClock(), log: silentLog().log, relaunch });
  await supervisor.stop();
  expect(first.terminated()).toBe(1);
  expect(relaunch).not.toHaveBeenCalled();
});
