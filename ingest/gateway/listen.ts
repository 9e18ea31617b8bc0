// Opens the gateway's port, and says in plain words what to do when that is not possible.
import type { FastifyInstance } from "fastify";
import { messageOf, TickwatchError } from "../errors.ts";
import { portOwner } from "./port_owner.ts";

/** Where the gateway listens. */
export interface Address {
  /** For programs on this machine, without a slash at the end. */
  readonly url: string;
  readonly port: number;
}

/**
 * Listens. `localhost` means 127.0.0.1: one address, the same on every machine. Rejects with ENVIRONMENT when the port
 * is taken or the address is not this machine's.
 */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<Address> {
  const bound = host.toLowerCase() === "localhost" ? "127.0.0.1" : host;
  try {
    await app.listen({ host: bound, port });
  } catch (error) {
    await app.close();
    throw new TickwatchError("ENVIRONMENT", await explained(error, bound, port), { cause: error });
  }
  const address = app.server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  return { url: `http://${reachable(bound)}:${actual}`, port: actual };
}

function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

async function explained(error: unknown, host: string, port: number): Promise<string> {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const another = "choose another port with TICKWATCH_HTTP_PORT or http.port";
  switch (code) {
    case "EADDRINUSE": {
      const owner = await portOwner(port);
      const who = owner === undefined ? "another program" : `${owner.command} (process ${owner.pid})`;
      return `port ${port} on ${host} is in use by ${who}: stop it, or ${another}`;
    }
    case "EACCES":
      return `port ${port} on ${host} may not be opened by this user (ports below 1024 often may not): ${another}`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is not an address of this machine: set http.host to 127.0.0.1 or to one that is`;
    default:
      return `cannot listen on port ${port} of ${host}: ${messageOf(error)}`;
  }
}
