// What a full spool means for those who want to write: refuse at once, or wait until delivery has made room.
import { TickwatchError } from "../errors.ts";

export interface Room {
  /** Resolves when there is room. Rejects with SPOOL_FULL (`reject`), or with STOPPING when it is closed while waiting. */
  readonly wait: () => Promise<void>;
  /** Tells that segments may have been deleted. */
  readonly changed: () => void;
  /** Nobody waits any longer. */
  readonly close: () => void;
}

/** The door to a spool, by the configuration's `spool.whenFull`. */
export function createRoom(spool: { readonly isFull: boolean }, whenFull: "reject" | "block"): Room {
  const waiting = new Set<() => void>();
  let closed = false;
  const release = () => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  return {
    async wait() {
      while (spool.isFull) {
        if (whenFull === "reject") {
          throw new TickwatchError(
            "SPOOL_FULL",
            "the spool has reached spool.bytesMax: rows are taken again once QuestDB has taken some",
          );
        }
        if (closed)
          throw new TickwatchError(
            "STOPPING",
            "tickwatch is stopping: send the rows again after its restart",
          );
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    changed: release,
    close() {
      closed = true;
      release();
    },
  };
}
