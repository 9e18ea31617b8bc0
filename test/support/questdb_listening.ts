// Which addresses a process listens on, as the kernel tells (Linux).
import { readdir, readFile, readlink } from "node:fs/promises";

export interface Listening {
  readonly port: number;
  readonly loopback: boolean;
}

const LISTEN = "0A";
const LOOPBACK_V4 = "0100007F";
const LOOPBACK_V6 = ["00000000000000000000000001000000", "0000000000000000FFFF00000100007F"];

/** TCP sockets on which the process accepts connections, by port. */
export async function listeningOf(pid: number): Promise<readonly Listening[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const found: Listening[] = [];
  for (const table of ["tcp", "tcp6"]) {
    const text = await readFile(`/proc/${pid}/net/${table}`, "utf8");
    for (const line of text.trim().split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      if (state !== LISTEN || !inodes.has(inode)) continue;
      const [address = "", port = ""] = local.split(":");
      const loopback = address === LOOPBACK_V4 || LOOPBACK_V6.includes(address);
      found.push({ port: Number.parseInt(port, 16), loopback });
    }
  }
  return found.sort((a, b) => a.port - b.port);
}
