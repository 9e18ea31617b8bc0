// Reads a request's body: bounded in bytes, in time and over all requests, and unpacks gzip within the same bounds.
// Knows nothing of rows.
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Clock } from "../clock.ts";
import type { BodyShare } from "./body_budget.ts";
import { type Problem, TOO_BUSY } from "./problem.ts";

const unzip = promisify(gunzip);

export interface BodyLimits {
  /** Of the body as sent, and of what it unpacks to. */
  readonly bodyBytesMax: number;
  /** From the end of the headers to the end of the body. */
  readonly requestTimeoutMs: number;
}

/** `aborted`: the client went away, nobody is left to answer. */
export type BodyOutcome =
  | { readonly kind: "body"; readonly bytes: Buffer }
  | { readonly kind: "refused"; readonly problem: Problem }
  | { readonly kind: "aborted" };

/** The body as sent. What comes after a refusal is read and thrown away, so that the client gets to see the answer. */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  share: BodyShare,
  clock: Clock,
): Promise<BodyOutcome> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limits.bodyBytesMax) return refused(tooLarge(limits.bodyBytesMax));
  const done = new AbortController();
  try {
    return await Promise.race([
      collected(request, limits.bodyBytesMax, share, done.signal),
      clock.sleep(limits.requestTimeoutMs, done.signal).then(() => refused(tooSlow(limits.requestTimeoutMs))),
    ]);
  } finally {
    done.abort();
  }
}

function collected(
  request: IncomingMessage,
  bytesMax: number,
  share: BodyShare,
  done: AbortSignal,
): Promise<BodyOutcome> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (outcome: BodyOutcome) => {
      request.off("data", take).off("end", end).off("close", aborted);
      done.removeEventListener("abort", aborted);
      // Without a listener for data the rest is read and thrown away.
      request.resume();
      resolve(outcome);
    };
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) settle(refused(tooLarge(bytesMax)));
      else if (!share.take(chunk.length)) settle(refused(TOO_BUSY));
      else chunks.push(chunk);
    };
    const end = () => settle({ kind: "body", bytes: Buffer.concat(chunks, bytes) });
    const aborted = () => settle({ kind: "aborted" });
    // A broken connection shows as an error and then as a close; the listener stays, since nobody else has one.
    request.on("error", () => {});
    done.addEventListener("abort", aborted);
    request.on("data", take).on("end", end).on("close", aborted);
  });
}

/** Unpacks gzip. A body that would unpack to more than the limit is refused before it takes the memory. */
export async function unpacked(bytes: Buffer, bodyBytesMax: number, share: BodyShare): Promise<BodyOutcome> {
  try {
    const plain = await unzip(bytes, { maxOutputLength: bodyBytesMax, chunkSize: 65_536 });
    return share.take(plain.length) ? { kind: "body", bytes: plain } : refused(TOO_BUSY);
  } catch (error) {
    const over = error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    return refused(over ? tooLarge(bodyBytesMax) : MALFORMED_GZIP);
  }
}

function refused(problem: Problem): BodyOutcome {
  return { kind: "refused", problem };
}

const MALFORMED_GZIP: Problem = {
  status: 400,
  code: "malformed_gzip",
  message: "the body is announced as gzip, but it is none or it is cut off",
  hint: "Compress the whole body with gzip, or leave the content-encoding header out.",
};

function tooLarge(bodyBytesMax: number): Problem {
  return {
    status: 413,
    code: "body_too_large",
    message: `the body is larger than ${bodyBytesMax} bytes (unpacked, if it is gzip); nothing of it was taken`,
    hint: "Send it in several requests, or raise http.bodyBytesMax.",
  };
}

function tooSlow(requestTimeoutMs: number): Problem {
  return {
    status: 408,
    code: "request_timeout",
    message: `the body did not arrive completely within ${requestTimeoutMs} ms; nothing of it was taken`,
    hint: "Send smaller requests, or raise http.requestTimeoutMs.",
    headers: { connection: "close" },
  };
}
