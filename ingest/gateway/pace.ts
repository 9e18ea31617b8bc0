// Lets other work of the process run in the middle of a long computation.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../clock.ts";

/** Longest time that a body keeps the event loop to itself, in milliseconds. */
const TURN_MS = 8;

/** Called between two pieces of work; waits for a turn of the event loop when the work has had its time. */
export interface Pace {
  breathe(): Promise<void>;
}

/** The time counts from the creation on; one Pace per piece of work. */
export function createPace(clock: Clock): Pace {
  let sinceMs = clock.monotonicMs();
  return {
    async breathe() {
      if (clock.monotonicMs() - sinceMs < TURN_MS) return;
      await nextTurn();
      sinceMs = clock.monotonicMs();
    },
  };
}
