// Tells whether a process noted in a file is still that process: a number alone may have been given to another one.
// Knows nothing of what the process does, nor of the file.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** A process and the moment it began, in the system's own words. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly began: string;
}

/** The identity of a running process; undefined when there is none, or only its unburied entry. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const began = process.platform === "linux" ? await beganLinux(pid) : await beganPs(pid);
  return began === undefined ? undefined : { pid, began };
}

/** Whether exactly this process still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.began === identity.began;
}

/** Fields 3 (state) and 22 (start in clock ticks since boot) of /proc/PID/stat, counted after the name in brackets. */
async function beganLinux(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  // The name may hold spaces and brackets, but nothing behind it does.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const bootId = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : `${bootId.trim()} ${fields[19]}`;
}

const PS_TIMEOUT_MS = 5_000;

async function beganPs(pid: number): Promise<string | undefined> {
  const options = { env: { PATH: "/bin:/usr/bin", LC_ALL: "C" }, timeout: PS_TIMEOUT_MS };
  const args = ["-o", "stat=,lstart=", "-p", String(pid)];
  const output = await promisify(execFile)("ps", args, options).catch(() => undefined);
  const match = /^(\S+)\s+(.+)$/.exec(output?.stdout.trim() ?? "");
  return match?.[1]?.startsWith("Z") ? undefined : match?.[2];
}
