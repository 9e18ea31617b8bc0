// What the headers of a request say about its body. Pure.
//
// A body must name its type. `text/plain` and form types are refused although they would be easy to guess: they are
// the ones that a web page may send to another origin without asking first, and curl's default is one of them.
import type { IncomingHttpHeaders } from "node:http";
import type { Problem } from "./problem.ts";

export interface BodyFormat {
  readonly kind: "json" | "ndjson";
  readonly gzip: boolean;
}

const KINDS: ReadonlyMap<string, BodyFormat["kind"]> = new Map([
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["application/ndjson", "ndjson"],
  ["application/jsonl", "ndjson"],
  ["application/x-jsonlines", "ndjson"],
]);

export const EMPTY_BODY: Problem = {
  status: 400,
  code: "empty_body",
  message: "the request has no rows",
  hint: "Send one JSON object, an array of them, or NDJSON: one object per line.",
};

/** How to read the body, or why it cannot be read. */
export function bodyFormat(headers: IncomingHttpHeaders): BodyFormat | Problem {
  const { "content-type": type } = headers;
  if (type === undefined) return hasBody(headers) ? mediaTypeUnsupported("none") : EMPTY_BODY;
  const [media = "", ...parameters] = type.toLowerCase().split(";");
  const kind = KINDS.get(media.trim());
  if (kind === undefined) return mediaTypeUnsupported(media.trim());
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith("charset="));
  const encoding = charset?.slice("charset=".length).replaceAll('"', "") ?? "utf-8";
  if (!["utf-8", "utf8", "us-ascii"].includes(encoding)) return mediaTypeUnsupported(type);
  const coding = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (coding === "identity" || coding === "") return { kind, gzip: false };
  if (coding === "gzip" || coding === "x-gzip") return { kind, gzip: true };
  return encodingUnsupported(coding);
}

/** A body is announced, though it may turn out empty. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** 415, with what to write instead. */
export function mediaTypeUnsupported(type: string): Problem {
  return {
    status: 415,
    code: "media_type_unsupported",
    message: `the content type ${JSON.stringify(type.slice(0, 100))} is not one of application/json and application/x-ndjson (UTF-8)`,
    hint: "Name the type of the body; with curl: -H 'content-type: application/json'.",
  };
}

function encodingUnsupported(coding: string): Problem {
  return {
    status: 415,
    code: "encoding_unsupported",
    message: `the content encoding ${JSON.stringify(coding.slice(0, 100))} is not gzip`,
    hint: "Send the body as it is, or compressed with gzip.",
    headers: { "accept-encoding": "gzip, identity" },
  };
}
