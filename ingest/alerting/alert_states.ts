// What the table `alerts` knows about alerts: the newest change of each. Asks QuestDB; knows nothing of who asks.
import * as z from "zod";
import { TickwatchError } from "../errors.ts";
import type { Sql } from "../questdb/sql.ts";

/** The newest change of one alert; times in microseconds since 1970. */
export interface AlertState {
  readonly fingerprint: string;
  readonly state: "firing" | "resolved" | "pending" | "acknowledged";
  readonly rule: string;
  readonly severity: string | null;
  readonly labels: string | null;
  readonly summary: string | null;
  readonly value: number | null;
  readonly receiver: string | null;
  /** When it changed. */
  readonly ts: number;
  readonly startedUs: number | null;
  readonly notifiedUs: number | null;
}

const Row = z.object({
  fingerprint: z.string(),
  state: z.enum(["firing", "resolved", "pending", "acknowledged"]),
  rule: z.string(),
  severity: z.string().nullable(),
  labels: z.string().nullable(),
  summary: z.string().nullable(),
  value: z.number().nullable(),
  receiver: z.string().nullable(),
  ts: z.number(),
  started_at: z.number().nullable(),
  notified_at: z.number().nullable(),
});

const NEWEST =
  "SELECT fingerprint, state, rule, severity, labels, summary, value, receiver, ts, started_at, notified_at FROM alerts";

/** Newest changes of these alerts; those that the table does not know are missing. Errors are those of Sql. */
async function readAlertStates(
  sql: Sql,
  fingerprints: readonly string[],
  signal?: AbortSignal,
): Promise<readonly AlertState[]> {
  if (fingerprints.length === 0) return [];
  const places = fingerprints.map((_, index) => `$${index + 1}`).join(", ");
  const text = `${NEWEST} WHERE fingerprint IN (${places}) LATEST ON ts PARTITION BY fingerprint`;
  return (await sql.select(Row, text, [...fingerprints], signal)).map(stateOf);
}

/** Newest changes of all alerts, those that changed last first. */
export async function readNewestStates(
  sql: Sql,
  limit: number,
  signal?: AbortSignal,
): Promise<readonly AlertState[]> {
  const text = `SELECT * FROM (${NEWEST} LATEST ON ts PARTITION BY fingerprint) ORDER BY ts DESC LIMIT ${limit}`;
  return (await sql.select(Row, text, [], signal)).map(stateOf);
}

function stateOf({
  started_at: startedUs,
  notified_at: notifiedUs,
  ...row
}: z.output<typeof Row>): AlertState {
  return { ...row, startedUs, notifiedUs };
}

/** A message waits for the answer; Grafana gives it up after half a minute. */
const ANSWER_MS_MAX = 2_000;

/**
 * readAlertStates for a service whose QuestDB may be away or not there yet: DB_UNAVAILABLE then, and when it does not
 * answer at once.
 */
export function statesFinder(
  sql: () => Sql | undefined,
): (fingerprints: readonly string[]) => Promise<readonly AlertState[]> {
  return async (fingerprints) => {
    const database = sql();
    if (database === undefined) throw new TickwatchError("DB_UNAVAILABLE", "QuestDB has not answered yet");
    const late = AbortSignal.timeout(ANSWER_MS_MAX);
    try {
      return await readAlertStates(database, fingerprints, late);
    } catch (cause) {
      if (!late.aborted) throw cause;
      throw new TickwatchError("DB_UNAVAILABLE", `no answer within ${ANSWER_MS_MAX} ms`, { cause });
    }
  };
}
