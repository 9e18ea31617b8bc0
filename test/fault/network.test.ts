// Protects acknowledged rows from the network and from false answers: whatever stands between the service and QuestDB,
// and however long, in the end every row is there once, in order, and none was given up.
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Fault, MALFORMED, type MalformedForm } from "../support/fault_kinds.ts";
import { type FaultStage, openStage, untilWell } from "../support/fault_stage.ts";

let stage: FaultStage;
beforeAll(async () => {
  stage = await openStage({ questdb: inject("questdb") });
  await stage.start();
});
afterAll(() => stage?.close());

/** The fault under load until it was met often enough and rows have piled up; then the load goes on without it. */
async function survives(fault: Fault, hits = 3): Promise<void> {
  const load = await stage.load();
  await load.acknowledges(500);
  await stage.proxy.set(fault);
  if (fault.kind !== "refuse") await stage.proxy.hit(hits);
  await load.acknowledges(2_000);
  await stage.proxy.set({ kind: "none" });
  await load.acknowledges(300);
  await stage.proves(load);
  expect(Object.keys(load.answers), "the producers notice nothing").toEqual(["202"]);
  await untilWell(stage.place);
}

test("connections that are refused cost no row", () => survives({ kind: "refuse" }));

test("connections that are reset at once cost no row", () => survives({ kind: "reset" }));

test.each([0, 400, 20_000])("a reset after %i bytes of a request costs no row", (bytes) =>
  survives({ kind: "reset_after", bytes }),
);

test("a reset before the answer doubles no row and reorders none", () =>
  survives({ kind: "swallow_answer" }));

test("a stalled connection costs no row", () => survives({ kind: "stall" }, 2));

test("slow answers cost no row", () => survives({ kind: "delay", ms: 300 }));

test("answers slower than the time-out cost no row", () => survives({ kind: "delay", ms: 2_500 }, 2));

test("a slow line costs no row", () => survives({ kind: "throttle", bytesPerSecond: 400_000 }));

test.each([200, 401, 413, 421, 500, 503] as const)("answers of %i to good rows cost none", (status) =>
  survives({ kind: "answer", status }),
);

test.each(Object.keys(MALFORMED) as MalformedForm[])("malformed answers (%s) cost no row", (form) =>
  survives({ kind: "malformed", form }),
);
