// This machine without QuestDB: Node, the clock, the disk, limits of the operating system. Reads only.
import { readFile, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../clock.ts";
import { type Check, type Finding, failure, ok, warning } from "./check.ts";

const NODE_MIN = "20.19.0";

/** QuestDB's own recommendation for both. */
const FILES_MIN = 1_048_576;
const MAPS_MIN = 1_048_576;

/** Below this a QuestDB cannot even make its tables. */
const FREE_BYTES_MIN = 1_073_741_824;

export function nodeCheck(version: string): Check {
  return {
    name: "node",
    run: async () =>
      isAtLeast(version, NODE_MIN)
        ? ok(version)
        : failure(`${version} is too old`, `install Node ${NODE_MIN} or newer`),
  };
}

const CLOCK_SAMPLE_MS = 200;
const CLOCK_STEP_MS = 50;
/** When this was written, µs: a clock before it was never set. */
const WRITTEN_US = Date.UTC(2026, 10, 1) * 1000;

/** The wall clock must run like the monotonic one: every row is dated by it. */
export function clockCheck(clock: Clock): Check {
  return {
    name: "clock",
    async run(signal) {
      const [wallUs, monotonicMs] = [clock.nowUs(), clock.monotonicMs()];
      await clock.sleep(CLOCK_SAMPLE_MS, signal);
      const stepMs = (clock.nowUs() - wallUs) / 1000 - (clock.monotonicMs() - monotonicMs);
      const now = new Date(wallUs / 1000).toISOString();
      const remedy = "set the clock and keep it with a time service (timedatectl set-ntp true)";
      if (wallUs < WRITTEN_US) return failure(`${now} cannot be: the clock was never set`, remedy);
      if (Math.abs(stepMs) > CLOCK_STEP_MS)
        return warning(`stepped by ${stepMs.toFixed(0)} ms while it was watched`, remedy);
      return ok(now);
    },
  };
}

/** Room for the spool, and for a QuestDB that lives in the same folder. */
export function diskCheck(folder: string, spoolBytesMax: number): Check {
  return {
    name: "disk",
    async run() {
      const freeBytes = await freeBytesOf(folder);
      const detail = `${gigabytes(freeBytes)} free for ${folder}`;
      if (freeBytes < FREE_BYTES_MIN)
        return failure(detail, "free some space, or set dataDir to a folder on another disk");
      if (freeBytes < spoolBytesMax)
        return warning(
          `${detail}, less than the ${gigabytes(spoolBytesMax)} that the spool may take`,
          "free some space, set dataDir to a folder on another disk, or lower spool.bytesMax",
        );
      return ok(detail);
    },
  };
}

/** Limits that a QuestDB started on this machine inherits. Linux only; elsewhere there is nothing to read. */
export function limitsCheck(): Check {
  return {
    name: "system limits",
    async run() {
      const [limits, maps] = await Promise.all([
        textOf("/proc/self/limits"),
        textOf("/proc/sys/vm/max_map_count"),
      ]);
      if (limits === undefined || maps === undefined) return ok("not known on this system");
      return limitsFinding(limits, Number(maps));
    },
  };
}

/** Judges the text of /proc/self/limits and the value of vm.max_map_count. */
export function limitsFinding(limits: string, maps: number): Finding {
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  const files = soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  const detail = `${files} open files, ${maps} memory maps`;
  const remedies = [
    ...(files < FILES_MIN ? [`ulimit -n ${FILES_MIN} (in the shell or unit that starts QuestDB)`] : []),
    ...(maps < MAPS_MIN ? [`sudo sysctl -w vm.max_map_count=${MAPS_MIN}`] : []),
  ];
  if (remedies.length === 0) return ok(detail);
  return warning(
    `${detail}: enough for a few months of data; QuestDB recommends ${FILES_MIN} of both`,
    remedies.join("\n"),
  );
}

/** Of the folder, or of the nearest one above it that exists. */
async function freeBytesOf(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if (folder === dirname(folder)) throw error;
    return freeBytesOf(dirname(folder));
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function isAtLeast(version: string, least: string): boolean {
  const [have, need] = [version, least].map((v) => v.split(".").map(Number));
  for (const [i, part] of (need ?? []).entries()) {
    const own = have?.[i] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
