// Promises of the start lock: one at a time, the living are respected, the dead are not waited for.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../ingest/clock.ts";
import { identify } from "../../ingest/process_identity.ts";
import { withStartLock } from "../../ingest/questdb/start_lock.ts";
import { runChild } from "../support/questdb_child.ts";

const NEVER = new AbortController().signal;

async function lockIn(timeoutMs: number) {
  const root = await mkdtemp(join(tmpdir(), "tickwatch-test-lock-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const waited: number[] = [];
  const options = {
    ...{ root, clock: systemClock(), timeoutMs },
    onWait: ({ pid }: { readonly pid: number }) => void waited.push(pid),
  };
  return { root, waited, options };
}

test("of many at once one works at a time, and all of them get to", async () => {
  const { root, options } = await lockIn(20_000);
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await options.clock.sleep(2);
    inside -= 1;
    return 1;
  };
  const done = await Promise.all(Array.from({ length: 10 }, () => withStartLock(options, work, NEVER)));
  expect(done).toHaveLength(10);
  expect(most).toBe(1);
  expect(await readdir(root)).toEqual([]);
});

test("the lock of a dead process, of a number that another process has now, and a damaged one are taken over", async () => {
  const self = await identify(process.pid);
  const left = [
    JSON.stringify({ pid: 4_194_300, began: "long ago" }),
    JSON.stringify({ pid: self?.pid, began: "another boot" }),
    "{ half a li",
  ];
  for (const text of left) {
    const { root, options, waited } = await lockIn(5_000);
    await writeFile(join(root, "start.lock"), text);
    expect(await withStartLock(options, async () => "mine", NEVER)).toBe("mine");
    expect(waited).toEqual([]);
    expect(await readdir(root)).toEqual([]);
  }
});

test("a living holder is waited for, named, and respected also when that takes too long", async () => {
  const { root, options, waited } = await lockIn(300);
  const other = runChild("questdb_idle.ts", {});
  await other.first();
  await writeFile(join(root, "start.lock"), JSON.stringify(await identify(other.pid)));
  await expect(withStartLock(options, async () => "mine", NEVER)).rejects.toMatchObject({
    code: "ENVIRONMENT",
    message: expect.stringContaining(`process ${other.pid}`),
  });
  expect(waited).toEqual([other.pid]);
  other.kill("SIGKILL");
  await other.ended;
  expect(await withStartLock(options, async () => "mine", NEVER)).toBe("mine");
});

test("work that fails gives the lock back", async () => {
  const { options } = await lockIn(5_000);
  const failing = withStartLock(options, () => Promise.reject(new Error("no luck")), NEVER);
  await expect(failing).rejects.toThrow("no luck");
  expect(await withStartLock(options, async () => "mine", NEVER)).toBe("mine");
});
