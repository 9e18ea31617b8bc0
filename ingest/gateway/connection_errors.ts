// Answers to what is no request: bytes that are not HTTP, headers that come too slowly or are too large. Node reports
// them with the bare connection, so the answer is written by hand, in the same shape as every other error.
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { errorOf, type Problem } from "./problem.ts";

const NOT_HTTP: Problem = {
  status: 400,
  code: "bad_request",
  message: "this is not a request that tickwatch can read",
  hint: "The gateway speaks plain HTTP/1.1; an https:// address doesn't work.",
};

/** By the codes of node:http and its parser. */
const PROBLEMS: ReadonlyMap<string, Problem> = new Map([
  [
    "ERR_HTTP_REQUEST_TIMEOUT",
    { status: 408, code: "request_timeout", message: "the request did not arrive in time" },
  ],
  [
    "HPE_HEADER_OVERFLOW",
    { status: 431, code: "headers_too_large", message: "the headers of the request are larger than 16 kB" },
  ],
]);

/** Answers if somebody can still read it, then ends the connection. Returns the status, or undefined if none was sent. */
export function answerConnectionError(code: string | undefined, socket: Socket): number | undefined {
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const problem = PROBLEMS.get(code ?? "") ?? NOT_HTTP;
  const body = JSON.stringify(errorOf(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
  return problem.status;
}
