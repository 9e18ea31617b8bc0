// What QuestDB's answer to a write means. Pure; knows nothing of connections.
import * as z from "zod";
import type { Outcome } from "./outcome.ts";

/** The error QuestDB sends as JSON; `line` is 0 when it could not tell. */
const ErrorSchema = z.object({ message: z.string(), line: z.int().optional() });

/**
 * Status and body → outcome. A body that is not what QuestDB documents still ends in a defined outcome. Only 204 confirms:
 * a 200 is the page of something else that answers in QuestDB's place.
 */
export function outcomeOf(status: number, body: string): Outcome {
  if (status === 204) return { kind: "written" };
  const { message, line } = parseError(body);
  if (status === 401 || status === 403 || status === 421) return { kind: "not_allowed", status, message };
  if (status >= 500) return { kind: "server_error", status, message };
  if (status === 400 && line !== undefined && line > 0) return { kind: "row_refused", line, message };
  if (status >= 400) return { kind: "request_refused", status, message };
  return { kind: "unavailable", sent: true, message: `unexpected status ${status}` };
}

function parseError(body: string): { message: string; line: number | undefined } {
  try {
    const { message, line } = ErrorSchema.parse(JSON.parse(body));
    return { message, line };
  } catch {
    return { message: body.slice(0, 500) || "no explanation", line: undefined };
  }
}
