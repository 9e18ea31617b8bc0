// The faults that the simulator can be told to have: one schema for the program and for `POST /control`.
// Data only; what a fault does is in the servers.

import { z } from "zod";
import { INSTRUMENTS, VENUE_IDS } from "./instruments.ts";

const venue = z.enum(VENUE_IDS).optional().describe("both venues when left out");
const channel = z.enum(["rest", "ws"]).optional();
const count = z.int().min(1).max(1_000_000).optional();
const forMs = z.int().min(1).max(86_400_000).optional();
const symbols = z
  .array(z.enum(INSTRUMENTS.map(({ symbol }) => symbol)))
  .readonly()
  .default([]);

const ONE_LIMIT = { message: "give count or forMs, not both" };
const oneLimit = (fault: { count?: number | undefined; forMs?: number | undefined }) =>
  fault.count === undefined || fault.forMs === undefined;

/** A header's name and value as HTTP allows them, so that a typo is refused here and not inside an answer. */
const headers = z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().regex(/^[\x20-\x7e]*$/)).default({});

/**
 * Every fault. `venue` left out means both. `channel` left out means both where that makes sense, for
 * status, malformed_json and wrong_types the REST side only. A fault with neither `count` (requests or messages)
 * nor `forMs` lasts until `clear`. A new fault replaces the one that the same venue and channel had.
 */
export const FaultSchema = z.discriminatedUnion("fault", [
  // Breaks every open connection, once. closeCode: end WebSockets with this code instead of cutting them (1006).
  z.strictObject({
    fault: z.literal("drop"),
    venue,
    channel,
    closeCode: z
      .int()
      .min(1000)
      .max(4999)
      .refine(isSendableCloseCode, "not a close code a server may send")
      .optional(),
  }),
  // Accepts and says nothing. REST: no answer at all (`phase: "answer"`) or half a body ("body"). WS: handshakes are
  // not answered; open connections get no messages and no pongs. What was held is answered when the fault ends.
  z
    .strictObject({
      fault: z.literal("stall"),
      venue,
      channel,
      phase: z.enum(["answer", "body"]).default("answer"),
      count,
      forMs,
    })
    .refine(oneLimit, ONE_LIMIT),
  // Refuses with this HTTP status, worded as the venue does. On ws: refuses handshakes.
  z
    .strictObject({
      fault: z.literal("status"),
      venue,
      channel,
      status: z.int().min(400).max(599),
      retryAfterS: z.int().min(0).max(86_400).default(5),
      headers,
      count,
      forMs,
    })
    .refine(oneLimit, ONE_LIMIT),
  // Cuts JSON texts short, so that they don't parse.
  z
    .strictObject({ fault: z.literal("malformed_json"), venue, channel, count, forMs })
    .refine(oneLimit, ONE_LIMIT),
  // Puts words, objects and nulls where numbers are due.
  z
    .strictObject({ fault: z.literal("wrong_types"), venue, channel, count, forMs })
    .refine(oneLimit, ONE_LIMIT),
  // REST only: promises a whole body, sends half and resets the connection.
  z.strictObject({ fault: z.literal("cut_body"), venue, count, forMs }).refine(oneLimit, ONE_LIMIT),
  // Answers late (REST answers, WebSocket pongs and messages).
  z.strictObject({ fault: z.literal("slow"), venue, channel, delayMs: z.int().min(1).max(600_000), forMs }),
  // Gone: open connections are cut, new ones are reset.
  z.strictObject({ fault: z.literal("away"), venue, channel, forMs }),
  // WebSocket only: connected, answering pings and subscriptions, but no data.
  z.strictObject({ fault: z.literal("silence"), venue, forMs }),
  // So many liquidations at once, to whoever subscribed. okx: groupSize details in each record.
  z.strictObject({
    fault: z.literal("burst"),
    venue,
    count: z.int().min(1).max(100_000).default(2_000),
    withinMs: z.int().min(1).max(600_000).default(1_000),
    groupSize: z.int().min(1).max(100).default(1),
    symbols,
  }),
  // Ends every fault (of the venue).
  z.strictObject({ fault: z.literal("clear"), venue }),
]);

/** What a caller writes: defaults may be left out. */
export type FaultInput = z.input<typeof FaultSchema>;
export type Fault = z.output<typeof FaultSchema>;
export type Channel = "rest" | "ws";

/** The faults that last; the rest (drop, burst, clear) happen once. */
export type LastingFault = Exclude<Fault, { readonly fault: "drop" | "burst" | "clear" }>;

/** The channels that a lasting fault is about. */
export function channelsOf(fault: LastingFault): readonly Channel[] {
  if (fault.fault === "silence") return ["ws"];
  if (fault.fault === "cut_body") return ["rest"];
  if (fault.channel !== undefined) return [fault.channel];
  const mostlyRest: readonly string[] = ["status", "malformed_json", "wrong_types"];
  return mostlyRest.includes(fault.fault) ? ["rest"] : ["rest", "ws"];
}

/** Codes 1004 to 1006 and 1015 are for reports only, 1016 to 2999 are reserved (RFC 6455, 7.4). */
function isSendableCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || code >= 3000;
}
