// Who listens on a TCP port of this machine, for the error of a port in use. Reads what Linux tells under /proc without
// asking another program; on other systems, or for another user's process, nothing is found.
import { readdir, readFile, readlink } from "node:fs/promises";

export interface PortOwner {
  readonly pid: number;
  /** Name of the program, without its arguments: they may hold secrets. */
  readonly command: string;
}

const LISTENING = "0A";

/** The process that listens on the port, as far as it can be told. Never rejects. */
export async function portOwner(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(textOf));
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  const pids = (await entriesOf("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (!(await holdsOneOf(inodes, pid))) continue;
    return { pid: Number(pid), command: (await textOf(`/proc/${pid}/comm`)).trim() };
  }
  return undefined;
}

/** Columns of proc_net_tcp(5): 1 is the local address as `hex address:hex port`, 3 the state, 9 the inode. */
function listeningInodes(table: string, port: number): readonly string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(wanted) && columns[3] === LISTENING)
    .map((columns) => `socket:[${columns[9]}]`);
}

async function holdsOneOf(inodes: ReadonlySet<string>, pid: string): Promise<boolean> {
  for (const name of await entriesOf(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => "");
    if (inodes.has(target)) return true;
  }
  return false;
}

function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

function entriesOf(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}
