// The conformance suite of sources: what the contract in ingest/sources/source.ts promises, tried on a real one.
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Source } from "../../ingest/sources/source.ts";
import { settle } from "./manual_clock.ts";
import { RecordingPush, spoolFull } from "./recording_push.ts";

/** A source with what it takes to make it speak. */
export interface SourceUnderTest {
  readonly source: Source;
  /** Gives the source a reason to push: moves its clock, sends it a message. Called as often as needed. */
  provoke(): Promise<void> | void;
  /** Ends what `make` started beside the source. */
  close?(): Promise<void> | void;
}

export interface SourceContractOptions {
  /** Pushes it may have under way at once. Default 4. */
  readonly pushesUnderWayMax?: number;
  /** How long anything may take that has to happen. Default 5 s. */
  readonly deadlineMs?: number;
}

const PROVOCATIONS = 8;

/**
 * Declares the suite for one source; `make` gives a fresh one per test. Rows are checked as the intake checks them. A
 * push that never settles keeps `run` from settling: its last pushes belong to what it waits for, and leaving a
 * source that hangs behind is the supervisor's business.
 */
export function sourceContract(
  name: string,
  make: () => SourceUnderTest | Promise<SourceUnderTest>,
  { pushesUnderWayMax = 4, deadlineMs = 5_000 }: SourceContractOptions = {},
): void {
  const eventually = { timeout: deadlineMs, interval: 5 };

  async function begin(signal?: AbortSignal) {
    const under = await make();
    const pushed = new RecordingPush();
    const stop = new AbortController();
    const run = () => observed(under.source.run(pushed.push, signal ?? stop.signal));
    onTestFinished(async () => {
      stop.abort();
      pushed.release();
      await under.close?.();
    });
    const untilPushed = (calls: number) =>
      vi.waitFor(async () => {
        if (pushed.calls >= calls) return;
        await under.provoke();
        expect(pushed.calls).toBeGreaterThanOrEqual(calls);
      }, eventually);
    const provokeAll = async () => {
      for (let i = 0; i < PROVOCATIONS; i++) await under.provoke();
      await settle();
    };
    return { under, pushed, stop, run, untilPushed, provokeAll };
  }

  const settled = (run: Observed) => vi.waitFor(() => expect(run.outcome).toBeDefined(), eventually);

  describe(`the source ${name}`, () => {
    test("does nothing when the signal has aborted already", async () => {
      const { pushed, run } = await begin(AbortSignal.abort());
      const running = run();
      await settled(running);
      expect(running.outcome).toBe("resolved");
      expect(pushed.calls).toBe(0);
    });

    test("ends soon after the abort", async () => {
      const { stop, run, untilPushed } = await begin();
      const running = run();
      await untilPushed(1);
      stop.abort();
      await settled(running);
      expect(running.outcome).toBe("resolved");
    });

    test("waits after the abort for the pushes under way, and for no more than those", async () => {
      const { pushed, stop, run, untilPushed, provokeAll } = await begin();
      pushed.hold();
      const running = run();
      await untilPushed(1);
      stop.abort();
      await provokeAll();
      expect(running.outcome).toBeUndefined();
      pushed.release();
      await settled(running);
      expect(running.outcome).toBe("resolved");
      expect(pushed.underWay).toBe(0);
    });

    test("is slowed down by a push that does not answer", async () => {
      const { pushed, stop, run, untilPushed, provokeAll } = await begin();
      pushed.hold();
      const running = run();
      await untilPushed(1);
      await provokeAll();
      expect(pushed.underWayMax).toBeLessThanOrEqual(pushesUnderWayMax);
      pushed.release();
      stop.abort();
      await settled(running);
    });

    test("pushes nothing after it has settled", async () => {
      const { pushed, stop, run, untilPushed, provokeAll } = await begin();
      const running = run();
      await untilPushed(1);
      stop.abort();
      await settled(running);
      const calls = pushed.calls;
      await provokeAll();
      expect(pushed.calls).toBe(calls);
    });

    test("can be run again after it has settled", async () => {
      const { under, pushed, stop, run, untilPushed } = await begin();
      const running = run();
      await untilPushed(1);
      stop.abort();
      await settled(running);
      const again = new AbortController();
      onTestFinished(() => again.abort());
      const second = observed(under.source.run(pushed.push, again.signal));
      await untilPushed(pushed.calls + 1);
      again.abort();
      await settled(second);
      expect(second.outcome).toBe("resolved");
    });

    test("survives a refused push, or rejects and can be run again", async () => {
      const { under, pushed, stop, run, untilPushed, provokeAll } = await begin();
      pushed.refusal = spoolFull();
      const running = run();
      await untilPushed(1);
      await provokeAll();
      pushed.refusal = undefined;
      const rejected = running.outcome !== undefined;
      const running2 = rejected ? observed(under.source.run(pushed.push, stop.signal)) : running;
      await vi.waitFor(async () => {
        if (pushed.accepted.length > 0) return;
        await under.provoke();
        expect(pushed.accepted.length).toBeGreaterThan(0);
      }, eventually);
      stop.abort();
      await settled(running2);
    });
  });
}

interface Observed {
  outcome: "resolved" | "rejected" | undefined;
}

/** A promise whose outcome can be looked at. */
function observed(promise: Promise<void>): Observed {
  const seen: Observed = { outcome: undefined };
  promise.then(
    () => (seen.outcome = "resolved"),
    () => (seen.outcome = "rejected"),
  );
  return seen;
}
