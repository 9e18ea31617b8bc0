// The simulator's remote control: GET /control shows the faults in force and the traffic, POST /control takes one
// fault as JSON, so that curl can break an exchange while the program under test runs in another process.

import type { IncomingMessage, ServerResponse } from "node:http";
import { prettifyError } from "zod";
import { messageOf, TickwatchError } from "../../errors.ts";
import { type Fault, FaultSchema } from "./fault.ts";
import { parseJson } from "./venue_api.ts";

const BODY_BYTES_MAX = 64 * 1024;

/** Checks a fault; throws `USAGE` naming every mistake. */
export function parseFault(input: unknown): Fault {
  const parsed = FaultSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new TickwatchError(
    "USAGE",
    `This is no fault that the simulator knows:\n${prettifyError(parsed.error)}`,
  );
}

/** Answers one request to /control. A POST is answered when the fault is in force (a burst: when it is over). */
export async function answerControl(
  request: IncomingMessage,
  response: ServerResponse,
  apply: (fault: Fault) => Promise<void>,
  state: () => object,
): Promise<void> {
  try {
    if (request.method === "POST") {
      await apply(parseFault(await readJson(request)));
    } else if (request.method !== "GET") {
      throw new TickwatchError(
        "USAGE",
        'Use GET to look, or POST with a JSON object such as {"fault": "drop"}.',
      );
    }
    reply(response, 200, state());
  } catch (error) {
    reply(response, 400, { error: messageOf(error) });
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new TickwatchError("USAGE", "The body must be bytes.");
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX)
      throw new TickwatchError("USAGE", `The body is over ${BODY_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  const parsed = parseJson(Buffer.concat(chunks).toString("utf8"));
  if (parsed === undefined) throw new TickwatchError("USAGE", "The body isn't JSON.");
  return parsed;
}

function reply(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(`${JSON.stringify(body, null, 2)}\n`);
}
