// Finds TCP ports of this machine that nobody listens on. Knows nothing of who will use them.
import { connect, createServer } from "node:net";
import { TickwatchError } from "../errors.ts";

const TRIED_MAX = 100;

/**
 * `wanted`, or the next higher port that is free and not in `taken`; 0 asks the system for any. Between this answer and
 * its use another process can take the port: the caller handles that as a failed start. Throws ENVIRONMENT.
 */
export async function freePort(wanted: number, taken: ReadonlySet<number>): Promise<number> {
  if (wanted === 0) {
    for (;;) {
      const port = await listen(0);
      if (port !== undefined && !taken.has(port)) return port;
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
  return !(await answers(port)) && (await listen(port)) !== undefined;
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

/** The port that could be listened on, closed again; undefined when it could not. */
function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === "object" && address !== null ? address.port : undefined;
      server.close(() => resolve(bound));
    });
  });
}
