// One POST to tickwatch's gateway, one outcome. Knows HTTP and the gateway's answers; keeps no rows and tries once.
import { Agent, request } from "undici";
import * as z from "zod";
import { messageOf } from "../../errors.ts";

/** What became of a request, named by what the caller does next. */
export type Outcome =
  /** Every row was read: the accepted ones are durable, the others will never be. */
  | { readonly kind: "done"; readonly accepted: number; readonly rejected: number; readonly reason?: string }
  /** Nothing is known to be stored: the same bytes go again, not before `waitMs` if it is given. */
  | { readonly kind: "again"; readonly why: string; readonly waitMs?: number }
  /** The same rows, but fewer at a time. */
  | { readonly kind: "smaller" }
  /** These bytes will never be taken. */
  | { readonly kind: "refused"; readonly why: string };

export interface GatewayClient {
  /** Sends rows of one table as NDJSON. Never rejects; an abort is an `again`. */
  post(table: string, ndjson: string, signal: AbortSignal): Promise<Outcome>;
  /** Closes the connections. */
  close(): Promise<void>;
}

const ANSWER_MS_MAX = 10_000;

/** A wrong or missing key is a person's business: no use in asking every second. */
const WRONG_KEY_WAIT_MS = 15_000;

const RESULT = z.looseObject({
  accepted: z.int(),
  rejected: z.array(z.looseObject({ reason: z.string(), message: z.string() })),
  rejectedCount: z.int().optional(),
});

const PROBLEM = z.looseObject({ error: z.looseObject({ message: z.string() }) });

/** `gatewayUrl` is where tickwatch listens, such as http://127.0.0.1:8080; the key is one of its API keys. */
export function createGatewayClient(gatewayUrl: string, key?: string): GatewayClient {
  const agent = new Agent({ connections: 4, headersTimeout: ANSWER_MS_MAX, bodyTimeout: ANSWER_MS_MAX });
  const headers = {
    "content-type": "application/x-ndjson",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  return {
    async post(table, ndjson, signal) {
      try {
        const url = new URL(`/v1/events/${table}`, gatewayUrl);
        const answer = await request(url, {
          method: "POST",
          dispatcher: agent,
          headers,
          body: ndjson,
          signal,
        });
        const text = await answer.body.text();
        return outcomeOf(answer.statusCode, text, retryAfterMs(answer.headers["retry-after"]));
      } catch (error) {
        return { kind: "again", why: messageOf(error) };
      }
    },
    close: () => agent.destroy(),
  };
}

function outcomeOf(status: number, text: string, waitMs: number | undefined): Outcome {
  const body = parsed(text);
  const result = RESULT.safeParse(body).data;
  if (result !== undefined && (status === 202 || status === 400)) {
    const [first] = result.rejected;
    const rejected = result.rejectedCount ?? result.rejected.length;
    const done = { kind: "done", accepted: result.accepted, rejected } as const;
    return first === undefined ? done : { ...done, reason: `${first.reason}: ${first.message}` };
  }
  const why = `HTTP ${status}${problemText(body)}`;
  if (status === 413) return { kind: "smaller" };
  if (status === 401 || status === 403) return { kind: "again", why, waitMs: waitMs ?? WRONG_KEY_WAIT_MS };
  if (status === 202 || status === 408 || status === 429 || status >= 500) {
    return { kind: "again", why, ...(waitMs === undefined ? {} : { waitMs }) };
  }
  return { kind: "refused", why };
}

function problemText(body: unknown): string {
  const problem = PROBLEM.safeParse(body).data;
  return problem === undefined ? "" : `: ${problem.error.message}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The header in seconds; tickwatch sends no dates. */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === "string" && /^\d+$/.test(header) ? Number(header) : undefined;
  return seconds === undefined ? undefined : seconds * 1000;
}
