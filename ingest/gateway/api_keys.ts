// API keys: who may write. Knows nothing of routes; a key itself never leaves this file.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Problem } from "./problem.ts";

/** A configured key, read from the environment or its file already. The name stands for it in logs. */
export interface ApiKey {
  readonly name: string;
  readonly key: string;
}

/** Who sent a request: the key's name, or the answer to give instead. */
export type KeyCheck =
  | { readonly ok: true; readonly name: string }
  | { readonly ok: false; readonly problem: Problem };

const HOW = "Send it as `Authorization: Bearer KEY` or as `x-api-key: KEY`.";

const MISSING: Problem = {
  status: 401,
  code: "key_missing",
  message: "this gateway asks for an API key and the request has none",
  hint: HOW,
  headers: { "www-authenticate": 'Bearer realm="tickwatch"' },
};

const WRONG: Problem = {
  status: 403,
  code: "key_wrong",
  message: "the API key is not one of the configured keys",
  hint: `Compare it with http.keys in the configuration of tickwatch. ${HOW}`,
};

/**
 * A check against all configured keys. Takes the same time whether and where a key matches: both sides are hashed to
 * one length, every key is compared in constant time, and no match ends the loop.
 */
export function createKeyCheck(keys: readonly ApiKey[]): (headers: IncomingHttpHeaders) => KeyCheck {
  const digests = keys.map(({ name, key }) => ({ name, digest: sha256(key) }));
  return (headers) => {
    const presented = presentedKey(headers);
    if (presented === undefined) return { ok: false, problem: MISSING };
    const digest = sha256(presented);
    let found: string | undefined;
    for (const known of digests) {
      const same = timingSafeEqual(known.digest, digest);
      found = same ? known.name : found;
    }
    return found === undefined ? { ok: false, problem: WRONG } : { ok: true, name: found };
  };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** `Authorization: Bearer` first; other schemes belong to a proxy in front and leave room for `x-api-key`. */
function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const { authorization = "" } = headers;
  const bearer = authorization.slice(0, 7).toLowerCase() === "bearer " ? authorization.slice(7).trim() : "";
  if (bearer !== "") return bearer;
  const plain = headers["x-api-key"];
  return typeof plain === "string" && plain !== "" ? plain : undefined;
}
