// Keeps web pages from writing through a browser on this machine while there are no API keys.
//
// Listening on 127.0.0.1 keeps other machines out, but a browser here opens pages from everywhere, and their scripts
// can send requests to 127.0.0.1. Two ways are closed. A page may post across origins without reading the answer
// (CSRF): browsers put `Origin` on such a request, and only configured origins pass. A page may give its own host name
// our address (DNS rebinding) and is then "same origin": but its requests carry that name in `Host`, and only names of
// this machine pass. With keys neither matters, since a page cannot know the key; then proxies with other names work.
import type { IncomingHttpHeaders } from "node:http";
import type { Problem } from "./problem.ts";

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "::1"] as const;

/** True for the addresses that other machines cannot reach. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.some((name) => name === host.toLowerCase());
}

/** Checks the headers of a request; undefined when nothing is wrong. `host` is the address the gateway listens on. */
export function createBrowserGuard(
  host: string,
  corsOrigins: readonly string[],
): (headers: IncomingHttpHeaders) => Problem | undefined {
  const names: ReadonlySet<string> = new Set([...LOOPBACK_NAMES, host.toLowerCase()]);
  const origins: ReadonlySet<string> = new Set(corsOrigins);
  return ({ host: authority = "", origin }) => {
    if (!names.has(nameOf(authority))) return hostNotAllowed(authority);
    if (origin === undefined || origin === `http://${authority}` || origins.has(origin)) return undefined;
    return originNotAllowed(origin);
  };
}

/** `[::1]:8080` → `::1`, `localhost:8080` → `localhost`. */
function nameOf(authority: string): string {
  const name = authority.startsWith("[")
    ? authority.slice(1, authority.indexOf("]"))
    : (authority.split(":", 1)[0] ?? "");
  return name.toLowerCase();
}

function hostNotAllowed(authority: string): Problem {
  return {
    status: 403,
    code: "host_not_allowed",
    message: `the host name ${JSON.stringify(shortened(authority))} is not this machine's`,
    hint: "Without API keys tickwatch answers to localhost, 127.0.0.1 and [::1] only, to keep web pages out. Use one of these, or set http.keys.",
  };
}

function originNotAllowed(origin: string): Problem {
  return {
    status: 403,
    code: "origin_not_allowed",
    message: `pages of ${JSON.stringify(shortened(origin))} may not call this gateway`,
    hint: "List the page's origin in http.corsOrigins to allow it.",
  };
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
