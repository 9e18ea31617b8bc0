// What another process of this machine has used so far, from the kernel (proc(5)). Null on systems without /proc, for
// processes that are not here (a container, another host), and after their end.
import { readFileSync } from "node:fs";

/** The kernel counts CPU time in hundredths of a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system CPU seconds of all threads. */
export function cpuSecondsOf(pid: number | undefined): number | null {
  const text = pid === undefined ? undefined : read(`/proc/${pid}/stat`);
  if (text === undefined) return null;
  // The second field is the name in parentheses and may hold spaces: counted from behind it, utime is the 12th.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : null;
}

/** Resident memory in bytes. */
export function residentBytesOf(pid: number | undefined): number | null {
  const text = pid === undefined ? undefined : read(`/proc/${pid}/status`);
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(text ?? "");
  return match === null ? null : Number(match[1]) * 1024;
}

/** Bytes that this process has read through system calls, from disk or from the page cache. */
export function bytesReadBySelf(): number | null {
  const match = /^rchar: (\d+)$/m.exec(read("/proc/self/io") ?? "");
  return match === null ? null : Number(match[1]);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
