// Decides which errors become rows, so that something that fails all the time cannot flood daemon_errors: of one
// component and code the first at once, then at most one a minute. Pure: told the time, writes nothing.

/** One error, in the columns of `daemon_errors`. `component` and `code` come from small sets; `message` is free. */
export interface ErrorReport {
  readonly component: string;
  readonly exchange?: string;
  readonly severity: "debug" | "info" | "warning" | "error" | "critical";
  readonly code: string;
  readonly message: string;
}

export interface ErrorLimiter {
  /** The report to write now, its message counting those held back before it; undefined when it is held back itself. */
  admit(report: ErrorReport, nowMs: number): ErrorReport | undefined;
  /** Reports whose minute is over and that stand for held back ones. Without it they would wait for the next error. */
  due(nowMs: number): readonly ErrorReport[];
  /** The same for every minute, over or not: at the end nothing may be left uncounted. */
  drain(): readonly ErrorReport[];
}

const WINDOW_MS = 60_000;

/** Beyond so many kinds of errors at a time, new ones share one place: memory stays bounded. */
const KINDS_MAX = 500;
const OTHER_KINDS = "other kinds";

interface Kind {
  windowEndMs: number;
  heldBack: number;
  last: ErrorReport;
}

export function createErrorLimiter(): ErrorLimiter {
  const kinds = new Map<string, Kind>();

  function keyOf({ component, exchange, code }: ErrorReport): string {
    const key = JSON.stringify([component, exchange, code]);
    return kinds.has(key) || kinds.size < KINDS_MAX ? key : OTHER_KINDS;
  }

  function take(kind: Kind): ErrorReport {
    const report = {
      ...kind.last,
      message: `${kind.last.message} (${times(kind.heldBack)} since the last report)`,
    };
    kind.heldBack = 0;
    return report;
  }

  return {
    admit(report, nowMs) {
      const key = keyOf(report);
      const kind = kinds.get(key);
      if (kind === undefined) {
        kinds.set(key, { windowEndMs: nowMs + WINDOW_MS, heldBack: 0, last: report });
        return report;
      }
      kind.last = report;
      if (nowMs < kind.windowEndMs) {
        kind.heldBack += 1;
        return undefined;
      }
      kind.windowEndMs = nowMs + WINDOW_MS;
      if (kind.heldBack === 0) return report;
      kind.heldBack += 1;
      return take(kind);
    },
    due(nowMs) {
      const reports: ErrorReport[] = [];
      for (const [key, kind] of kinds) {
        if (nowMs < kind.windowEndMs) continue;
        if (kind.heldBack === 0) {
          kinds.delete(key);
          continue;
        }
        kind.windowEndMs = nowMs + WINDOW_MS;
        reports.push(take(kind));
      }
      return reports;
    },
    drain() {
      const reports = [...kinds.values()].filter((kind) => kind.heldBack > 0).map(take);
      kinds.clear();
      return reports;
    },
  };
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
