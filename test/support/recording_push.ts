// A `Push` for tests: remembers what it was handed, checks every row as the intake would, and can be made to wait or to
// refuse.
import { TickwatchError } from "../../ingest/errors.ts";
import type { Push, PushResult } from "../../ingest/sources/source.ts";
import { type EventName, findEvent } from "../../schema/registry.ts";

export interface PushedRow {
  readonly table: EventName;
  readonly row: Readonly<Record<string, unknown>> & { readonly ts: number };
}

export class RecordingPush {
  /** Rows that were accepted, in order. */
  readonly accepted: PushedRow[] = [];
  /** Pushes that have not settled. */
  underWay = 0;
  underWayMax = 0;
  /** Pushes so far, whatever came of them. */
  calls = 0;
  /** When set, every push fails with it. */
  refusal: Error | undefined;
  #held: (() => void)[] | undefined;

  readonly push: Push = async (table, rows): Promise<PushResult> => {
    this.calls += 1;
    this.underWay += 1;
    this.underWayMax = Math.max(this.underWayMax, this.underWay);
    try {
      if (this.#held !== undefined) await new Promise<void>((resolve) => this.#held?.push(resolve));
      if (this.refusal !== undefined) throw this.refusal;
      for (const row of rows) this.accepted.push({ table, row: checked(table, row) });
      return { accepted: rows.length, rejected: [] };
    } finally {
      this.underWay -= 1;
    }
  };

  /** From now on pushes wait. */
  hold(): void {
    this.#held ??= [];
  }

  /** Lets the waiting pushes and all later ones through. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const resume of held) resume();
  }

  /** The accepted rows of one table. */
  rowsOf(table: EventName): PushedRow["row"][] {
    return this.accepted.filter((pushed) => pushed.table === table).map(({ row }) => row);
  }
}

export function spoolFull(): TickwatchError {
  return new TickwatchError("SPOOL_FULL", "the spool is full");
}

function checked(table: EventName, input: unknown): PushedRow["row"] {
  const outcome = findEvent(table)?.parse(input);
  if (!outcome?.ok) throw new Error(`a source pushed an invalid row of ${table}: ${outcome?.message}`);
  return outcome.row;
}
