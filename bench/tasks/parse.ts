// The parser alone: unknown input → checked row. Rows arrive as objects, as sources in this process hand them over, or as the
// text of a request.
import * as z from "zod";
import type { EventDefinition } from "../../schema/define.ts";
import { EVENTS } from "../../schema/registry.ts";
import { defineTask } from "../harness/task.ts";
import { UsageSchema, UsageWindow } from "../harness/usage_window.ts";
import { MARKS, markRows, stamp } from "../workload/mark_event.ts";
import { w90 } from "../workload/w90.ts";

const InputSchema = z.object({
  rows: z.enum(["marks", "w90"]),
  count: z.int().min(1),
  warmupCount: z.int().min(0),
});

const POOL_ROWS = 10_000;
const START_US = Date.UTC(2026, 7, 1) * 1000;

interface Input {
  readonly event: EventDefinition;
  readonly row: unknown;
}

export const task = defineTask({
  name: "parse",
  input: InputSchema,
  label: ({ rows }) => `parse_${rows}`,
  output: z.object({ usage: UsageSchema, rowCount: z.number() }),
  run(input) {
    const pool = input.rows === "marks" ? marksPool() : w90Pool();
    parseRows(pool, input.warmupCount);
    const window = new UsageWindow();
    parseRows(pool, input.count);
    return Promise.resolve({ usage: window.close(), rowCount: input.count });
  },
});

function parseRows(pool: readonly Input[], count: number): void {
  for (let done = 0; done < count; done += pool.length) {
    for (const { event, row } of pool.slice(0, count - done)) {
      const outcome = event.parse(row);
      if (!outcome.ok) throw new Error(`${event.name}: ${outcome.message}`);
    }
  }
}

function marksPool(): Input[] {
  const rows = markRows(POOL_ROWS, 1);
  stamp(rows, START_US);
  return rows.map((row) => ({ event: MARKS, row }));
}

function w90Pool(): Input[] {
  const events = new Map<string, EventDefinition>(EVENTS.map((event) => [event.name, event]));
  const pool: Input[] = [];
  for (const { table, rows } of w90({ seed: 1, startUs: START_US })) {
    const event = events.get(table);
    if (event === undefined) throw new Error(`no table ${table}`);
    for (const row of rows) pool.push({ event, row });
    if (pool.length >= POOL_ROWS) break;
  }
  return pool;
}
