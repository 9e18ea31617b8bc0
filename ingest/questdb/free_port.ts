// Finds TCP ports of this machine that nobody listens on. Knows nothing of who will use them.
import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";
import { TickwatchError } from "../errors.ts";

const TRIED_MAX = 100;

// Below the ports that systems hand out for outgoing connections (Linux from 32768, others from 49152): one of those can
// be taken by any connection of any program before the server that it is meant for listens.
const ANY_FROM = 20_000;
const ANY_BELOW = 32_768;

/**
 * `wanted`, or the next higher port that is free and not in `taken`; 0 asks for any. Between this answer and its use
 * another process can take the port: the caller handles that as a failed start. Throws ENVIRONMENT.
 */
export async function freePort(wanted: number, taken: ReadonlySet<number>): Promise<number> {
  if (wanted === 0) {
    for (;;) {
      const port = randomInt(ANY_FROM, ANY_BELOW);
      if (!taken.has(port) && (await isFree(port))) return port;
    }
  }
  for (let port = wanted; port < Math.min(wanted + TRIED_MAX, 65_536); port++) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new TickwatchError("ENVIRONMENT", `no free port from ${wanted} on: free one, or configure another`);
}

/** Nobody listens on the port, neither on 127.0.0.1 nor on all addresses. */
export async function isFree(port: number): Promise<boolean> {
  // Asked both ways: some systems let 127.0.0.1 be bound while another process listens on all addresses.
  return !(await answers(port)) && (await canListen(port));
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
